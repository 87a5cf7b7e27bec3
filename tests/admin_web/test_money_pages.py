"""What people do with money, by the pages: suspense, transfers, approvals, the desk, the bank, the day, the notices."""

import re
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from billing.ledger import balance_of
from billing.models import Connection
from billing.moments import here
from core.database import transaction
from core.messages import Message
from core.money import Money
from core.outbox import Outbox
from payments import settlement
from payments.intents import move as move_state
from payments.matching_models import BankLine, DayClosing
from payments.models import Notice, PaymentIntent, Receipt
from payments.move_models import MoneyMove
from payments.notices import store_notice
from payments.reconciliation import note_line, prepare
from tests.admin_web.conftest import Browser
from tests.payments.paying import arrives, broken, callback, house, next_door, paybill, sent

pytestmark = pytest.mark.usefixtures("database", "settings")


def balance(place: Connection) -> Money:
    with transaction() as session:
        assert not broken(session)
        return balance_of(session, place.id)


def receipt_of(number: str) -> int:
    with transaction() as session:
        return session.scalars(select(Receipt.id).where(Receipt.receipt == number)).one()


def in_suspense(said: str, number: str = "SUS0000001", amount: str = "500") -> int:
    arrives("paybill", paybill(said, receipt=number, amount=amount))
    return receipt_of(number)


def test_money_in_suspense_is_credited_after_a_second_look(accountant: Browser) -> None:
    home = house()
    receipt_id = in_suspense(home.account_no[:-1] + str((int(home.account_no[-1]) + 1) % 10))
    text = accountant.get("/payments/suspense").text
    assert "one slip of the thumb" in text
    assert home.account_no in text
    path = f"/payments/receipts/{receipt_id}/allocate"
    assert "Credit an account" in accountant.get(f"{path}?to={home.account_no}").text
    for query, said in [("to=77&amount=500&reason=x", "no such account"), ("amount=500&reason=x", "no such account"),
                        (f"to={home.account_no}&amount=500.001&reason=x", "At most 2 digits"),
                        (f"to={home.account_no}&amount=501&reason=x", "From 0.01 to KES 500"),
                        (f"to={home.account_no}&amount=500&reason=", "Fill this in")]:  # fmt: skip
        answer = accountant.get(f"{path}?{query}")
        assert (answer.status_code, said in answer.text) == (422, True), query
    look = accountant.get(f"{path}?to={home.account_no}&amount=500&reason=She+called")
    assert look.status_code == 200
    assert "In credit" in look.text  # the balance after it
    assert balance(home) == Money.of(0)
    form = {"to": home.account_no, "amount": "500", "reason": "She called"}
    tokens = accountant.tokens(f"{path}?to={home.account_no}&amount=500&reason=She+called")
    for _ in range(2):  # the second click leads to the same page and does nothing
        assert accountant.client.post(f"/office{path}", data=tokens | form).status_code == 303
    assert balance(home) == Money.of(-500)
    text = accountant.get(f"/payments/receipts/{receipt_id}").text
    assert "She called" in text
    assert "office user-accountant" in text
    assert "Every payment has its account" in accountant.get("/payments/suspense").text


def test_a_wrong_account_is_put_right_and_over_the_limit_by_two(accountant: Browser, administrator: Browser) -> None:
    home = house()
    other = next_door(home, "+254700000009")
    arrives("paybill", paybill(home.account_no, receipt="BIG0000001", amount="9000"))
    path = f"/payments/receipts/{receipt_of('BIG0000001')}/transfer?at={home.account_no}"
    form = {"to": other.account_no, "amount": "9,000", "reason": "she mistyped", "at": home.account_no}
    look = accountant.get(f"{path}&to={other.account_no}&amount=9000&reason=x").text
    assert "a second person decides" in look
    tokens = accountant.tokens(f"{path}&to={other.account_no}&amount=9000&reason=x")
    assert accountant.client.post(f"/office{path}", data=tokens | form).status_code == 303
    assert balance(other) == Money.of(0)
    with transaction() as session:
        move_id = session.scalars(select(MoneyMove.id)).one()
    assert "Take back" in accountant.get("/payments/approvals").text
    accountant.post(f"/payments/approvals/{move_id}", form_on="/payments/approvals", do="approve")
    assert balance(other) == Money.of(0)  # who asked may not approve
    assert "Approve" in administrator.get("/payments/approvals").text
    administrator.post(f"/payments/approvals/{move_id}", form_on="/payments/approvals", do="approve")
    assert (balance(home), balance(other)) == (Money.of(0), Money.of(-9000))
    assert "BIG0000001" in administrator.get("/payments/approvals?show=posted").text


