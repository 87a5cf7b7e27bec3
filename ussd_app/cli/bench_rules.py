"""`mita bench anomalies` and `mita bench forecast`: how good the rules about usage are, on made-up households."""

import click

from ussd_app.cli.place import json_option, print_json

seed_option = click.option("--seed", default=1, show_default=True, help="The same seed gives the same households.")


@click.command()
@json_option
@click.option("--households", default=4_000, show_default=True)
@seed_option
def anomalies(as_json: bool, households: int, seed: int) -> None:
    """Leaks that are found and alarms without one, by the robust rule and by the plain one of two sigmas."""
    from benchmarks.anomalies import measure, table

    found = measure(households, seed)
    if as_json:
        print_json(found)
    else:
        click.echo("\n".join(table(found)))


@click.command()
@json_option
@click.option("--households", default=800, show_default=True)
@seed_option
def forecast(as_json: bool, households: int, seed: int) -> None:
    """How far the forecast of a month's usage is off, beside the same month a year before."""
    from benchmarks.forecast import measure, table

    found = measure(households, seed)
    if as_json:
        print_json(found)
    else:
        click.echo("\n".join(table(found)))
