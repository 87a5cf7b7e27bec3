"""A number is understood however it is written, and never printed whole in a log."""

import pytest

from core.phone import local, mask, parse_phone


@pytest.mark.parametrize(
    "raw", ["0700000001", "+254700000001", "254700000001", "0700 000 001", "+254-700-000-001", " 0700000001 "]
)
def test_any_way_of_writing_it(raw: str) -> None:
    assert parse_phone(raw) == "+254700000001"


@pytest.mark.parametrize("raw", ["", "hello", "12", "+", "9" * 60, "😀", "07000000011234"])
def test_garbage_is_no_number(raw: str) -> None:
    assert parse_phone(raw) is None


def test_mask_and_local() -> None:
    assert mask("+254700000001") == "+2547****0001"
    assert mask("12") == "****"
    assert local("+254700000001") == "0700 000001"
