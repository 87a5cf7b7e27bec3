"""Files of imports that go out: templates, and rows to be mended and uploaded once more."""

import io
import json
from collections.abc import Iterator, Sequence

import xlsxwriter
from flask import Response, abort, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from admin_web.access import AUDITORS, EVERYONE, page
from admin_web.imports import MAY, is_one_of
from billing.importing.kind import Kind
from billing.importing.kinds import KINDS
from billing.importing.models import ImportFile, ImportRow
from core.database import transaction
from core.spreadsheets import MARK, csv_line

TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "jsonl": "application/x-ndjson; charset=utf-8",
}
FAILED = ("wrong", "skipped", "kept")
AT_ONCE = 1_000


@page("/imports/templates/<kind>.<form>", roles=EVERYONE)
def import_template(_session: Session, kind: str, form: str) -> ResponseReturnValue:
    """An empty list with one row as an example."""
    if kind not in KINDS or form not in TYPES:
        abort(404)
    return as_file(template(KINDS[kind], form), f"{kind}.{form}", form)


@page("/imports/<int:file_id>/rows.csv", roles=EVERYONE)
def import_rows(session: Session, file_id: int) -> ResponseReturnValue:
    """The rows of a file with what became of each: those that failed, or all of them (`all=1`)."""
    file = session.get(ImportFile, file_id) or abort(404)
    if not is_one_of(MAY[file.kind] | AUDITORS):
        abort(403)
    everything = "all" in request.args
    name = f"{file.kind}-{file.id}-{'all' if everything else 'to-mend'}.csv"
    return as_file(_lines(file.id, file.headers, everything), name, "csv")


def as_file(body: Iterator[str] | bytes, name: str, form: str) -> Response:
    """An answer that browsers save."""
    answer = Response(body, content_type=TYPES[form])
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def template(kind: Kind, form: str) -> bytes:
    """Headers and an example in one of three forms; the workbook explains its columns on a second sheet."""
    headers = [column.name for column in kind.columns]
    example = [column.example for column in kind.columns]
    if form == "csv":
        return (MARK + csv_line(headers) + csv_line(example)).encode()
    if form == "jsonl":
        said = {column.name: _said(column.example) for column in kind.columns if column.example}
        return (json.dumps(said, ensure_ascii=False) + "\n").encode()
    held = io.BytesIO()
    with xlsxwriter.Workbook(held, {"in_memory": True, "strings_to_formulas": False}) as book:
        bold = book.add_format({"bold": True})
        text = book.add_format({"num_format": "@"})
        sheet, notes = book.add_worksheet(kind.title), book.add_worksheet("Columns")
        sheet.set_column(0, len(headers) - 1, 18, text)
        sheet.write_row(0, 0, headers, bold)
        for place, cell in enumerate(example):
            sheet.write_string(1, place, cell, text)
        notes.write_row(0, 0, ("Column", "Needed", "What it is"), bold)
        notes.set_column(0, 0, 18)
        notes.set_column(2, 2, 80)
        for row, column in enumerate(kind.columns, 1):
            notes.write_row(row, 0, (column.name, "yes" if column.required else "", column.about))
    return held.getvalue()


def _said(example: str) -> object:
    return json.loads(example) if example.startswith("{") else example


def _lines(file_id: int, headers: Sequence[str], everything: bool) -> Iterator[str]:
    """The error stands on the left, where one reads first; uploaded again, that column means nothing."""
    kept = [place for place, header in enumerate(headers) if header.casefold() not in ("error", "state", "made")]
    extra = ("error", "state", "made") if everything else ("error",)
    yield MARK + csv_line([*extra, *(headers[place] for place in kept)])
    after = 0
    while True:
        with transaction() as session:
            rows = _some(session, file_id, after, everything)
        for row in rows:
            made = " ".join(str(value) for value in (row.made or {}).values())
            told = (row.error, row.state, made) if everything else (row.error,)
            yield csv_line([*told, *(row.raw[place] if place < len(row.raw) else "" for place in kept)])
        if len(rows) < AT_ONCE:
            return
        after = rows[-1].number


def _some(session: Session, file_id: int, after: int, everything: bool) -> Sequence[ImportRow]:
    query = select(ImportRow).where(ImportRow.file_id == file_id, ImportRow.number > after)
    if not everything:
        query = query.where(ImportRow.state.in_(FAILED))
    return session.scalars(query.order_by(ImportRow.number).limit(AT_ONCE)).all()