def test_a_refund_is_finances_until_it_is_paid_out(accountant: Browser) -> None:
    receipt_id = in_suspense("nobody")
    path = f"/payments/receipts/{receipt_id}/refund"
    tokens = accountant.tokens(f"{path}?amount=200&reason=x")
    accountant.client.post(f"/office{path}", data=tokens | {"amount": "200", "reason": "not our customer"})
    assert "not our customer" in accountant.get("/payments/refunds").text
    with transaction() as session:
        move_id = session.scalars(select(MoneyMove.id)).one()
    for form in ({"way": "drawer", "note": "signed"}, {"way": "bank"}, {"way": "sea", "note": "x"}):
        accountant.post(f"/payments/refunds/{move_id}", form_on="/payments/refunds", do="paid", **form)
    with transaction() as session:
        assert session.get_one(MoneyMove, move_id).payout == "owed"
    accountant.post(f"/payments/refunds/{move_id}", form_on="/payments/refunds", do="paid", way="bank", note="T77")
    with transaction() as session:
        assert session.get_one(MoneyMove, move_id).payout == "paid"
        assert not broken(session)
    assert "Nothing to pay out" in accountant.get("/payments/refunds").text


def taken(accountant: Browser, **form: str) -> int:
    query = "&".join(f"{name}={value}" for name, value in form.items())
    answer = accountant.client.post("/office/desk/take", data=accountant.tokens(f"/desk/take?{query}") | form)
    assert answer.status_code == 303, answer.text
    found = re.search(r"/receipts/(\d+)", answer.location)
    assert found
    return int(found[1])


def test_a_day_at_the_desk(accountant: Browser, administrator: Browser) -> None:
    home = house()
    assert "Open your day" in accountant.get("/desk").text
    pay = {"account": home.account_no, "amount": "1,500", "method": "cash", "payer": "Wanjiku"}
    shut = accountant.get(f"/desk/take?account={home.account_no}&amount=5&payer=W")
    assert shut.status_code == 422
    assert "This day is closed" in shut.text
    accountant.post("/desk/open", form_on="/desk", office="HQ")
    receipt_id = taken(accountant, **pay)
    assert "HQ-000001" in accountant.get("/desk").text
    assert balance(home) == Money.of(-1500)
    paper = accountant.get(f"/payments/receipts/{receipt_id}/paper")
    assert paper.mimetype == "application/pdf"
    assert accountant.client.get(f"/office/payments/receipts/{receipt_id}/paper").data == paper.data  # always the same
    cheque = taken(accountant, **(pay | {"method": "cheque", "amount": "800", "reference": "000451", "bank": "KCB"}))
    again = accountant.get(
        f"/desk/take?account={home.account_no}&amount=8&payer=W&method=cheque&reference=000451&bank=KCB"
    )
    assert "was taken before" in again.text
    accountant.post(f"/payments/receipts/{cheque}/bounce", reason="refer to drawer")
    assert balance(home) == Money.of(-1500)
    with transaction() as session:
        bodies = session.scalars(select(Message.body)).all()
    assert any("did not pay cheque 000451" in body for body in bodies)
    day = re.search(r"/desk/days/(\d+)/close", accountant.get("/desk").text)
    assert day
    path = f"/desk/days/{day[1]}/close"
    short = accountant.post(path, **{"face-1000": "1", "face-200": "2", "kept": "400"})
    assert short.status_code == 422
    assert "You counted KES 1,400, the books say KES 1,500" in short.text
    assert "whole number" in accountant.post(path, **{"face-1000": "x"}).text
    assert (
        accountant.post(
            path, **{"face-1000": "1", "face-200": "2", "kept": "400", "reason": "wrong change"}
        ).status_code
        == 303
    )
    assert "wrong change" in administrator.get(f"/desk/days/{day[1]}").text
    assert "user-accountant" in administrator.get("/desk/days").text
    accountant.post("/desk/open", form_on="/desk", office="HQ")
    assert "takes no more entries" in accountant.get("/desk").text
    balance(home)


