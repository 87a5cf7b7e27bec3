"""Everything about one customer on a single page, the latest of each kind first."""

from collections.abc import Sequence
from typing import Any

from flask import abort, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import Row, Select, exists, func, or_, select
from sqlalchemy.orm import Session

from admin_web.access import EVERYONE, page
from admin_web.conversations import CHANNELS, OUTCOMES
from admin_web.customers import KINDS
from admin_web.faults import KINDS as FAULT_KINDS
from admin_web.faults import STATES as FAULT_STATES
from admin_web.lists_meters import SOURCES
from admin_web.messages import KIND_WORDS
from admin_web.payments import INTENT_STATES
from admin_web.places import places, total_owed, usage_chart
from billing.customers import phones_of
from billing.ledger import RECEIVABLE
from billing.models import (
    Connection,
    Customer,
    FaultReport,
    Invoice,
    LedgerEntry,
    LinkRequest,
    Posting,
    Reading,
)
from billing.pins import is_locked
from core.conversations import Conversation
from core.i18n import LANGUAGES
from core.messages import Message
from core.opt_outs import stopped_among
from core.phone import Phone
from payments.models import PaymentIntent, Receipt

SHOWN = 6


@page("/customers/<int:customer_id>", roles=EVERYONE)
def customer(session: Session, customer_id: int) -> ResponseReturnValue:
    """One customer: places, usage, readings, bills, payments, messages, reports, conversations, what she has set."""
    who = session.get(Customer, customer_id) or abort(404)
    phones = phones_of(session, who.id)
    own = places(session, Connection.customer_id == who.id)
    ids = [place.connection.id for place in own]
    deposits = _deposits(session, ids)
    latest = {kind: session.scalars(query.limit(SHOWN)).all() for kind, query in _queries(ids, phones).items()}
    return render_template(
        "office/customer.html",
        who=who,
        phones=phones,
        places=own,
        owed=total_owed(own),
        accounts={place.connection.id: place.connection.account_no for place in own},
        show_account=len(own) > 1,
        chart=usage_chart(session, ids),
        kinds=KINDS,
        languages=LANGUAGES,
        sources=SOURCES,
        channels=CHANNELS,
        outcomes=OUTCOMES,
        message_kinds=KIND_WORDS,
        intent_states=INTENT_STATES,
        fault_kinds=FAULT_KINDS,
        fault_states=FAULT_STATES,
        pin_locked=is_locked(who),
        stopped=stopped_among(session, phones),
        deposits=deposits,
        taken_back=_taken_back(session, [one.id for one in deposits]),
        **latest,
    )


def _deposits(session: Session, ids: Sequence[int]) -> Sequence[Row[Any]]:
    """What came in by bank or desk, the latest first."""
    paid = -func.sum(Posting.amount_minor)
    return session.execute(
        select(LedgerEntry.id, LedgerEntry.created_at, LedgerEntry.memo, paid.label("paid_minor"))
        .join(Posting, Posting.entry_id == LedgerEntry.id)
        .where(Posting.connection_id.in_(ids), Posting.account == RECEIVABLE, LedgerEntry.kind == "payment")
        .where(~exists().where(Receipt.entry_id == LedgerEntry.id), LedgerEntry.source.not_like("suspense:%"))
        .group_by(LedgerEntry.id)
        .order_by(LedgerEntry.id.desc())
        .limit(SHOWN)
    ).all()


def _taken_back(session: Session, entries: Sequence[int]) -> set[int | None]:
    return set(session.scalars(select(LedgerEntry.reverses_id).where(LedgerEntry.reverses_id.in_(entries))))


def _queries(ids: Sequence[int], phones: Sequence[Phone]) -> dict[str, Select[Any]]:
    invoices = select(Invoice).where(Invoice.connection_id.in_(ids), Invoice.status == "issued")
    unpaid = select(PaymentIntent).where(PaymentIntent.connection_id.in_(ids), PaymentIntent.state != "paid")
    messages = select(Message).where(Message.phone.in_(phones))
    reports = select(FaultReport).where(or_(FaultReport.phone.in_(phones), FaultReport.connection_id.in_(ids)))
    asked = or_(LinkRequest.phone.in_(phones), LinkRequest.connection_id.in_(ids))
    return {
        "readings": select(Reading)
        .where(Reading.connection_id.in_(ids))
        .order_by(Reading.taken_on.desc(), Reading.id.desc()),
        "invoices": invoices.order_by(Invoice.period_start.desc(), Invoice.id.desc()),
        "receipts": select(Receipt).where(Receipt.connection_id.in_(ids)).order_by(Receipt.id.desc()),
        "intents": unpaid.order_by(PaymentIntent.id.desc()),
        "messages": messages.order_by(Message.id.desc()),
        "reports": reports.order_by(FaultReport.id.desc()),
        "links": select(LinkRequest).where(LinkRequest.status == "pending", asked).order_by(LinkRequest.id),
        "talks": select(Conversation).where(Conversation.phone.in_(phones)).order_by(Conversation.id.desc()),
    }
