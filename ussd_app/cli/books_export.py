"""`mita books export`: the journal for the accountant's own program."""

from datetime import datetime
from pathlib import Path
from typing import TextIO

import click

from ussd_app.cli.place import data_option, with_database

DAY = click.DateTime(["%Y-%m-%d"])


@click.command("export")
@click.option("--format", "kind", type=click.Choice(["csv", "tally"]), default="csv", show_default=True)
@click.option("--from", "first", type=DAY, required=True, help="The first day.")
@click.option("--to", "last", type=DAY, required=True, help="The last day.")
@click.argument("file", type=click.File("w", encoding="utf-8", lazy=True), default="-")
@data_option
def books_export(kind: str, first: datetime, last: datetime, file: TextIO, data: Path) -> None:
    """Write the journal of some days to FILE, as CSV or as XML for Tally."""
    with with_database(data):
        from billing.journal_export import FORMATS
        from core.database import transaction

        with transaction() as session:
            for part in FORMATS[kind](session, first.date(), last.date()):
                file.write(part)
