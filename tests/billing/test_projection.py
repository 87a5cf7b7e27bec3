"""What a month will use: the level, the season, the interval, each on months that are known by heart."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.months import months_before
from billing.projection import point, project

TARGET = date(2026, 11, 1)


def known(*daily: float) -> list[tuple[date, float]]:
    """Months up to the one before TARGET."""
    return [(months_before(TARGET, len(daily) - at), use) for at, use in enumerate(daily)]


def test_without_a_year_it_is_the_trimmed_mean_of_the_last_six() -> None:
    assert point(known(99, 10, 12, 50, 11, 0, 13), TARGET, {}) == pytest.approx((10 + 12 + 11 + 13) / 4)
    assert point(known(10, 20), TARGET, {}) == 15
    assert point(known(10, 20, 90), TARGET, {}) == 20


def test_with_a_year_it_is_that_month_at_todays_level() -> None:
    year = [10.0] * 11
    assert point(known(40, *year), TARGET, {}) == 40
    grown = known(*[10.0] * 6, 40, *[10.0] * 5, *[20.0] * 6)  # a year before TARGET it was 40
    assert point(grown, TARGET, {}) == 80
    moved_in = known(*[1.0] * 12, *[10.0] * 6)
    assert point(moved_in, TARGET, {}) == 10  # ten times as much is another household
    assert point(known(0, *[0.0] * 5, *[10.0] * 12), TARGET, {}) == 10


def test_with_the_zones_season_it_is_the_level_in_it() -> None:
    seasons = {months_before(TARGET, back): 2.0 if back in (1, 12) else 1.0 for back in range(1, 13)}
    assert point(known(10, 10, 20), TARGET, seasons) == 20  # last month was dry, and so is the one to come
    seasons[months_before(TARGET, 12)] = 1.0
    assert point(known(10, 10, 20), TARGET, seasons) == 10
    del seasons[months_before(TARGET, 12)]
    assert point(known(10, 10, 20), TARGET, seasons) == 10  # nobody knows the season to come: the plain mean


def test_the_interval_is_of_its_own_errors() -> None:
    assert project([], TARGET) is None
    few = project(known(*[10.0] * 6), TARGET)
    assert few is not None
    assert (few.daily, few.low, few.high) == (10, None, None)
    even = project(known(*[10.0] * 12), TARGET)
    assert even is not None
    assert (even.low, even.high) == (10, 10)
    wild = project(known(10, 30, 10, 30, 10, 30, 10, 30, 10, 30), TARGET)
    assert wild is not None
    assert wild.low is not None
    assert wild.high is not None
    assert wild.low < wild.daily - 5 < wild.daily + 5 < wild.high


@given(st.lists(st.floats(0, 1000), min_size=1, max_size=30), st.integers(0, 3))
def test_whatever_was_used_it_is_within_its_interval_and_not_negative(daily: list[float], ahead: int) -> None:
    months = [(months_before(TARGET, len(daily) + ahead - at), use) for at, use in enumerate(daily)]
    made = project(months, TARGET)
    assert made is not None
    assert made.daily >= 0
    if made.low is not None and made.high is not None:
        assert 0 <= made.low <= made.daily <= made.high
