"""The day is right when the provider, the ledger and the bank say the same; otherwise it is work."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from billing.moments import here
from core.database import transaction
from core.money import Money
from payments.closing import close
from payments.desk_models import DeskDay
from payments.matching_models import DayClosing, DayDifference
from payments.models import Receipt
from payments.reconciliation import (
    ClosingRefusal,
    channels,
    close_day,
    days,
    decide_difference,
    differences,
    note_line,
    prepare,
    prepare_lately,
)
from tests.payments.paying import arrives, house, paybill
from tests.payments.test_cashier import opened, taken

pytestmark = pytest.mark.usefixtures("database", "settings")


def yesterday() -> date:
    return here() - timedelta(days=1)


def paid_yesterday(*numbers: str, to: str = "") -> None:
    account_no = to or house().account_no
    for number in numbers:
        arrives("paybill", paybill(account_no, receipt=number))
    with transaction() as session:
        session.execute(update(Receipt).values(paid_at=Receipt.created_at - timedelta(days=1)))


def listed(session: Session, *rows: tuple[str, int]) -> None:
    for number, minor in rows:
        note_line(session, "mpesa", "600100", number, minor, yesterday(), "1000017", "pull")


def figures(session: Session, channel: str = "mpesa") -> DayClosing:
    return next(one for one in prepare(session, yesterday()) if one.channel == channel)


def test_a_day_that_agrees_is_closed_by_a_person() -> None:
    paid_yesterday("AAAAAAAAAA", "BBBBBBBBBB")
    with transaction() as session:
        listed(session, ("AAAAAAAAAA", 50_000), ("BBBBBBBBBB", 50_000))
        one = figures(session)
        assert (one.provider_minor, one.ledger_minor, one.bank_minor) == (100_000, 100_000, 0)
        assert differences(session) == []
        assert close_day(session, here(), "amina") == ClosingRefusal("today")
        assert close_day(session, yesterday(), "amina", "all seen") is None
        assert close_day(session, yesterday(), "baraka") == ClosingRefusal("closed")
        assert {one.closed_by for one in days(session, yesterday(), yesterday())} == {"amina"}
        assert len(days(session, yesterday(), here())) == len(channels())


def test_each_kind_of_difference_is_found_and_decided() -> None:
    paid_yesterday("AAAAAAAAAA", "BBBBBBBBBB", "CCCCCCCCCC")
    with transaction() as session:
        listed(session, ("AAAAAAAAAA", 50_000), ("BBBBBBBBBB", 49_000), ("DDDDDDDDDD", 100))
        prepare(session, yesterday())
        found = {one.reference: one for one in differences(session)}
        assert {number: one.kind for number, one in found.items()} == {
            "BBBBBBBBBB": "amount", "CCCCCCCCCC": "not_at_provider", "DDDDDDDDDD": "not_in_ledger",
        }  # fmt: skip
        assert close_day(session, yesterday(), "amina") == ClosingRefusal("open")
        for one in found.values():
            assert not decide_difference(session, one.id, "  ", "amina")
            assert decide_difference(session, one.id, "asked Safaricom, ticket 7", "amina")
            assert not decide_difference(session, one.id, "again", "amina")
        prepare(session, yesterday())
        assert differences(session) == []
        assert close_day(session, yesterday(), "amina") is None


def test_what_comes_late_takes_the_difference_away_and_new_ones_open_the_day_again() -> None:
    paid_yesterday("AAAAAAAAAA")
    with transaction() as session:
        listed(session, ("AAAAAAAAAA", 50_000), ("EEEEEEEEEE", 50_000))
        prepare(session, yesterday())
        assert [one.kind for one in differences(session)] == ["not_in_ledger"]
    paid_yesterday("EEEEEEEEEE", to="nobody's")
    prepare_lately()
    with transaction() as session:
        assert differences(session) == []
        assert close_day(session, yesterday(), "amina") is None
        listed(session, ("FFFFFFFFFF", 700))
    prepare_lately()
    with transaction() as session:
        assert [one.reference for one in differences(session, yesterday()) if one.status == "open"] == ["FFFFFFFFFF"]
        assert figures(session).status == "open"


def test_without_the_providers_list_nothing_is_claimed() -> None:
    paid_yesterday("AAAAAAAAAA")
    with transaction() as session:
        one = figures(session)
        assert (one.provider_minor, one.ledger_minor) == (None, 50_000)
        assert session.scalars(select(DayDifference)).all() == []


def test_a_drawer_that_was_short_is_work_until_somebody_has_seen_it() -> None:
    home = house()
    day = opened()
    taken(home.id, 500)
    with transaction() as session:
        close(session, day.id, {200: 2}, 0, Money(0), "lost a note", "amina")
        session.execute(update(Receipt).values(paid_at=Receipt.created_at - timedelta(days=1)))
        session.execute(update(DeskDay).values(day=yesterday()))
    with transaction() as session:
        one = figures(session, "cash")
        assert (one.provider_minor, one.ledger_minor) == (40_000, 50_000)
        (found,) = differences(session)
        assert (found.kind, found.reference) == ("drawer", "amina")
