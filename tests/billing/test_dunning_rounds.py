"""A round goes over all debtors part by part, and tells or charges each once."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

import billing.dunning_rounds
from billing.arrears import debtors
from billing.dunning_rounds import JOB, go_on, open_rounds, start_round
from billing.jobs import go_on_with_dunning
from billing.ledger import Leg, post
from billing.models import Connection, CreditPolicy, DunningRound, DunningStep, LedgerEntry
from core.clock import frozen
from core.outbox import Outbox
from tests.billing.estate import Estate, broken

OWE = 5


@pytest.fixture(autouse=True)
def _today() -> Iterator[None]:
    with frozen(datetime(2026, 4, 20, 9, tzinfo=UTC)):
        yield


@pytest.fixture
def homes(session: Session, monkeypatch: pytest.MonkeyPatch) -> list[Connection]:
    """Five that owe since February and one that does not; a part of a round is two of them."""
    monkeypatch.setattr(billing.dunning_rounds, "WINDOW", 2)
    estate = Estate(session)
    homes = [estate.connection(f"+25470000000{place}") for place in range(OWE + 1)]
    for home in homes[:OWE]:
        legs = [Leg("receivable", 100_00, home.id), Leg("opening", -100_00)]
        post(session, "debit_note", f"opening:{home.id}", legs, due_on=date(2026, 2, 1))
    for policy in session.scalars(select(CreditPolicy)):
        policy.late_fee_minor = 10_00
    session.flush()
    return homes


def test_debtors_come_in_windows(session: Session, homes: list[Connection]) -> None:
    first = debtors(session, 0, 2)
    assert (first.upto, first.more) == (homes[1].id, True)
    last = debtors(session, homes[3].id, 2)
    assert not last.more
    assert last.upto > homes[5].id


@pytest.mark.parametrize(("kind", "made"), [("steps", DunningStep), ("fees", LedgerEntry)])
def test_a_round_goes_on_until_everybody_is_done(
    session: Session, homes: list[Connection], kind: str, made: type[DunningStep | LedgerEntry]
) -> None:
    before = session.scalar(select(func.count()).select_from(made)) or 0
    one = start_round(session, kind, "amina")
    assert (one.taken, one.done_at) == (2, None)
    assert start_round(session, kind, "brian").id == one.id  # one of a kind at a time
    session.commit()
    handed = session.scalars(select(Outbox.subject_id).where(Outbox.job == JOB)).all()
    assert handed == [one.id]
    for _ in range(4):
        go_on_with_dunning(one.id)
    session.expire_all()
    assert session.get_one(DunningRound, one.id).taken == OWE
    assert open_rounds(session) == {}
    assert session.scalar(select(func.count()).select_from(made)) == before + OWE
    again = start_round(session, kind, "amina")
    go_on(session, again.id)
    go_on(session, again.id)
    assert again.taken == 0
    assert broken(session) == []
