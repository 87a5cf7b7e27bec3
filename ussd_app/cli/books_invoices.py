"""`mita books invoices`: a zone's month on paper, as PDF files of a thousand invoices each."""

import multiprocessing
import time
from datetime import datetime
from pathlib import Path

import click

from ussd_app.cli.place import Failure, data_option, with_database

Work = tuple[Path, list[int], str]


@click.command("invoices")
@click.option("--zone", required=True, help="The zone's code.")
@click.option("--month", type=click.DateTime(["%Y-%m"]), required=True, help="The billed month, as 2026-10.")
@click.option("--paper", type=click.Choice(["a5", "thermal"]), default="a5", show_default=True)
@click.option("--to", "folder", type=click.Path(path_type=Path, file_okay=False), default=".", show_default=True)
@click.option("--workers", default=2, show_default=True)
@data_option
def books_invoices(zone: str, month: datetime, paper: str, folder: Path, workers: int, data: Path) -> None:
    """Write the invoices of a zone's month as PDF."""
    with with_database(data):
        from billing.pdf.making import IN_A_FILE

        ids = _ids(zone, month)
        folder.mkdir(parents=True, exist_ok=True)
        work: list[Work] = [
            (
                folder / f"invoices-{zone}-{month:%Y-%m}-{1 + first // IN_A_FILE:03d}.pdf",
                ids[first : first + IN_A_FILE],
                paper,
            )
            for first in range(0, len(ids), IN_A_FILE)
        ]
        begun = time.perf_counter()
        with multiprocessing.get_context("spawn").Pool(max(1, min(workers, len(work)))) as pool:
            for file in pool.imap(_written, work):
                click.echo(file)
    click.echo(f"{len(ids)} invoices in {time.perf_counter() - begun:.1f} s", err=True)


def _ids(code: str, month: datetime) -> list[int]:
    from sqlalchemy import select

    from billing.models import Zone
    from billing.pdf.making import invoices_of
    from core.database import transaction

    with transaction() as session:
        zone_id = session.scalar(select(Zone.id).where(Zone.code == code))
        if zone_id is None:
            raise Failure(f"There is no zone {code!r}.")
        return invoices_of(session, zone_id, month.date())


def _written(work: Work) -> Path:
    """One file; in a process of its own, with the settings that the command has put into the environment."""
    from billing.pdf.facts import papers
    from billing.pdf.making import pdf
    from core.database import transaction

    file, ids, paper = work
    with transaction() as session:
        made = pdf(papers(session, ids), paper)
    file.write_bytes(made)
    return file
