"""Fifty copies of one callback at once, and callbacks that somebody made up, over real HTTP."""

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from werkzeug.serving import make_server

from billing.ledger import balance_of
from billing.models import Connection
from core.config import Settings
from core.database import transaction
from core.messages import Message
from core.money import Money
from core.outbox import Outbox
from payments.models import Notice, PaymentIntent, Receipt
from tests.payments.paying import broken, callback, house, paybill, sent, state_of
from ussd_app.app import create_app
from ussd_app.jobs import load, run_job

pytestmark = pytest.mark.usefixtures("database", "settings")
COPIES, AT_ONCE = 50, 16


@pytest.fixture
def service(settings: Settings) -> Iterator[str]:
    """The address of our callbacks, served by threads."""
    load()
    http = make_server("127.0.0.1", 0, create_app(settings), threaded=True)
    thread = threading.Thread(target=http.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{http.server_port}/callbacks/{settings.gateway_secret}"
    http.shutdown()
    thread.join()
    http.server_close()


def post(url: str, body: bytes) -> int:
    return requests.post(url, data=body, headers={"Content-Type": "application/json"}, timeout=30).status_code


def all_work() -> None:
    """Every job of the payments, by several workers at once, each job handed to two of them."""
    while True:
        with transaction() as session:
            due = select(Outbox.id).where(Outbox.done_at.is_(None), Outbox.job == "payments.settle")
            rows = session.scalars(due).all()
        if not rows:
            return
        with ThreadPoolExecutor(8) as workers:
            list(workers.map(run_job, [*rows, *rows]))


def owed(home: Connection) -> Money:
    with transaction() as session:
        assert not broken(session)
        return balance_of(session, home.id)


def outcomes() -> "Counter[str | None]":
    with transaction() as session:
        return Counter(session.scalars(select(Notice.outcome)))


@pytest.mark.parametrize("kind", ["push", "paybill"])
def test_fifty_copies_at_once_are_one_credit_and_one_receipt(service: str, kind: str) -> None:
    home = house()
    intent = sent(home)
    url, body = (
        (f"{service}/stk/{intent.token}", callback())
        if kind == "push"
        else (f"{service}/paybill/confirmation", paybill(home.account_no))
    )
    with ThreadPoolExecutor(AT_ONCE) as senders:
        answers = list(senders.map(lambda _copy: post(url, body), range(COPIES)))
    assert set(answers) == {200}
    all_work()
    assert outcomes() == {"applied": 1, "duplicate": COPIES - 1}
    assert owed(home) == Money.of(-500)
    with transaction() as session:
        assert session.scalar(select(func.count()).select_from(Receipt)) == 1
        assert session.scalar(select(func.count()).select_from(Message).where(Message.kind == "receipt")) == 1


def test_the_push_and_its_twin_at_once_are_one_credit(service: str) -> None:
    home = house()
    intent = sent(home)
    letters = [
        (f"{service}/stk/{intent.token}", callback()), (f"{service}/paybill/confirmation", paybill(home.account_no))
    ] * 20  # fmt: skip
    with ThreadPoolExecutor(AT_ONCE) as senders:
        assert set(senders.map(lambda letter: post(*letter), letters)) == {200}
    all_work()
    assert outcomes() == {"applied": 1, "duplicate": len(letters) - 1}
    assert owed(home) == Money.of(-500)
    assert state_of(intent) == "paid"


def forged(service: str, intent: PaymentIntent, home: Connection, lie: str) -> tuple[str, bytes]:
    stk, confirmation = f"{service}/stk/{intent.token}", f"{service}/paybill/confirmation"
    return {
        "token": (f"{service}/stk/{'0' * 40}", callback()),
        "amount": (stk, callback(amount=501.0)),
        "short code": (confirmation, paybill(home.account_no, shortcode="123456")),
        "id": (stk, callback(checkout="ws_CO_666")),
    }[lie]


@pytest.mark.parametrize(
    ("lie", "why"),
    [
        ("token", "no attempt has this token"),
        ("amount", "another amount than was asked for"),
        ("short code", "another short code than ours"),
        ("id", "another CheckoutRequestID than the attempt's"),
    ],
)
def test_a_made_up_callback_credits_nothing_and_is_put_aside(service: str, lie: str, why: str) -> None:
    home = house()
    intent = sent(home)
    assert post(*forged(service, intent, home, lie)) == 200
    all_work()
    with transaction() as session:
        (notice,) = session.scalars(select(Notice)).all()
        assert (notice.outcome, notice.note) == ("quarantined", why)
        assert session.scalar(select(func.count()).select_from(Receipt)) == 0
    assert owed(home) == Money.zero()
    assert state_of(intent) == "sent"


def test_who_does_not_know_the_address_learns_nothing(service: str) -> None:
    intent = sent(house())
    assert post(f"{service[:-4]}xxxx/stk/{intent.token}", callback()) == 404
    assert outcomes() == Counter()


def test_the_database_itself_refuses_a_second_row_of_a_receipt(service: str) -> None:
    home = house()
    assert post(f"{service}/paybill/confirmation", paybill(home.account_no)) == 200
    all_work()
    with transaction() as session:
        first = session.scalars(select(Receipt)).one()
        columns = {column.name for column in Receipt.__table__.columns} - {"id"}
        twin = Receipt(**{name: getattr(first, name) for name in columns})
    with pytest.raises(IntegrityError, match="uq_receipt_number"), transaction() as session:
        session.add(twin)
