"""`mita books check`, `flows check` and `tariff check`: what must always hold."""

from pathlib import Path

import click

from ussd_app.cli.books_export import books_export
from ussd_app.cli.books_invoices import books_invoices
from ussd_app.cli.place import data_option, json_option, print_json, with_database


@click.group()
def books() -> None:
    """The utility's books."""


books.add_command(books_export)
books.add_command(books_invoices)


@books.command("check")
@json_option
@data_option
def books_check(as_json: bool, data: Path) -> None:
    """Count the violations of every invariant of the ledger and of the payments. Exit code 1 where there are any."""
    with with_database(data):
        import billing.books
        import payments.books
        from core.database import transaction

        with transaction() as session:
            invariants = [*billing.books.check(session), *payments.books.check(session)]
    violations = sum(invariant.violations for invariant in invariants)
    if as_json:
        found = [{"name": i.name, "violations": i.violations, "sample": i.sample} for i in invariants]
        print_json({"invariants": found, "violations": violations})
    else:
        for invariant in invariants:
            sample = f"  {', '.join(map(str, invariant.sample))}" if invariant.violations else ""
            click.echo(f"{invariant.violations:>6}  {invariant.name}{sample}")
    raise click.exceptions.Exit(1 if violations else 0)


@click.group()
def flows() -> None:
    """The conversations."""


@flows.command("map")
def flows_map() -> None:
    """Print the map of all screens, as docs/flows.md has it."""
    from flows.chart import document

    click.echo(document(), nl=False)


@flows.command("check")
@json_option
def flows_check(as_json: bool) -> None:
    """Walk every path of every conversation in every language. Exit code 1 where a promise is broken."""
    from flows.check import check

    report = check()
    if as_json:
        print_json(report.as_json())
    else:
        click.echo(
            f"{report.paths} paths, {report.screens} screens of {report.flows} flows in {', '.join(report.languages)};"
            f" at most {report.max_septets} septets"
        )
        for violation in report.violations:
            click.echo(f"  {violation}")
    raise click.exceptions.Exit(1 if report.violations else 0)


@click.group()
def tariff() -> None:
    """Tariffs."""


@tariff.command("check")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@json_option
def tariff_check(file: Path, as_json: bool) -> None:
    """Rate every case of FILE and compare with its known total. Exit code 1 where any differs."""
    from billing.cases import check_file

    try:
        report = check_file(file)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    if as_json:
        print_json(report)
    else:
        for mismatch in report["mismatched"]:
            click.echo(f"{mismatch['id']}: {mismatch['why']}")
        click.echo(f"{report['matched']} of {report['cases']} cases match.")
    raise click.exceptions.Exit(1 if report["mismatched"] else 0)
