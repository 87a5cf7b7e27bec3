"""`mita import FILE`: a list of customers, connections, meters, readings or money into the books."""

import csv
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ussd_app.cli.place import Failure, data_option, json_option, print_json, with_database

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

KINDS = ("tariffs", "customers", "connections", "meters", "balances", "readings", "payments")
DAYS = ("iso", "dmy", "mdy")
NAMED = 20


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--kind", type=click.Choice(KINDS), required=True, help="What is in the file.")
@click.option("--days", type=click.Choice(DAYS), default="iso", show_default=True, help="How days are written in it.")
@click.option("--dry-run", is_flag=True, help="Read and check it; nothing comes into the books.")
@click.option("--failed", type=click.Path(path_type=Path, dir_okay=False), help="Write the rows to mend here, as CSV.")
@json_option
@data_option
def import_file(
    file: Path, kind: str, days: str, dry_run: bool, failed: Path | None, as_json: bool, data: Path
) -> None:
    """Bring FILE (CSV, Excel or JSON Lines) in: its valid rows, or none with --dry-run.

    Exit code 0: all rows are in (or would be). 1: the file cannot be read. 2: some rows are not.
    """
    with with_database(data):
        from billing.importing import applying, reading
        from core.database import transaction

        by = "command line"
        with transaction() as session:
            file_id = reading.keep(session, kind, file.name, file.read_bytes(), days=days, by=by).id
        _worked(reading.read_rows, file_id)
        if dry_run:
            with transaction() as session:
                applying.drop(session, file_id)
        else:
            with transaction() as session:
                applying.start(session, file_id, by)
            _worked(applying.take_batch, file_id)
        told = _outcome(file_id)
        if failed is not None:
            _write_failed(file_id, failed)
    _say(told, dry_run=dry_run, as_json=as_json)


def _worked(step: "Callable[[Session, int], bool]", file_id: int) -> None:
    """Do all of a job's steps here, each in a transaction of its own; a worker that does the same does no harm."""
    from core.database import transaction

    more = True
    while more:
        with transaction() as session:
            more = step(session, file_id)


def _outcome(file_id: int) -> dict[str, object]:
    from sqlalchemy import select

    from billing.importing.models import ImportFile, ImportRow
    from core.database import transaction

    with transaction() as session:
        file = session.get_one(ImportFile, file_id)
        rows = session.scalars(
            select(ImportRow)
            .where(ImportRow.file_id == file_id, ImportRow.state.in_(("wrong", "skipped")))
            .order_by(ImportRow.number)
            .limit(NAMED)
        )
        return {
            "import": file.id, "refused": (file.problem or {}).get("says", ""), "valid": file.valid,
            "wrong": file.wrong, "made": file.made, "skipped": file.skipped,
            "errors": [{"row": row.number, "error": row.error} for row in rows],
        }  # fmt: skip


def _write_failed(file_id: int, to: Path) -> None:
    from sqlalchemy import select

    from billing.importing.models import ImportFile, ImportRow
    from core.database import transaction
    from core.spreadsheets import guarded

    with transaction() as session, to.open("w", encoding="utf-8-sig", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["error", *session.get_one(ImportFile, file_id).headers])
        rows = select(ImportRow).where(ImportRow.file_id == file_id, ImportRow.state.in_(("wrong", "skipped")))
        for row in session.scalars(rows.order_by(ImportRow.number).execution_options(yield_per=1_000)):
            writer.writerow([guarded(cell) for cell in (row.error, *row.raw)])


def _say(told: dict[str, object], *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        print_json(told)
    if told["refused"]:
        raise Failure(str(told["refused"]))
    if not as_json:
        errors = told["errors"]
        assert isinstance(errors, list)
        for one in errors:
            click.echo(f"row {one['row']}: {one['error']}", err=True)
        done = f"{told['valid']} rows can be imported" if dry_run else f"{told['made']} rows imported"
        click.echo(f"{done}, {told['wrong']} with errors, {told['skipped']} skipped.")
        if not dry_run:
            click.echo(f"Look at it, or take it back, at /office/imports/{told['import']}")
    if told["wrong"] or told["skipped"]:
        sys.exit(2)
