"""`mita bench billing`: how fast a month is billed on this machine, in a folder of its own."""

import click

from ussd_app.cli.place import Failure, json_option, print_found, say


@click.command()
@json_option
@click.option("--accounts", default=10_000, show_default=True, help="Connections to bill.")
@click.option("--workers", default=2, show_default=True, help="Processes that bill at once.")
def billing(as_json: bool, accounts: int, workers: int) -> None:
    """A billing run from readings to issued invoices, beside COPY of the same rows in the same run."""
    from benchmarks.billing import Wrong, measure

    try:
        found = measure(accounts, workers, say)
    except (Wrong, RuntimeError) as error:
        raise Failure(str(error)) from None
    print_found(found, as_json)


@click.command()
@json_option
@click.option("--invoices", default=4_000, show_default=True, help="Invoices to print.")
@click.option("--workers", default=2, show_default=True, help="Processes that print at once.")
@click.option("--paper", type=click.Choice(["a5", "thermal"]), default="a5", show_default=True)
def pdf(as_json: bool, invoices: int, workers: int, paper: str) -> None:
    """Invoices from the books to PDF files, beside the library alone drawing the same pages."""
    from benchmarks.papers import measure

    found = measure(invoices, workers, paper, say)
    print_found(found, as_json)


@click.command()
@json_option
@click.option("--accounts", default=10_000, show_default=True, help="Connections in the books.")
@click.option("--workers", default=2, show_default=True, help="Processes that bill them first.")
def office(as_json: bool, accounts: int, workers: int) -> None:
    """How long the server takes for each page of the office, on books with so many accounts and a billed month."""
    from benchmarks.office import measure

    found = measure(accounts, workers, say)
    print_found(found, as_json)
