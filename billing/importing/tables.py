"""Uploaded bytes as headers and rows: CSV in any usual encoding, Excel and its relatives, JSON Lines."""

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import NamedTuple

import python_calamine as calamine

from core.spreadsheets import unguarded

MOST_ROWS = 100_000
LARGEST = 20 * 1024 * 1024
LARGEST_UNPACKED = 250 * 1024 * 1024
MOST_COLUMNS = 60
LONGEST_CELL = 20_000
HEADER_LINES = 200  # of a JSON Lines file, whose objects together name the columns

Cell = str | int | float | bool | time | date | datetime | object


class Record(NamedTuple):
    """A row: its number as a spreadsheet shows it, a cell for each column, and what is wrong with its form."""

    number: int
    cells: list[str]
    fault: str


@dataclass(frozen=True, slots=True)
class Table:
    """A file's columns and its rows; `encoding` says how it was understood."""

    headers: list[str]
    rows: Iterator["Record"]
    encoding: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why nothing can be read: 'empty', 'unreadable' (not the kind of file it looks like) or 'limits'."""

    kind: str
    says: str


def open_table(content: bytes) -> Table | Unreadable:
    """The table in a file. What kind of file it is shows in its first bytes; a name proves nothing."""
    if len(content) > LARGEST:
        return Unreadable("limits", f"The file is larger than {LARGEST // 1024 // 1024} MB. Part it in two.")
    if content[:4] == b"PK\x03\x04" or content[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        return _excel(content)
    if content[:5] == b"%PDF-" or content[:2] == b"\x1f\x8b":
        return Unreadable("unreadable", "This is no table. Save it as CSV or Excel.")
    decoded = _decoded(content)
    if isinstance(decoded, Unreadable):
        return decoded
    said, encoding = decoded
    if not said.strip():
        return Unreadable("empty", "The file is empty.")
    if said.lstrip()[:1] in "{[":
        return _json_lines(said, encoding)
    return _csv(said, encoding)


def _decoded(content: bytes) -> tuple[str, str] | Unreadable:
    for mark, encoding, words in (
        (b"\xef\xbb\xbf", "utf-8-sig", "UTF-8"), (b"\xff\xfe", "utf-16", "UTF-16"), (b"\xfe\xff", "utf-16", "UTF-16"),
    ):  # fmt: skip
        if content.startswith(mark):
            try:
                return content.decode(encoding), words
            except UnicodeDecodeError:
                return Unreadable("unreadable", f"It says that it is {words}, but it is not. Save it once more.")
    if content[1:40:2].count(0) > 5:  # UTF-16 that does not say so: every second byte of Latin letters is 0
        return content.decode("utf-16-le", "replace"), "UTF-16"
    try:
        return content.decode("utf-8"), "UTF-8"
    except UnicodeDecodeError:
        pass
    try:
        return content.decode("cp1252"), "Windows-1252"
    except UnicodeDecodeError:
        return Unreadable("unreadable", "Its letters cannot be read. Save it as “CSV UTF-8”.")


def _csv(said: str, encoding: str) -> Table | Unreadable:
    first = next((line for line in said.splitlines() if line.strip()), "")
    delimiter = max(",;\t|", key=first.count)
    reader = csv.reader(io.StringIO(said, newline=""), delimiter=delimiter)

    def records() -> Iterator[list[str]]:
        try:
            yield from reader
        except csv.Error:  # a quotation mark that is never closed, or a cell without an end
            yield [""] * MOST_COLUMNS + ["a quotation mark that is never closed, or one very long cell"]

    return _headed(records(), encoding)


def _excel(content: bytes) -> Table | Unreadable:
    try:
        if content[:2] == b"PK":
            with zipfile.ZipFile(io.BytesIO(content)) as packed:
                if sum(part.file_size for part in packed.infolist()) > LARGEST_UNPACKED:
                    return Unreadable("limits", "The workbook is too large. Part it in two, or save it as CSV.")
        book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        for name in book.sheet_names:
            sheet = book.get_sheet_by_name(name)
            if sheet.total_height:
                return _headed(_cells(sheet), f"Excel, sheet “{name}”")
    except (calamine.CalamineError, zipfile.BadZipFile, OSError, ValueError) as error:
        locked = isinstance(error, calamine.PasswordError)
        return Unreadable("unreadable", "It is protected by a password." if locked else "This is no Excel file.")
    return Unreadable("empty", "The file is empty.")


def _cells(sheet: calamine.CalamineSheet) -> Iterator[list[str]]:
    for row in sheet.iter_rows():
        yield [_written(cell) for cell in row]


def _written(cell: Cell) -> str:
    """A cell as a person would type it. Excel keeps fifteen digits of a number; what is behind them is noise."""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        return format(Decimal(format(cell, ".15g")), "f")
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time(0) else cell.isoformat(" ")
    return cell.isoformat() if isinstance(cell, date | time) else str(cell)


def _headed(records: Iterator[list[str]], encoding: str) -> Table | Unreadable:
    """The first row that is not empty names the columns; blank rows count, so that numbers are a spreadsheet's."""
    for number, record in enumerate(records, 1):
        if any(cell.strip() for cell in record):
            headers = [_clean(cell) for cell in record]
            while headers and not headers[-1]:
                headers.pop()
            if len(headers) > MOST_COLUMNS:
                return Unreadable("limits", f"The file has more than {MOST_COLUMNS} columns.")
            return Table(headers, _numbered(records, number, len(headers)), encoding)
    return Unreadable("empty", "The file is empty.")


def _numbered(records: Iterator[list[str]], number: int, width: int) -> Iterator[Record]:
    for record in records:
        number += 1
        cells = [_clean(cell) for cell in record]
        if any(cells):
            beyond = ", ".join(cell for cell in cells[width:] if cell)
            fault = f"There is more in it than columns: {beyond[:200]}." if beyond else ""
            yield Record(number, (cells + [""] * width)[:width], fault)


def _json_lines(said: str, encoding: str) -> Table | Unreadable:
    whole = said.lstrip().startswith("[")
    try:
        parts = json.loads(said, parse_float=Decimal) if whole else said.splitlines()
    except (ValueError, RecursionError):
        return Unreadable("unreadable", "This is no JSON. Write one object in each line.")
    headers: dict[str, None] = {}
    for part in parts[:HEADER_LINES]:
        found = part if whole else _object(part)
        headers |= dict.fromkeys(_clean(str(name)) for name in found) if isinstance(found, dict) else {}
    if not headers:
        return Unreadable("unreadable", "No line is an object such as {“name”: “Amina”}.")
    names = list(headers)[:MOST_COLUMNS]

    def rows() -> Iterator[Record]:
        for number, part in enumerate(parts, 1):
            found = part if whole else _object(part)
            if isinstance(found, dict):
                yield Record(number, [_clean(_json_cell(found.get(name))) for name in names], "")
            elif whole or part.strip():
                yield Record(number, ["" for _ in names], "This line is no JSON object.")

    return Table(names, rows(), encoding + ", JSON Lines")


def _object(line: str) -> object:
    try:
        return json.loads(line, parse_float=Decimal)
    except (ValueError, RecursionError):
        return None


def _json_cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return json.dumps(value, default=str, ensure_ascii=False) if isinstance(value, dict | list) else str(value)


def _clean(cell: str) -> str:
    """Without blanks around it, and without what PostgreSQL keeps in no text."""
    cell = unguarded(cell.replace("\xa0", " ").strip())
    if "\x00" in cell or not cell.isprintable():
        cell = cell.encode("utf-8", "replace").decode().replace("\x00", "�")
    return cell
