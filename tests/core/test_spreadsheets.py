"""What goes into people's spreadsheets is text, and comes back as it went."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.spreadsheets import csv_line, guarded, unguarded


@pytest.mark.parametrize("cell", ["=1+1", "+254700000001", "@SUM(A1)", "-2+3", "\tx", "\r=1", "-cmd", "=", "-"])
def test_what_a_spreadsheet_would_run_is_text(cell: str) -> None:
    assert guarded(cell) == "'" + cell


@pytest.mark.parametrize("cell", ["-12.50", "-1,250", "1250", "Amina", "", "2026-11-21", "a=1"])
def test_numbers_and_words_stay_as_they_are(cell: str) -> None:
    assert guarded(cell) == cell


@given(st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])))
def test_every_cell_comes_back(cell: str) -> None:
    line = next(csv.reader(io.StringIO(csv_line([cell, "end"]), newline="")))
    assert line[0][:1] not in "=+@" or not line[0]
    if not cell.startswith("'"):
        assert unguarded(line[0]) == cell
