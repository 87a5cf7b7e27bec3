"""What conversations ask of the books: who calls, what was used and paid, what the next bill will be."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from unittest.mock import patch

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from billing.batches import run_now
from billing.ledger import Leg, post
from billing.models import BillingRun, Connection, Customer, FaultReport
from billing.runs import issue_run, start_run
from core.clock import frozen, now
from core.database import engine
from core.messages import Message
from core.money import Money
from core.opt_outs import stopped
from core.phone import Phone
from core.statements import Statements
from flows.actions import Actions
from flows.codec import read_result, write_result
from flows.talk import Call
from flows.values import Caller, ConnectionRef, LastPayment, PastBill, Payee, RegisterResult, Secret
from payments.intents import Requested, move, request_payment
from tests.billing.estate import Estate, at_once, must_read
from ussd_app.actions import BookActions

WANJIKU, JUMA = Phone("+254700000001"), Phone("+254700000002")


def acts(session: Session, phone: Phone = WANJIKU, place: str = "ussd:1 3") -> BookActions:
    return BookActions(session, phone, "ussd", place)


def test_every_action_of_the_protocol_is_there() -> None:
    named = {name for name in vars(Actions) if not name.startswith("_")}
    missing = {name for name in named if not callable(getattr(BookActions, name, None))}
    assert missing == {"unfinished"}  # the session store's


def test_an_unknown_phone_is_nobody(session: Session) -> None:
    caller = acts(session).identify()
    assert (caller.known, caller.name, caller.connections, caller.waiting) == (False, "", (), ())
    assert caller.language == "en"


def test_the_caller_is_known_with_all_her_places_in_one_query(session: Session) -> None:
    estate = Estate(session)
    first = estate.connection(str(WANJIKU), language="sw")
    owner = session.get_one(Customer, first.customer_id)
    owner.alert_above, owner.pin_hash = Decimal(25), "$argon2id$"
    second, closed = estate.connection(owned=False), estate.connection(owned=False)
    second.customer_id = closed.customer_id = owner.id
    second.building, second.department, second.prepaid = "Main Hall", "Kitchen", True
    second.status, closed.status = "suspended", "closed"
    session.flush()
    caller, queries = asked(session, acts(session))
    assert queries == 1
    assert (caller.known, caller.language, caller.has_pin, caller.stopped) == (True, "sw", True, False)
    assert caller.alert_above == 25
    assert caller.connections == (
        ConnectionRef(first.account_no, "Plot 7", "active"),
        ConnectionRef(second.account_no, "Plot 7", "suspended", "Main Hall", "Kitchen", True),
    )


def asked(session: Session, actions: BookActions) -> tuple[Caller, int]:
    """Who calls, and how many queries it took."""
    seen: list[str] = []
    run = Statements._run

    def count(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    def running(statements: Statements, statement: str, values: Sequence[object]) -> object:
        seen.append(statement)
        return run(statements, statement, values)

    event.listen(engine(), "before_cursor_execute", count)
    try:
        with patch.object(Statements, "_run", running):
            return actions.identify(), len(seen)
    finally:
        event.remove(engine(), "before_cursor_execute", count)


def test_a_payee_is_initials_only(session: Session) -> None:
    estate = Estate(session)
    hers, vacant = estate.connection(), estate.connection(owned=False)
    assert acts(session).payee(hers.account_no) == Payee(hers.account_no, "A. O.")
    assert acts(session).payee(vacant.account_no) is None
    assert acts(session).payee("1000018") is None
    hers.status = "closed"
    session.flush()
    assert acts(session).payee(hers.account_no) is None


def paid_in(session: Session, connection: Connection, source: str, minor: int) -> None:
    legs = [Leg("cash:bank", minor), Leg("receivable", -minor, connection.id)]
    assert post(session, "payment", source, legs)


def test_the_last_payment_is_paid_waiting_or_failed(session: Session) -> None:
    connection = Estate(session).connection(str(WANJIKU))
    last = acts(session).last_payment
    assert last(connection.account_no) == LastPayment("none")
    with frozen(datetime(2026, 11, 1, 9, tzinfo=UTC)):
        paid_in(session, connection, "receipt:mpesa:600100:TKB1ABC", 50_000)
    assert last(connection.account_no) == LastPayment("paid", Money(50_000), date(2026, 11, 1), "TKB1ABC")
    with frozen(datetime(2026, 11, 2, 22, tzinfo=UTC)):  # the third, where the utility is
        asked_for = request_payment(session, connection.id, Money.of(300), WANJIKU, "ussd:1 2")
    assert isinstance(asked_for, Requested)
    assert last(connection.account_no) == LastPayment("waiting", Money.of(300), date(2026, 11, 3))
    move(session, asked_for.intent.id, "failed", ("created",))
    assert last(connection.account_no) == LastPayment("failed", Money.of(300), date(2026, 11, 3))
    with frozen(datetime(2026, 11, 4, 9, tzinfo=UTC)):
        paid_in(session, connection, "bank:1:2026-11", 20_000)
    assert last(connection.account_no) == LastPayment("paid", Money(20_000), date(2026, 11, 4), "")


def test_a_prompt_may_go_to_another_phone_and_for_another_account(session: Session) -> None:
    connection = Estate(session).connection(str(WANJIKU))
    done = acts(session, JUMA).request_payment(connection.account_no, Money.of(300), Phone("+254700000009"), "mpesa")
    assert done.kind == "requested"
    assert acts(session).last_payment(connection.account_no).kind == "waiting"


def test_another_connection_is_linked_under_her_name(session: Session) -> None:
    estate = Estate(session)
    first, free, taken = estate.connection(str(WANJIKU)), estate.connection(owned=False), estate.connection(str(JUMA))
    assert acts(session).link_connection(free.account_no) == RegisterResult("linked")
    assert free.customer_id == first.customer_id
    assert acts(session).link_connection(taken.account_no) == RegisterResult("taken")
    assert acts(session).link_connection("1000018") == RegisterResult("unknown_account")
    assert acts(session, Phone("+254700000009")).link_connection(free.account_no).kind == "unknown_account"


def test_what_she_settles_for_herself_is_kept(session: Session) -> None:
    Estate(session).customer(str(WANJIKU))
    mine = acts(session)
    mine.rename("  Wanjiku  wa Kamau ")
    mine.set_alert(Decimal(30))
    mine.set_pin(Secret("digest", "4711"))
    mine.stop_messages()
    caller = mine.identify()
    assert (caller.name, caller.alert_above, caller.has_pin) == ("Wanjiku wa Kamau", 30, True)
    assert stopped(session, WANJIKU)
    assert mine.check_pin(Secret("digest", "4712")).tries_left == 2
    assert mine.check_pin(Secret("digest", "4711")).kind == "right"
    mine.start_messages()
    mine.set_alert(None)
    mine.remove_pin()
    caller = mine.identify()
    assert (caller.alert_above, caller.has_pin, caller.stopped) == (None, False, False)


def test_a_pin_is_checked_only_where_it_was_typed(session: Session) -> None:
    with pytest.raises(AssertionError):
        acts(session).check_pin(Secret("digest"))


def test_a_report_is_one_ticket_for_its_place(session: Session) -> None:
    connection = Estate(session).connection(str(WANJIKU), language="sw")
    session.commit()

    def report(own: Session) -> str:
        return acts(own).report_fault("leak", connection.account_no, " by the  gate ").number

    numbers = set(at_once([report] * 4))
    assert len(numbers) == 1
    row = session.scalars(select(FaultReport)).one()
    assert (row.ticket, row.note, row.connection_id) == (numbers.pop(), "by the gate", connection.id)
    told = session.scalars(select(Message)).one()
    assert (told.kind, told.phone, told.language) == ("answer", WANJIKU, "sw")
    assert row.ticket in told.body


def test_a_message_is_passed_to_the_offices_inbox(session: Session) -> None:
    message = Message(
        direction="in", phone=JUMA, body="hello", kind="inbound", language="en", status="received", parts=1,
        created_at=now() - timedelta(minutes=1),
    )  # fmt: skip
    session.add(message)
    session.flush()
    BookActions(session, JUMA, "sms", f"sms:{message.id}:{JUMA} 0").pass_to_office()
    session.refresh(message)
    assert message.inbox == "open"
    with pytest.raises(AssertionError):
        acts(session).pass_to_office()


def test_every_answer_survives_the_journal(session: Session) -> None:
    """As JSON and back, in the type that the protocol declares."""
    estate = Estate(session)
    home = estate.metered(str(WANJIKU))
    must_read(session, home, 190, now().date() - timedelta(days=20))
    owner = session.get_one(Customer, home.customer_id)
    owner.alert_above = Decimal("12.5")
    paid_in(session, home, "receipt:mpesa:600100:TKB1ABC", 50_000)
    session.flush()
    mine, account = acts(session), home.account_no
    asked_for: list[tuple[str, tuple[object, ...]]] = [
        ("identify", ()), ("find_connection", (account,)), ("payee", (account,)), ("payee", ("1000018",)),
        ("last_reading", (account,)), ("check_reading", (account, Decimal(200))), ("usage", (account,)),
        ("current_bill", (account,)), ("past_bills", (account,)), ("balance", (account,)), ("forecast", (account,)),
        ("last_payment", (account,)), ("set_pin", (Secret("d", "4711"),)), ("check_pin", (Secret("d", "4712"),)),
        ("report_fault", ("leak", account, "")), ("link_connection", (account,)), ("stop_messages", ()),
        ("register", ("Amina", "en", account)), ("submit_reading", (account, Decimal(200), True)),
    ]  # fmt: skip
    for name, args in asked_for:
        declared = getattr(Actions, name).__annotations__["return"]
        call = Call(name, args, declared, False)
        answer = mine.do(call)
        assert read_result(call, write_result(answer)) == answer, name
    assert mine.forecast(account).kind == "forecast"
    assert len(mine.usage(account)) >= 5


def test_bills_of_earlier_months_come_newest_first(session: Session) -> None:
    home = Estate(session).metered(str(WANJIKU))
    for month in range(2, 10):
        with frozen(datetime(2026, month + 1, 2, 9, tzinfo=UTC)):
            must_read(session, home, 100 + 10 * month, date(2026, month, 28))
            run = start_run(session, date(2026, month, 1), "test", notify=False)
            assert isinstance(run, BillingRun)
            run_now(session, run.id)
            issue_run(session, run.id, "test")
            run_now(session, run.id)
    bills = acts(session).past_bills(home.account_no)
    assert [bill.period.month for bill in bills] == [9, 8, 7, 6, 5, 4]
    assert bills[0] == PastBill("INV-000008", date(2026, 9, 1), Decimal(10), Money(10_000))
