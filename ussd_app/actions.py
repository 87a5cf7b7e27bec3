"""What a conversation may ask of the world, done over the books."""

from datetime import date
from decimal import Decimal
from typing import Literal, get_args

from sqlalchemy.orm import Session

from billing.customers import Registered as RegisteredCustomer
from billing.customers import connections_of, find_connection, find_customer, register_customer, set_language
from billing.invoices import current_bill
from billing.judgement import meter_at
from billing.ledger import balance_of, last_payment
from billing.models import Connection
from billing.provisional import provisional_bill
from billing.readings import Recorded, judge, latest_reading, record_reading
from core.clock import today
from core.config import settings
from core.money import Money
from core.phone import Phone
from flows.actions import (
    BalanceView,
    BillSummary,
    Caller,
    ConnectionRef,
    MeterFace,
    PaymentResult,
    ReadingCheck,
    ReadingResult,
    RegisterResult,
)
from flows.talk import Call
from payments.intents import Requested, request_payment

Kind = Literal["ok", "low", "high", "below", "too_many_digits", "no_meter", "duplicate"]
KINDS: dict[str, Kind] = {kind: kind for kind in get_args(Kind)}


class BookActions:
    """flows.actions.Actions in the transaction of `session`, for one caller.

    `place` names the write's place in its conversation, for whoever needs a key of its own. Nothing is committed here.
    """

    def __init__(self, session: Session, phone: Phone, channel: str, place: str = "") -> None:
        self._session, self._phone, self._channel, self._place = session, phone, channel, place

    def do(self, call: Call) -> object:
        """The result of `call`."""
        return getattr(self, call.name)(*call.args)

    def identify(self) -> Caller:
        customer = find_customer(self._session, self._phone)
        connections = connections_of(self._session, customer.id) if customer is not None else []
        ours = settings()
        return Caller(
            phone=self._phone,
            known=customer is not None,
            name=customer.name if customer is not None else "",
            language=customer.language if customer is not None else ours.default_language,
            connections=tuple(_ref(connection) for connection in connections),
            utility=ours.utility_name,
            service_code=ours.service_code,
            short_code=ours.sms_short_code,
            paybill=ours.mpesa_shortcode,
            currency=ours.currency,
        )

    def current_bill(self, account_no: str) -> BillSummary:
        connection = self._connection(account_no)
        bill = current_bill(self._session, connection.id)
        if bill is None:
            nothing = Money.zero(settings().currency)
            return BillSummary(None, nothing, balance_of(self._session, connection.id), None, None, Decimal(0))
        return BillSummary(bill.number, bill.amount, bill.owed, bill.due_on, bill.period, bill.usage)

    def balance(self, account_no: str) -> BalanceView:
        connection = self._connection(account_no)
        owed = balance_of(self._session, connection.id)
        last = last_payment(self._session, connection.id)
        return BalanceView(owed, last.amount if last else None, last.on(settings().utility_zone) if last else None)

    def last_reading(self, account_no: str) -> MeterFace | None:
        connection = self._connection(account_no)
        meter = meter_at(self._session, connection.id)
        if meter is None:
            return None
        last = latest_reading(self._session, connection.id)
        if last is None or last.meter_id != meter.id:
            return MeterFace(meter.serial, meter.digits, None, None)
        return MeterFace(meter.serial, meter.digits, last.value, last.taken_on)

    def check_reading(self, account_no: str, value: Decimal) -> ReadingCheck:
        judgement = judge(self._session, self._connection(account_no).id, value, on=_today())
        previous = judgement.previous.value if judgement.previous is not None else None
        return ReadingCheck(KINDS.get(judgement.kind, "below"), previous, judgement.usage)

    def find_connection(self, account_no: str) -> ConnectionRef | None:
        connection = find_connection(self._session, account_no)
        return _ref(connection) if connection is not None else None

    def register(self, name: str, language: str, account_no: str) -> RegisterResult:
        done = register_customer(self._session, self._phone, name, language, account_no, f"customer {self._phone}")
        if isinstance(done, RegisteredCustomer):
            return RegisterResult("linked")
        return RegisterResult("taken" if done.kind in ("taken", "phone_taken") else "unknown_account")

    def submit_reading(self, account_no: str, value: Decimal, confirmed: bool) -> ReadingResult:
        connection = self._connection(account_no)
        done = record_reading(
            self._session,
            connection.id,
            value,
            source=f"customer_{self._channel}",
            entered_by=f"customer {self._phone}",
            taken_on=_today(),
            confirmed=confirmed,
        )
        if not isinstance(done, Recorded):
            return ReadingResult("refused", done.judgement.usage, None)
        bill = provisional_bill(self._session, connection, value, _today()) if done.status == "accepted" else None
        return ReadingResult(
            "review" if done.status == "review" else "accepted",
            done.reading.usage,
            bill.total if bill is not None else None,
        )

    def set_language(self, language: str) -> None:
        set_language(self._session, self._phone, language)

    def request_payment(self, account_no: str, amount: Money, phone: Phone) -> PaymentResult:
        connection = self._connection(account_no)
        asked = request_payment(self._session, connection.id, amount, phone, key=self._place)
        if isinstance(asked, Requested):
            return PaymentResult("requested", "")
        return PaymentResult("refused", asked.reason)

    def _connection(self, account_no: str) -> Connection:
        """A connection that the conversation has named before, so it is there."""
        connection = find_connection(self._session, account_no)
        assert connection is not None, "a conversation named a connection that is not in the books"
        return connection


def _ref(connection: Connection) -> ConnectionRef:
    return ConnectionRef(connection.account_no, connection.address, connection.status)


def _today() -> date:
    return today(settings().utility_zone)
