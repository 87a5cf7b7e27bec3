"""M-Pesa's own list: read in windows, kept once, credited once, and missed loudly."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from billing.ledger import balance_of
from core.clock import frozen, now
from core.database import transaction
from core.money import Money
from payments import janitor, jobs, pulling
from payments.intents import move
from payments.models import Notice, PaymentIntent
from payments.mpesa_models import PullRun
from payments.settlement import settle
from tests.payments.answering import PULL, QUERY, Server, error
from tests.payments.paying import arrives, broken, callback, house, paybill, receipts, sent, state_of, texts

pytestmark = pytest.mark.usefixtures("database", "settings")
NONE: tuple[int, Any] = (200, {"ResponseCode": "1001", "Response": [[]]})
PAID = (200, {"ResponseCode": "0", "ResultCode": "0", "ResultDesc": "ok"})


def row(**changes: object) -> dict[str, object]:
    return {
        "transactionId": "NLJ7RT61SV", "trxDate": "2026-11-21T10:13:00Z", "msisdn": 254700000001,
        "transactiontype": "c2b-pay-bill-debit", "amount": 500.0, "organizationname": "-", **changes,
    }  # fmt: skip


def page(*rows: dict[str, object]) -> tuple[int, Any]:
    return 200, {"ResponseRefID": "r", "ResponseCode": "1000", "ResponseMessage": "Success", "Response": [list(rows)]}


def read(kind: str = "quick") -> PullRun:
    """A reading of the list, and what came of it; its notices are settled."""
    with transaction() as session:
        run = pulling.begin(session, kind, now() - timedelta(hours=1))
    pulling.read_list(run.id)
    with transaction() as session:
        news = list(session.scalars(select(Notice.id).where(Notice.outcome.is_(None)).order_by(Notice.id)))
    for notice_id in news:
        settle(notice_id)
    with transaction() as session:
        assert not broken(session)
        return session.get_one(PullRun, run.id)


def nameless(intent: PaymentIntent) -> None:
    """The answer to the push was lost."""
    with transaction() as session:
        session.get_one(PaymentIntent, intent.id).checkout_request_id = None
        move(session, intent.id, "unknown", ["sent"])


@pytest.mark.parametrize("lost", ["callback", "answer and callback"])
def test_what_was_lost_is_in_the_list(server: Server, lost: str) -> None:
    home = house()
    intent = sent(home)
    if lost == "callback":
        server.answers[QUERY] = [PAID]
        jobs.query(intent.id)
    else:
        nameless(intent)
    rows = row(billreference=home.account_no), row(billreference="other", transactionId="NLJ7RT61SW")
    server.answers[PULL] = [page(*rows), NONE] * 2
    assert (read().fresh, read().fresh) == (2, 0)
    assert state_of(intent) == "paid"
    with transaction() as session:
        assert balance_of(session, home.id) == Money.of(-500)
        assert receipts(session) == 2  # the other one lies in suspense


def test_pages_are_asked_for_until_there_is_none(server: Server) -> None:
    home = house()
    each = [row(billreference=home.account_no, transactionId=f"NLJ7RT6{n:03}") for n in range(5)]
    server.answers[PULL] = [page(*each[:3]), page(*each[3:]), NONE]
    run = read("day")
    assert (run.outcome, run.rows, run.fresh) == ("done", 5, 5)
    assert [body["OffSetValue"] for path, body in server.asked if path == PULL] == ["0", "3", "5"]
    with transaction() as session:
        assert balance_of(session, home.id) == Money.of(-2500)


@pytest.mark.parametrize("rows", [[], [[]], [[[]]], None])
def test_none_has_many_shapes(server: Server, rows: object) -> None:
    server.answers[PULL] = [(200, {"ResponseCode": "1001", "Response": rows})]
    assert (read().outcome, read_notices()) == ("done", 0)


@pytest.mark.parametrize("answer", [(500, ""), (429, error("429", "-")), (200, {"ResponseCode": "0"}), (405, "")])
def test_a_reading_that_failed_is_no_reading(server: Server, answer: tuple[int, Any]) -> None:
    server.answers[PULL] = [page(row(billreference="x")), answer]
    run = read()
    assert (run.outcome, run.rows) == ("failed", 1)
    with transaction() as session:
        assert receipts(session) == 1  # what was heard before is kept


def read_notices() -> int:
    with transaction() as session:
        return session.scalar(select(func.count()).select_from(Notice)) or 0


def test_money_that_came_by_another_road_is_not_credited_again(server: Server) -> None:
    home = house()
    arrives("paybill", paybill(home.account_no))
    server.answers[PULL] = [page(row(billreference=home.account_no)), NONE]
    assert read().fresh == 0
    with transaction() as session:
        assert balance_of(session, home.id) == Money.of(-500)
        assert len(texts(session, "receipt")) == 1


def test_a_row_that_says_other_money_is_put_aside_once(server: Server) -> None:
    home = house()
    intent = sent(home)
    arrives("stk", callback(), intent.token)
    nameless(sent(home, 501, key="two", checkout="ws_CO_2"))
    rows = row(billreference=home.account_no, amount=501.0, transactionId="nlj7rt61sv")
    server.answers[PULL] = [page(rows), NONE] * 2
    read(), read()
    with transaction() as session:
        assert balance_of(session, home.id) == Money.of(-500)


def test_every_ten_minutes_the_last_hours_and_once_a_day_all(server: Server) -> None:
    begun = now()
    for minute in range(0, 25 * 60, 5):
        with frozen(begun + timedelta(minutes=minute)):
            pulling.sweep()
            with transaction() as session:
                waiting = session.scalars(select(PullRun.id).where(PullRun.ended_at.is_(None))).all()
            for run_id in waiting:
                server.answers[PULL] = [NONE]
                pulling.read_list(run_id)
    with transaction() as session:
        runs = session.scalars(select(PullRun).order_by(PullRun.id)).all()
    assert [run.kind for run in runs].count("day") == 2
    assert len(runs) == 150
    assert {round((run.window_ends - run.window_begins) / timedelta(hours=1)) for run in runs} == {6, 48}


def test_an_outage_is_made_up_for_and_people_are_told_in_time(server: Server) -> None:
    begun = now()
    server.answers[PULL] = [NONE]
    assert read("day").outcome == "done"
    with frozen(begun + timedelta(hours=20)):
        pulling.sweep()
        with transaction() as session:
            run = session.scalars(select(PullRun).order_by(PullRun.id.desc()).limit(1)).one()
            assert run.window_begins <= begun + timedelta(minutes=5)  # nothing lies between the two
            assert pulling.unread_since(session) is None
    with frozen(begun + timedelta(hours=39)), transaction() as session:
        assert pulling.unread_since(session) is not None


def test_a_receipt_that_is_here_already_is_found_without_asking(server: Server) -> None:
    home = house()
    intent = sent(home)
    arrives("paybill", paybill(home.account_no))
    assert state_of(intent) == "sent"
    server.answers[QUERY] = [PAID]
    jobs.query(intent.id)
    assert state_of(intent) == "confirmed"
    janitor.sweep()
    assert state_of(intent) == "paid"
    with transaction() as session:
        assert not broken(session)
        assert balance_of(session, home.id) == Money.of(-500)


def test_many_that_wait_read_the_list_once() -> None:
    home = house()
    for number in range(3):
        nameless(sent(home, 100 + number, key=f"k{number}", checkout=f"ws_{number}"))
    with frozen(now() + timedelta(minutes=1)):
        janitor.sweep()
    with transaction() as session:
        assert session.scalar(select(func.count()).select_from(PullRun)) == 1
