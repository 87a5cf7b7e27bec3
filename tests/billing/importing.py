"""Files as offices have them, brought in as the office does and worked on as a worker does."""

import io
from collections.abc import Sequence

import xlsxwriter
from sqlalchemy import select
from sqlalchemy.orm import Session

from billing.importing import applying, reading
from billing.importing.models import ImportFile, ImportRow

BY = "office amina"


def csv_of(*rows: str, encoding: str = "utf-8") -> bytes:
    return "\r\n".join(rows).encode(encoding)


def excel_of(*rows: Sequence[object]) -> bytes:
    held = io.BytesIO()
    book = xlsxwriter.Workbook(held, {"default_date_format": "dd/mm/yyyy"})
    sheet = book.add_worksheet("List")
    for number, row in enumerate(rows):
        for column, cell in enumerate(row):
            sheet.write(number, column, cell)
    book.close()
    return held.getvalue()


def brought(session: Session, kind: str, content: bytes, *, days: str = "iso") -> ImportFile:
    return reading.keep(session, kind, "list.csv", content, days=days, by=BY)


def taken(session: Session, kind: str, content: bytes, **how: str) -> ImportFile:
    """Brought in, confirmed, and worked through."""
    file = brought(session, kind, content, **how)
    assert file.status == "ready", file.problem
    assert applying.start(session, file.id, BY)
    while applying.take_batch(session, file.id):
        pass
    return file


def taken_back(session: Session, file: ImportFile) -> ImportFile:
    assert applying.undo(session, file.id, BY)
    while applying.undo_batch(session, file.id):
        pass
    return file


def rows_of(session: Session, file: ImportFile) -> dict[int, tuple[str, str]]:
    """Row number -> its state and what is wrong with it."""
    rows = session.scalars(select(ImportRow).where(ImportRow.file_id == file.id).order_by(ImportRow.number))
    return {row.number: (row.state, row.error) for row in rows}
