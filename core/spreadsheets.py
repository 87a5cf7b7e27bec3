"""Rows for people's spreadsheets: CSV that says its encoding, and no cell that is taken for a formula."""

import csv
import io
import re
from collections.abc import Sequence

MARK = "\ufeff"
"""Excel reads CSV as UTF-8 only where it begins with this."""
FORMULA = ("=", "+", "-", "@", "\t", "\r")
HARMLESS = re.compile(r"[-+]?\d[\d,]*(\.\d+)?")


def guarded(cell: object) -> str:
    """The cell as text; what a spreadsheet would run begins with an apostrophe (OWASP, "CSV Injection").

    Numbers stay as they are, "-12.50" too; a phone such as "+254…" is guarded, or Excel would make 2.5E+11 of it.
    """
    said = "" if cell is None else str(cell)
    if said.startswith(FORMULA) and not (HARMLESS.fullmatch(said) and not said.startswith("+")):
        return "'" + said
    return said


def unguarded(cell: str) -> str:
    """The cell before it was guarded: a file that went out may come in again."""
    return cell[1:] if cell.startswith(tuple("'" + sign for sign in FORMULA)) else cell


def csv_line(cells: Sequence[object]) -> str:
    """One line of CSV (RFC 4180), its cells guarded."""
    held = io.StringIO()
    csv.writer(held).writerow([guarded(cell) for cell in cells])
    return held.getvalue()
