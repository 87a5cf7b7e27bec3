"""Callbacks that contradict what is known, or that hold what no table can: put aside, and never in the way."""

import json

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from billing.ledger import balance_of
from core.config import Settings
from core.database import transaction
from core.money import Money
from payments.models import Notice, PaymentIntent, Receipt
from payments.settlement import settle
from tests.payments.paying import (
    arrives,
    broken,
    callback,
    house,
    next_door,
    paybill,
    sent,
    state_of,
    texts,
)
from ussd_app.app import create_app

pytestmark = pytest.mark.usefixtures("database", "settings")
NO_TEXT = ("\0", "\ud800")
"""What JSON can say and PostgreSQL cannot keep: a NUL, and half a character."""


@pytest.fixture
def client(settings: Settings) -> FlaskClient:
    return create_app(settings).test_client()


def owed(connection_id: int) -> Money:
    with transaction() as session:
        assert not broken(session)
        return balance_of(session, connection_id)


def nameless(intent: PaymentIntent) -> PaymentIntent:
    """The same attempt, whose answer from Daraja was lost."""
    with transaction() as session:
        lost = session.get_one(PaymentIntent, intent.id)
        lost.checkout_request_id, lost.state = None, "unknown"
    return intent


def test_a_push_is_paid_by_one_receipt() -> None:
    home = house()
    intent = sent(home)
    arrives("stk", callback(), intent.token)
    second = arrives("stk", callback(receipt="NLJ7RT62XX"), intent.token)
    assert (second.outcome, second.note) == ("quarantined", "another receipt than the attempt's")
    assert owed(home.id) == Money.of(-500)


def test_the_money_behind_a_second_receipt_comes_by_the_paybill() -> None:
    home = house()
    intent = sent(home)
    arrives("stk", callback(), intent.token)
    arrives("stk", callback(receipt="NLJ7RT62XX"), intent.token)
    arrives("paybill", paybill(home.account_no, receipt="NLJ7RT62XX"))
    assert owed(home.id) == Money.of(-1000)


def test_a_name_of_another_attempt_is_not_taken() -> None:
    home = house()
    sent(home, checkout="ws_CO_1")
    lost = nameless(sent(home, 700, key="two", checkout="ws_CO_2"))
    notice = arrives("stk", callback(checkout="ws_CO_1", amount=700), lost.token)
    assert notice.note == "another CheckoutRequestID than the attempt's"
    assert owed(home.id) == Money.zero()


def test_a_receipt_in_a_failure_pays_nothing() -> None:
    home = house()
    intent = sent(home)
    body = json.loads(callback())
    body["Body"]["stkCallback"]["ResultCode"] = 1032
    arrives("stk", json.dumps(body).encode(), intent.token)
    assert state_of(intent) == "failed"
    assert owed(home.id) == Money.zero()


@pytest.mark.parametrize("by", ["amount", "account"])
def test_a_receipt_known_as_other_money_is_put_aside(by: str) -> None:
    home = house()
    other = next_door(home, "+254700000002")
    arrives("paybill", paybill(other.account_no) if by == "account" else paybill(home.account_no, amount="400.00"))
    intent = sent(home)
    notice = arrives("stk", callback(), intent.token)
    assert (notice.outcome, notice.note) == ("quarantined", "its receipt is known as other money")
    assert state_of(intent) == "sent"
    assert owed(home.id) == Money.of(0 if by == "account" else -400)


def test_a_receipt_of_another_attempt_is_put_aside() -> None:
    home = house()
    first, second = sent(home), sent(home, key="two", amount=700, checkout="ws_CO_2")
    arrives("stk", callback(), first.token)
    assert arrives("stk", callback(checkout="ws_CO_2", amount=700), second.token).outcome == "quarantined"
    assert state_of(second) == "sent"
    assert owed(home.id) == Money.of(-500)


def test_a_push_takes_its_receipt_out_of_suspense() -> None:
    home = house()
    intent = sent(home)
    arrives("paybill", paybill("house by the river"))
    assert owed(home.id) == Money.zero()
    for _ in range(2):
        arrives("stk", callback(), intent.token)
    assert owed(home.id) == Money.of(-500)
    assert state_of(intent) == "paid"
    with transaction() as session:
        assert session.scalars(select(Receipt)).one().connection_id == home.id
        assert len(texts(session, "receipt")) == 1


def test_a_guessed_receipt_gives_way_to_the_named_one() -> None:
    home = house()
    intent = nameless(sent(home))
    arrives("paybill", paybill(home.account_no, receipt="BYHAND0001"))
    assert state_of(intent) == "paid"
    arrives("stk", callback(), intent.token)
    assert owed(home.id) == Money.of(-1000)
    with transaction() as session:
        assert session.scalars(select(Receipt.receipt).where(Receipt.intent_id == intent.id)).one() == "NLJ7RT61SV"


@pytest.mark.parametrize("sign", NO_TEXT)
@pytest.mark.parametrize("field", ["ResultDesc", "CheckoutRequestID", "MerchantRequestID"])
def test_a_push_is_settled_whatever_signs_it_holds(field: str, sign: str) -> None:
    home = house()
    intent = nameless(sent(home))
    body = json.loads(callback())
    body["Body"]["stkCallback"][field] = f"x{sign}"
    assert arrives("stk", json.dumps(body).encode(), intent.token).outcome == "applied"
    assert owed(home.id) == Money.of(-500)


@pytest.mark.parametrize("sign", NO_TEXT)
@pytest.mark.parametrize("field", ["BillRefNumber", "MSISDN", "TransTime"])
def test_a_paybill_is_settled_whatever_signs_it_holds(
    client: FlaskClient, settings: Settings, field: str, sign: str
) -> None:
    body = json.loads(paybill(house().account_no))
    body[field] = f"x{sign}"
    raw = json.dumps(body).encode()
    answer = client.post(f"/callbacks/{settings.gateway_secret}/paybill/validation", data=raw)
    assert answer.status_code == 200
    assert arrives("paybill", raw).outcome == "applied"


@pytest.mark.parametrize("number", [b"1e99999999999999999999", b"9" * 5000, b"NaN", b"-Infinity"])
def test_a_number_beyond_all_numbers_is_kept_and_put_aside(
    client: FlaskClient, settings: Settings, number: bytes
) -> None:
    body = b'{"Body": {"stkCallback": {"ResultCode": ' + number + b"}}}"
    answer = client.post(f"/callbacks/{settings.gateway_secret}/stk/abc", data=body)
    assert answer.status_code in (200, 400)
    with transaction() as session:
        kept = session.scalars(select(Notice.id)).one()
    settle(kept)
    with transaction() as session:
        assert session.get_one(Notice, kept).outcome == "quarantined"


def test_a_token_of_any_signs_is_kept(client: FlaskClient, settings: Settings) -> None:
    for token in ("%00", "%ff", "a" * 300, "%F0%9F%92%A7"):
        assert client.post(f"/callbacks/{settings.gateway_secret}/stk/{token}", data=callback()).status_code == 200
    with transaction() as session:
        assert session.scalar(select(func.count()).select_from(Notice)) == 4
