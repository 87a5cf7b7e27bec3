"""The two notices of one payment at the same moment: neither waits for the other for ever."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from sqlalchemy.orm import Session

from billing.ledger import balance_of
from core.database import transaction
from core.money import Money
from payments import settlement
from payments.models import PaymentIntent
from payments.notices import store_notice
from payments.receipts import Credit, MoneyIn, credit
from payments.settlement import settle
from tests.payments.paying import broken, callback, house, paybill, receipts, sent, state_of, texts

pytestmark = pytest.mark.usefixtures("database", "settings")
MEET_S = 1.0


def test_a_push_and_its_twin_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is held back just before it posts until the other is there too, or is seen to wait."""
    home = house()
    intent = sent(home)
    with transaction() as session:
        lost = session.get_one(PaymentIntent, intent.id)
        lost.checkout_request_id, lost.state = None, "unknown"
        push = store_notice(session, "stk", callback(), token=intent.token, headers={}, remote_addr="")
        twin = store_notice(session, "paybill", paybill(home.account_no), token=None, headers={}, remote_addr="")
    both = threading.Barrier(2)

    def meeting(session: Session, paid: MoneyIn) -> Credit:
        with suppress(threading.BrokenBarrierError):  # the other waits for a lock of ours, as it should
            both.wait(MEET_S)
        return credit(session, paid)

    monkeypatch.setattr(settlement, "credit", meeting)
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(settle, push.id), pool.submit(settle, twin.id)]:
            done.result(timeout=20)
    assert state_of(intent) == "paid"
    with transaction() as session:
        assert balance_of(session, home.id) == Money.of(-500)
        assert receipts(session) == 1
        assert len(texts(session, "receipt")) == 1
        assert not broken(session)
