"""A refund through the wallet: asked for once or under the same reference, booked when it is known to be paid."""

from dataclasses import dataclass, field

import pytest
from sqlalchemy import select

from core.clock import now
from core.database import sessions, transaction
from core.messages import Message
from core.money import Money
from core.outbox import Outbox
from payments import refunds
from payments.cashier import in_account
from payments.models import Receipt
from payments.move_models import MoneyMove
from payments.mpesa_models import MpesaRequest
from payments.operations import HEARD
from payments.receipts import Credit, MoneyIn, credit
from payments.refunds import owed, refund, send
from payments.thanks import payers_phone
from payments.wallets.protocol import Accepted, Facts, Refund, Refused, Unknown
from tests.payments.paying import arrives, broken, callback, house, paybill, sent

pytestmark = pytest.mark.usefixtures("database", "settings")


@dataclass
class Bank:
    """A wallet that pays each reference once, and whose answers are lost as told."""

    answers: list[Accepted | Refused | Unknown]
    resend_is_safe: bool = True
    asked: list[Refund] = field(default_factory=list)
    name = "mtn"
    label = "MTN MoMo"

    @property
    def facts(self) -> Facts:
        return Facts(
            resend_is_safe=self.resend_is_safe, callback_has_amount=True, callback_has_token=True,
            status_is_final=True, needs_confirmation=True, refunds=True, most=1_000_000, patience_s=60,
        )  # fmt: skip

    def refund(self, asked: Refund) -> Accepted | Refused | Unknown:
        self.asked.append(asked)
        return self.answers[len(self.asked) - 1]


def promised(wallet: Bank, monkeypatch: pytest.MonkeyPatch, phone: str = "+254700000001") -> int:
    """A refund of 300 out of a payment of 500 that came by this wallet."""
    monkeypatch.setattr(refunds, "wallets", lambda: {"mtn": wallet})
    home = house()
    with transaction() as session:
        paid = MoneyIn("MTN0000001", Money.of(500), phone, home.account_no, now(), home, None, "mtn", "ours")
        assert credit(session, paid) is Credit.FRESH
        receipt = session.scalars(select(Receipt)).one()
        made = refund(session, receipt.id, home.id, Money.of(300), "paid too much", "amina")
        assert isinstance(made, MoneyMove)
        assert session.scalars(select(Outbox.subject_id).where(Outbox.job == "payments.refund")).all() == [made.id]
        return made.id


def payout(move_id: int) -> str | None:
    with transaction() as session:
        assert not broken(session)
        return session.get_one(MoneyMove, move_id).payout


def test_it_is_booked_when_the_wallet_has_taken_it_and_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    wallet = Bank([Accepted()])
    move_id = promised(wallet, monkeypatch)
    assert payout(move_id) == "owed"
    send(move_id)
    send(move_id)
    assert payout(move_id) == "paid"
    assert len(wallet.asked) == 1
    with transaction() as session:
        assert in_account(session, "cash:mtn") == Money.of(200)
        assert in_account(session, "refunds") == Money.of(0)
        assert owed(session) == []


def test_a_lost_answer_is_asked_again_under_the_same_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    wallet = Bank([Unknown("ReadTimeout"), Accepted()])
    move_id = promised(wallet, monkeypatch)
    send(move_id)
    assert payout(move_id) == "unknown"
    send(move_id)
    assert payout(move_id) == "paid"
    assert wallet.asked[0].reference == wallet.asked[1].reference


def test_where_our_reference_is_not_known_there_it_waits_for_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    wallet = Bank([Unknown("ReadTimeout"), Accepted()], resend_is_safe=False)
    move_id = promised(wallet, monkeypatch)
    send(move_id)
    send(move_id)
    assert payout(move_id) == "unknown"
    assert len(wallet.asked) == 1


def test_a_refusal_and_a_payer_without_a_number_are_finances(monkeypatch: pytest.MonkeyPatch) -> None:
    wallet = Bank([Refused("PAYEE_NOT_FOUND", "no such wallet")])
    move_id = promised(wallet, monkeypatch)
    send(move_id)
    assert payout(move_id) == "failed"
    with transaction() as session:
        assert "no such wallet" in owed(session)[0].payout_note
        session.scalars(select(Receipt)).one().phone = "2547 ***** 126"
    send(move_id)
    assert payout(move_id) == "failed"
    assert len(wallet.asked) == 1


@pytest.mark.parametrize(("state", "ends"), [("done", "paid"), ("failed", "failed")])
def test_m_pesa_reverses_a_whole_payment(monkeypatch: pytest.MonkeyPatch, state: str, ends: str) -> None:
    monkeypatch.setattr(refunds, "initiator", lambda: object())
    home = house()
    arrives("paybill", paybill(home.account_no, receipt="REV0000001"))
    with sessions()() as session:  # never committed
        receipt_id = session.scalars(select(Receipt.id)).one()
        part = refund(session, receipt_id, home.id, Money.of(100), "a part", "amina")
        assert isinstance(part, MoneyMove)
        assert part.payout == "owed"
    with transaction() as session:
        whole = refund(session, receipt_id, home.id, Money.of(500), "all of it", "amina")
        assert isinstance(whole, MoneyMove)
        assert whole.payout == "sending"
        request = session.scalars(select(MpesaRequest)).one()
        assert (request.kind, request.receipt, request.amount_minor) == ("reversal", "REV0000001", 50_000)
        request.state = state
        session.flush()
        HEARD["reversal"](session, request)
    assert payout(whole.id) == ends
    with transaction() as session:
        assert in_account(session, "cash:mpesa") == Money.of(0 if state == "done" else 500)


def test_a_masked_number_is_nobodys() -> None:
    """What is left of it when the stars are gone may be somebody else's number."""
    home = house()
    arrives("paybill", paybill(home.account_no, receipt="MASK000001"))
    with transaction() as session:
        receipt = session.scalars(select(Receipt)).one()
        assert receipt.phone == "2547 ***** 126"
        assert payers_phone(session, receipt) is None
        receipt.phone = "254700000001"
        assert payers_phone(session, receipt) == "+254700000001"


def test_the_thanks_go_to_the_phone_of_the_attempt_though_the_receipt_is_masked() -> None:
    home = house()
    intent = sent(home)
    arrives("paybill", paybill("mistyped"))
    arrives("stk", callback(), intent.token)
    with transaction() as session:
        receipt = session.scalars(select(Receipt)).one()
        assert (receipt.phone, receipt.connection_id) == ("2547 ***** 126", home.id)
        assert session.scalars(select(Message.phone).where(Message.kind == "receipt")).all() == [intent.phone]