def test_another_cashiers_day_is_not_mine_to_close(
    accountant: Browser,
    administrator: Browser,
) -> None:
    administrator.post("/desk/open", form_on="/desk", office="HQ")
    assert accountant.get("/desk/days/1/close").status_code == 403
    assert administrator.get("/desk/days/1/close").status_code == 200
    assert accountant.get("/desk/days/9").status_code == 404


STATEMENT = b"Date,Description,Ref,Credit,Debit\n2026-11-05,JANE DEPOSIT,1,100,\n2026-11-05,FEE,2,,30\nsoon,x,,1,\n"


def test_a_bank_statement_is_seen_before_it_is_kept(accountant: Browser) -> None:
    assert accountant.get("/bank/new").status_code == 200
    nothing = accountant.post("/bank/new", file=(BytesIO(b"rubbish"), "x.csv"))
    assert (nothing.status_code, "no table" in nothing.text) == (422, True)
    seen = accountant.post("/bank/new", file=(BytesIO(STATEMENT), "nov.csv"))
    assert "2 lines, 1 rows that cannot be read" in seen.text
    assert "“soon” is no day" in seen.text
    with transaction() as session:
        assert session.scalars(select(BankLine)).all() == []
    fields = dict(re.findall(r'<input type="hidden" name="([\w-]+)" value="([^"]*)"', seen.text))
    for expected in ("2 lines are kept", "imported before"):
        tokens = accountant.tokens("/bank/new")
        answer = accountant.client.post("/office/bank/import", data=fields | tokens | accountant.tokens("/password"))
        assert answer.status_code == 303
        assert expected in accountant.get(answer.location.removeprefix("/office")).text
    assert "FEE" in accountant.get("/bank").text
    with transaction() as session:
        fee = session.scalars(select(BankLine.id).where(BankLine.kind.is_(None))).one()
    accountant.post(f"/bank/lines/{fee}", form_on="/bank", what="suspense", note="")
    assert "does not fit" in accountant.get("/bank").text
    accountant.post(f"/bank/lines/{fee}", form_on="/bank", what="charge")
    assert "Every line is decided" in accountant.get("/bank").text
    assert "Bank charge" in accountant.get("/bank/imports/1").text
    assert "JANE DEPOSIT" in accountant.get("/payments/suspense").text
    remembered = accountant.post("/bank/new", file=(BytesIO(STATEMENT), "dec.csv")).text
    assert re.search(r'name="column-narrative"><option value="">–</option>.*?<option selected>Description', remembered)
    with transaction() as session:
        assert not broken(session)


def test_the_accountant_sees_that_the_day_is_right(accountant: Browser) -> None:
    home, day = house(), here() - timedelta(days=1)
    arrives("paybill", paybill(home.account_no, receipt="DAY0000001"))
    with transaction() as session:
        session.execute(update(Receipt).values(paid_at=Receipt.created_at - timedelta(days=1)))
        note_line(session, "mpesa", "600100", "DAY0000001", 50_000, day, "", "pull")
        note_line(session, "mpesa", "600100", "DAY0000002", 700, day, "", "pull")
        prepare(session, day)
    text = accountant.get("/reconciliation").text
    assert "DAY0000002" in text
    assert "The provider has it, the books do not" in text
    path = f"/reconciliation/{day}"
    assert "1 difference to decide" in accountant.get(path).text
    assert "It is right" not in accountant.get(path).text
    accountant.post(f"{path}/close", form_on=path)
    assert "Decide about each first" in accountant.get(path).text
    accountant.post("/reconciliation/differences/1", form_on=path, decision="a test payment of Safaricom")
    accountant.post(f"{path}/close", form_on=path, note="all seen")
    text = accountant.get(path).text
    assert "The day is closed and right" in text
    assert "all seen" in text
    assert "Closed, right" in accountant.get("/reconciliation").text
    accountant.post(f"{path}/prepare", form_on=path)
    with transaction() as session:
        assert {one.status for one in session.scalars(select(DayClosing).where(DayClosing.day == day))} == {"closed"}
    assert accountant.get("/reconciliation/yesterday").status_code == 404
    today = f"/reconciliation/{here()}"
    accountant.post(f"{today}/close", form_on="/password")
    assert "Today is not over" in accountant.get(today).text


