"""Asked too often: nothing is lost, nobody is told a failure, and all workers ask less until it is well again."""

from datetime import timedelta
from typing import Any

import pytest

from core.clock import frozen, now
from core.database import transaction
from core.outbox import Outbox
from payments import jobs
from payments.models import PaymentIntent
from payments.wallets.pace import LONGEST_GAP_S, gap_of, take_place
from payments.wallets.registry import wallet
from tests.payments.answering import PUSH, QUERY, Server, error
from tests.payments.paying import house, sent, state_of, texts
from tests.payments.test_push import TAKEN, asked

pytestmark = pytest.mark.usefixtures("database", "settings")
TOO_MANY: tuple[int, Any] = (429, error("429", "Spike arrest violation. Allowed rate : 5 per minute"))
WAITS: tuple[int, Any] = (200, {"ResponseCode": "0", "ResultCode": "4999", "ResultDesc": "still under processing"})


def gap() -> float:
    with transaction() as session:
        return gap_of(session, "mpesa")


def has_place() -> bool:
    with transaction() as session:
        return take_place(session, wallet("mpesa"))[0]


def questions(intent: PaymentIntent) -> int:
    with transaction() as session:
        return session.get_one(PaymentIntent, intent.id).polls


def test_a_question_that_was_refused_does_not_count(server: Server) -> None:
    intent = sent(house())
    with transaction() as session:
        session.get_one(PaymentIntent, intent.id).polls = 3
    server.answers[QUERY] = [TOO_MANY]
    jobs.query(intent.id)
    assert questions(intent) == 2
    with transaction() as session:
        again = session.get_one(PaymentIntent, intent.id).next_poll_at
    assert again is not None
    assert again <= now() + timedelta(seconds=15)
    assert state_of(intent) == "sent"


def test_the_gap_is_learnt_and_unlearnt_by_all(server: Server) -> None:
    intent, begun = sent(house()), now()
    gaps = []
    for step in range(8):
        with frozen(begun + timedelta(minutes=step)):
            server.answers[QUERY] = [TOO_MANY]
            jobs.query(intent.id)
            gaps.append(gap())
            assert not has_place()  # nobody asks for a while
    assert gaps == [1, 2, 4, 8, 16, LONGEST_GAP_S, LONGEST_GAP_S, LONGEST_GAP_S]
    for step in range(30):
        with frozen(begun + timedelta(minutes=20 + step)):
            server.answers[QUERY] = [WAITS]
            jobs.query(intent.id)
    assert gap() == 0
    with frozen(begun + timedelta(hours=1)):
        assert has_place()
        assert has_place()


def test_a_push_that_was_one_too_many_goes_out_a_little_later(server: Server) -> None:
    intent = asked()
    server.answers[PUSH] = [TOO_MANY, (200, TAKEN)]
    jobs.push(intent.id)
    assert state_of(intent) == "created"
    with transaction() as session:
        assert session.query(Outbox).filter(Outbox.job == "payments.push", Outbox.subject_id == intent.id).count() == 2
    jobs.push(intent.id)
    assert state_of(intent) == "sent"
    with transaction() as session:
        assert texts(session, "notice") == []


def test_a_push_that_never_gets_through_is_told_in_the_end(server: Server) -> None:
    intent = asked()
    server.answers[PUSH] = [TOO_MANY]
    with frozen(now() + timedelta(seconds=70)):
        jobs.push(intent.id)
    assert state_of(intent) == "failed"
    with transaction() as session:
        assert "Nothing was paid" in texts(session, "notice")[0]
