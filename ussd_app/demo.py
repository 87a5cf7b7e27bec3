"""For the handset page, in development only: who may call, and what a call did to the books."""

from datetime import UTC, datetime, timedelta

from flask import Blueprint, Response, jsonify, request
from sqlalchemy import select
from sqlalchemy.orm import Session

from billing.ledger import balance_of
from billing.models import Connection, Customer, CustomerPhone, LedgerEntry, Meter, MeterAssignment, Posting, Reading
from core.config import settings
from core.database import transaction
from core.i18n import quantity
from core.messages import Message
from core.money import Money
from core.phone import Phone, parse_phone
from payments.models import IntentEvent, PaymentIntent
from ussd_app.gateways.secret import behind_secret

MOST = 200
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
Seen = tuple[datetime, str, str, str]
"""When, which row, what happened, and its detail."""

demo = Blueprint("demo", __name__)


@demo.get("/demo/<secret>/customers")
@behind_secret
def customers() -> Response:
    """The customers a developer may be: [{phone, name, language, account_no, meter, balance}]."""
    with transaction() as session:
        rows = session.execute(
            select(CustomerPhone.phone, Customer, Connection, Meter.serial)
            .join(Customer, Customer.id == CustomerPhone.customer_id)
            .join(Connection, Connection.customer_id == Customer.id)
            .outerjoin(
                MeterAssignment,
                (MeterAssignment.connection_id == Connection.id) & MeterAssignment.to_on.is_(None),
            )
            .outerjoin(Meter, Meter.id == MeterAssignment.meter_id)
            .order_by(CustomerPhone.phone, Connection.id)
            .limit(MOST)
        ).all()
        return jsonify(
            [
                {
                    "phone": phone, "name": customer.name, "language": customer.language,
                    "account_no": connection.account_no, "meter": serial,
                    "balance": str(balance_of(session, connection.id)),
                }
                for phone, customer, connection, serial in rows
            ]
        )  # fmt: skip


@demo.get("/demo/<secret>/vacant")
@behind_secret
def vacant() -> Response:
    """The account numbers with which an unknown phone can register."""
    with transaction() as session:
        free = select(Connection.account_no).where(Connection.customer_id.is_(None), Connection.status == "active")
        return jsonify(session.scalars(free.order_by(Connection.id).limit(3)).all())


@demo.get("/demo/<secret>/effects")
@behind_secret
def effects() -> Response:
    """What happened to a phone's customer since the effect with the id `after`, oldest first."""
    phone = parse_phone(request.args.get("phone", ""), settings().region)
    after = request.args.get("after", "0").partition("-")[0]
    if phone is None or not after.isdecimal() or len(after) > 18:
        return jsonify({"effects": []})
    since = EPOCH + int(after) * MICROSECOND
    with transaction() as session:
        seen = sorted(
            [*_readings(session, phone, since), *_payments(session, phone, since), *_entries(session, phone, since),
             *_messages(session, phone, since)]
        )  # fmt: skip
    return jsonify(
        {
            "effects": [
                {"id": f"{(at - EPOCH) // MICROSECOND}-{row}", "at": at.isoformat(), "what": what, "detail": detail}
                for at, row, what, detail in seen[:MOST]
            ]
        }
    )


def _readings(session: Session, phone: Phone, since: datetime) -> list[Seen]:
    rows = session.execute(
        select(Reading, Connection.account_no)
        .join(Connection, Connection.id == Reading.connection_id)
        .join(CustomerPhone, CustomerPhone.customer_id == Connection.customer_id)
        .where(CustomerPhone.phone == phone, Reading.created_at > since)
        .order_by(Reading.created_at)
        .limit(MOST)
    ).all()
    return [
        (r.created_at, f"r{r.id}", "reading", f"{quantity(r.value)} m3 on {account}, {r.status}, by {r.entered_by}")
        for r, account in rows
    ]


def _payments(session: Session, phone: Phone, since: datetime) -> list[Seen]:
    rows = session.execute(
        select(IntentEvent, PaymentIntent)
        .join(PaymentIntent, PaymentIntent.id == IntentEvent.intent_id)
        .where(PaymentIntent.phone == phone, IntentEvent.created_at > since)
        .order_by(IntentEvent.created_at)
        .limit(MOST)
    ).all()
    return [
        (event.created_at, f"i{event.id}", "payment", f"{Money(intent.amount_minor, intent.currency)}: {event.state}")
        for event, intent in rows
    ]


def _entries(session: Session, phone: Phone, since: datetime) -> list[Seen]:
    rows = session.execute(
        select(LedgerEntry, Posting)
        .join(Posting, Posting.entry_id == LedgerEntry.id)
        .join(Connection, Connection.id == Posting.connection_id)
        .join(CustomerPhone, CustomerPhone.customer_id == Connection.customer_id)
        .where(CustomerPhone.phone == phone, LedgerEntry.created_at > since)
        .order_by(LedgerEntry.created_at)
        .limit(MOST)
    ).all()
    return [
        (entry.created_at, f"l{posting.id}", "ledger",
         f"{entry.kind}: {posting.account} {Money(posting.amount_minor, settings().currency)}")
        for entry, posting in rows
    ]  # fmt: skip


def _messages(session: Session, phone: Phone, since: datetime) -> list[Seen]:
    rows = session.scalars(
        select(Message)
        .where(Message.phone == phone, Message.created_at > since)
        .order_by(Message.created_at)
        .limit(MOST)
    ).all()
    return [(m.created_at, f"m{m.id}", f"sms {m.direction}", f"{m.kind}, {m.status}: {m.body}") for m in rows]