def test_notices_are_kept_forged_ones_seen_and_replayed(accountant: Browser) -> None:
    home = house()
    attempt = sent(home)
    forged = arrives("stk", callback(receipt="FORGED0001"), "a-token-that-is-none")
    assert forged.outcome == "quarantined"
    text = accountant.get("/payments/notices?show=quarantined").text
    assert "no attempt has this token" in text
    text = accountant.get(f"/payments/notices/{forged.id}").text
    assert "FORGED0001" in text
    assert "none has this token" in text
    assert forged.digest in text
    early = arrives("stk", callback(checkout="ws_CO_other"), attempt.token)
    assert early.outcome == "quarantined"
    with transaction() as session:  # the office finds that it was the right name after all
        session.get_one(PaymentIntent, attempt.id).checkout_request_id = "ws_CO_other"
    path = f"/payments/notices/{early.id}"
    accountant.post(f"{path}/replay", form_on=path)
    with transaction() as session:
        assert session.scalars(
            select(Outbox).where(Outbox.subject_id == early.id, Outbox.job == "payments.settle")
        ).all()
    settlement.settle(early.id)
    assert balance(home) == Money.of(-500)
    assert "Replayed" in accountant.get(path).text
    assert "<button>Replay" not in accountant.get(path).text
    accountant.post(f"{path}/replay", form_on="/password")
    settlement.settle(early.id)
    assert balance(home) == Money.of(-500)


def test_a_silent_payment_says_what_comes_next_and_can_be_asked_about(accountant: Browser) -> None:
    home = house()
    attempt = sent(home)
    text = accountant.get(f"/payments/{attempt.id}").text
    assert "Waiting for the PIN" in text
    assert "is asked again" in text
    assert "Check with M-Pesa" in text
    assert accountant.get("/payments/now").status_code == 200
    accountant.post(f"/payments/{attempt.id}/check", form_on=f"/payments/{attempt.id}")
    with transaction() as session:
        jobs = session.scalars(select(Outbox.job).where(Outbox.subject_id == attempt.id)).all()
    assert "payments.query" in jobs
    assert jobs.count("payments.push") == 1
    arrives("stk", callback(code=1032), attempt.token)
    assert "Cancelled" in accountant.get("/payments").text
    part = accountant.get(f"/payments/{attempt.id}/now")
    assert part.headers["HX-Refresh"] == "true"
    assert "Check with" not in accountant.get(f"/payments/{attempt.id}").text
    with transaction() as session:
        notice = store_notice(session, "stk", callback(), token=attempt.token, headers={}, remote_addr="")
        assert isinstance(notice, Notice)
        assert not move_state(session, attempt.id, "sent", ["created"])


def test_a_receipts_sms_is_sent_again(accountant: Browser) -> None:
    home = house()
    arrives("paybill", paybill(home.account_no, receipt="AGAIN00001"))
    path = f"/payments/receipts/{receipt_of('AGAIN00001')}"
    accountant.post(f"{path}/again", form_on=path)
    with transaction() as session:
        bodies = session.scalars(select(Message.body).where(Message.kind == "receipt")).all()
    assert len(bodies) == 2
    assert bodies[0] == bodies[1]


PAGES = ("/payments", "/payments/receipts", "/payments/suspense", "/payments/approvals", "/payments/refunds",
         "/payments/notices", "/desk", "/desk/days", "/bank", "/reconciliation",
         "/reconciliation/2026-11-01")  # fmt: skip
ACTS = ("/desk/open", "/desk/take", "/bank/new", "/bank/import", "/bank/lines/1", "/payments/refunds/1",
        "/payments/approvals/1", "/payments/notices/1/replay", "/payments/1/check", "/payments/receipts/1/again",
        "/payments/receipts/1/refund", "/payments/receipts/1/bounce", "/desk/days/1/close",
        "/reconciliation/2026-11-01/close", "/reconciliation/2026-11-01/prepare",
        "/reconciliation/differences/1")  # fmt: skip


def test_readers_see_everything_and_change_nothing(enter: Callable[[str], Browser], session: Session) -> None:
    reader = enter("auditor")
    for path in PAGES:
        assert reader.get(path).status_code == 200, path
        assert "<button>" not in reader.get(path).text.split("<main", 1)[1], path
    for path in ACTS:
        assert reader.post(path, form_on="/password").status_code == 403, path
