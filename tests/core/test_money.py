"""Money is exact, and reads as people write it."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.money import Money, round_to_minor


@pytest.mark.parametrize(
    ("minor", "currency", "shown"),
    [
        (125_000, "KES", "KES 1,250"),
        (125_050, "KES", "KES 1,250.50"),
        (5, "KES", "KES 0.05"),
        (-99_999_999, "KES", "KES -999,999.99"),
        (1500, "UGX", "UGX 1,500"),
        (0, "KES", "KES 0"),
    ],
)
def test_is_shown_in_plain_ascii(minor: int, currency: str, shown: str) -> None:
    assert str(Money(minor, currency)) == shown


@pytest.mark.parametrize("wrong", ["1.005", "abc", "", "NaN", "Infinity"])
def test_refuses_what_is_no_whole_count_of_cents(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"not an amount|whole number"):
        Money.of(wrong)


def test_currencies_do_not_mix() -> None:
    with pytest.raises(ValueError, match="does not mix"):
        Money(1, "KES") + Money(1, "UGX")
    with pytest.raises(TypeError):
        Money(1.5)  # type: ignore[arg-type]


@given(st.integers(-(10**15), 10**15))
def test_major_and_back(minor: int) -> None:
    assert Money.of(Money(minor).major) == Money(minor)


def test_rounds_half_up() -> None:
    assert round_to_minor(Decimal("1.005")) == Money(101)
    assert round_to_minor(Decimal("-1.005")) == Money(-101)
    assert round_to_minor(Decimal("1.0049")) == Money(100)
    assert round_to_minor(Decimal("0.5"), "UGX") == Money(1, "UGX")
