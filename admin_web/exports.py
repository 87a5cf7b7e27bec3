"""A list as a file, filtered as on the screen: CSV as it is read from the database, or a workbook."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import xlsxwriter
from flask import Response, abort
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from admin_web.access import page
from admin_web.lists import Cells, Column, Listing
from admin_web.paging import key_of, rows_after
from core.config import settings
from core.database import transaction
from core.money import Money
from core.spreadsheets import MARK, csv_line

Row = TypeVar("Row")
AT_ONCE = 1_000
MOST_IN_A_SHEET = 1_048_575
TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def exported(listing: Listing[Row], roles: frozenset[str]) -> None:
    """Give a list a page that is its file: /customers.csv, /customers.xlsx with the list's own filters."""

    def view(session: Session, form: str) -> ResponseReturnValue:
        if form not in TYPES:
            abort(404)
        asked = listing.asked()
        columns = listing.shown(asked)
        body = as_csv(listing, asked, columns) if form == "csv" else as_workbook(listing, asked, columns)
        answer = Response(body, content_type=TYPES[form])
        answer.headers["Content-Disposition"] = f'attachment; filename="{listing.endpoint}.{form}"'
        return answer

    view.__name__ = f"{listing.endpoint}_file"
    page(f"/{listing.endpoint}/file.<form>", roles=roles)(view)


def as_csv(listing: Listing[Row], asked: Mapping[str, str], columns: Sequence[Column]) -> Iterator[str]:
    """Line by line: what is in memory is a thousand rows, however many there are."""
    yield MARK + csv_line([column.title for column in columns])
    for rows in _batches(listing, asked):
        yield "".join(csv_line([plain(row.get(column.name)) for column in columns]) for row in rows)


def as_workbook(listing: Listing[Row], asked: Mapping[str, str], columns: Sequence[Column]) -> Iterator[bytes]:
    """A workbook of one sheet, with headers that stay; numbers and days are numbers and days in it."""
    with closing(tempfile.TemporaryFile()) as file:
        options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        with xlsxwriter.Workbook(file, options) as book:
            sheet = book.add_worksheet(listing.title[:31])
            bold, day = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd"})
            sheet.freeze_panes(1, 0)
            sheet.write_row(0, 0, [column.title for column in columns], bold)
            number = 0
            for rows in _batches(listing, asked):
                for row in rows[: MOST_IN_A_SHEET - number]:
                    number += 1
                    for place, column in enumerate(columns):
                        _write(sheet, number, place, row.get(column.name), day)
        file.seek(0)
        while part := file.read(64 * 1024):
            yield part


def plain(value: object) -> object:
    """A cell as a file has it: money in major units, moments with their offset, several things with semicolons."""
    if isinstance(value, Money):
        return value.major
    if isinstance(value, datetime):
        return value.astimezone(ZoneInfo(settings().utility_zone)).isoformat(timespec="seconds")
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, date):
        return value.isoformat()
    return "; ".join(str(one) for one in value) if isinstance(value, list) else value


def _write(sheet: Any, row: int, place: int, value: object, day: Any) -> None:
    if isinstance(value, bool) or value is None:
        sheet.write_string(row, place, "" if value is None else "yes" if value else "no")
    elif isinstance(value, Money | Decimal | int):
        sheet.write_number(row, place, value.major if isinstance(value, Money) else value)
    elif isinstance(value, date) and not isinstance(value, datetime):
        sheet.write_datetime(row, place, value, day)
    else:
        sheet.write_string(row, place, str(plain(value)))


def _batches(listing: Listing[Row], asked: Mapping[str, str]) -> Iterator[list[Cells]]:
    """The rows in the list's order, each thousand in a short transaction of its own."""
    after: list[object] | None = None
    while True:
        with transaction() as session:
            query = listing.chosen(session, asked)
            rows = rows_after(session, query, listing.keys, after, AT_ONCE, newest_first=listing.newest_first)
            cells = listing.cells(session, rows)
        yield cells
        if len(rows) < AT_ONCE:
            return
        after = key_of(rows[-1], listing.keys)
