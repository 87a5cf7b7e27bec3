"""`mita export --all DIR`: everything that the utility has, a file for each table, as PostgreSQL copies it out."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

import click

from ussd_app.cli.place import Failure, data_option, with_database

if TYPE_CHECKING:
    from psycopg import Cursor

# Passwords, second steps and who is logged in are no data of the utility's; neither are the forms that were sent.
LEFT_OUT = {"alembic_version", "office_session", "sent_form", "login_throttle", "outbox", "ledger_unsettled"}
HIDDEN = {
    "customer": {"pin_hash"}, "office_user": {"password_hash", "totp_sealed"}, "recovery_code": {"code_hash"},
    "import_file": {"content"},
}  # fmt: skip


@click.command("export")
@click.option("--all", "folder", type=click.Path(path_type=Path, file_okay=False), required=True, metavar="DIR")
@click.option("--format", "form", type=click.Choice(["csv", "jsonl"]), default="csv", show_default=True)
@data_option
def export(folder: Path, form: str, data: Path) -> None:
    """Write every table into DIR, all of them as of one moment. What is written is streamed, however much it is.

    PINs, passwords and log-ins are left out. Files are made anew; a folder with others in it is refused.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise Failure(f"{folder} is not empty. Name another folder.")
    with with_database(data):
        written = list(_written(folder, form))
    rows = sum(count for _name, count in written)
    (folder / "contents.json").write_text(json.dumps(dict(written), indent=1) + "\n")
    click.echo(f"{len(written)} tables with {rows:,} rows are in {folder}")


def _written(folder: Path, form: str) -> Iterator[tuple[str, int]]:
    from core.database import engine

    raw = engine().raw_connection()
    try:
        with cast("Cursor[Any]", raw.cursor()) as cursor:
            # One snapshot for all tables: an invoice and its entry in the books are both there, or neither.
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            cursor.execute(
                "SELECT table_name, array_agg(column_name::text ORDER BY ordinal_position)"
                " FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)"
                " WHERE table_schema = 'public' AND table_type = 'BASE TABLE' GROUP BY 1 ORDER BY 1"
            )
            for table, columns in cursor.fetchall():
                if table in LEFT_OUT:
                    continue
                shown = [f'"{column}"' for column in columns if column not in HIDDEN.get(table, ())]
                path = folder / f"{table}.{form}"
                with path.open("wb") as out:
                    yield table, _copied(cursor, _query(table, shown, form), out)
    finally:
        raw.rollback()
        raw.close()


def _query(table: str, columns: list[str], form: str) -> str:
    chosen = f'SELECT {", ".join(columns)} FROM "{table}"'  # noqa: S608  names from the catalog, quoted
    if form == "csv":
        return f"COPY ({chosen}) TO STDOUT (FORMAT csv, HEADER true)"
    # As CSV with marks that JSON never holds, so that COPY leaves its backslashes alone.
    return f"COPY (SELECT to_json(t) FROM ({chosen}) t) TO STDOUT (FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02')"  # noqa: S608


def _copied(cursor: "Cursor[Any]", query: str, out: IO[bytes]) -> int:
    with cursor.copy(query.encode()) as copy:
        for part in copy:
            out.write(part)
    return max(cursor.rowcount, 0)
