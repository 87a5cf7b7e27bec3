"""`mita chaos`: what the service is worth while what it stands on is taken away again and again."""

from pathlib import Path

import click

from ussd_app.cli.place import Failure, json_option, print_json


@click.group()
def chaos() -> None:
    """Disturb an instance of its own, and look for what went wrong."""


@chaos.command("ussd")
@click.option("--sessions", type=click.IntRange(1, 10_000), default=1000, show_default=True, help="One per customer.")
@click.option("--seed", default=1, show_default=True, help="What happens, and when.")
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the instance's data, to look at it later; it must not be there yet.",
)
@json_option
def chaos_ussd(sessions: int, seed: int, data: Path | None, as_json: bool) -> None:
    """Many USSD sessions at once while Valkey is killed, emptied and stopped.

    Each customer wants one thing: to send a reading, to pay, to report a fault, to change her language, to see her
    balance. In the end the books must hold each wish exactly once and nothing else, and nobody may have seen what
    belongs to another. Exit code 1 where that is not so. A customer who was put off dials again; that is counted.
    """
    from ussd_app.chaos.run import run
    from ussd_app.embedded.running import NotReady

    if data is not None and data.exists():
        raise Failure(f"{data} is there already.")
    try:
        report = run(sessions, seed, data, lambda line: click.echo(line, err=True))
    except NotReady as error:
        raise Failure(str(error)) from None
    if as_json:
        print_json(report.as_json())
    else:
        for name, value in report.as_json().items():
            click.echo(f"{name:<12} {value}")
    raise click.exceptions.Exit(0 if report.good else 1)


@chaos.command("payments")
@click.option("--payments", type=click.IntRange(1, 1_000_000), default=1000, show_default=True, help="Payments begun.")
@click.option("--seed", default=1, show_default=True, help="Who pays what, what goes wrong, and what is killed when.")
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the instance's data, to look at it later; it must not be there yet.",
)
@json_option
def chaos_payments(payments: int, seed: int, data: Path | None, as_json: bool) -> None:
    """Payments by USSD and PayBill while M-Pesa misbehaves and every process is killed again and again.

    Callbacks are lost, doubled, late, out of order and wrong; answers are lost; web, USSD, worker, relay, clock,
    Valkey and PostgreSQL get SIGKILL. Then all is calm, and within one cycle of the janitor our books must hold every
    payment of the simulated M-Pesa's own book once, and nothing else. Exit code 1 where that is not so.
    """
    from ussd_app.chaos.pay_run import run
    from ussd_app.embedded.running import NotReady

    if data is not None and data.exists():
        raise Failure(f"{data} is there already.")
    try:
        report = run(payments, seed, data, lambda line: click.echo(line, err=True))
    except NotReady as error:
        raise Failure(str(error)) from None
    if as_json:
        print_json(report.as_json())
    else:
        for name, value in report.as_json().items():
            click.echo(f"{name:<17} {value}")
    raise click.exceptions.Exit(0 if report.good else 1)
