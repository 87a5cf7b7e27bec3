"""What arrives and what is asked for: intents, notices and receipts of mobile money."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from billing.ledger_models import LedgerEntry
from billing.models import Connection
from core.database import Base
from core.phone import Phone

STATES = ("created", "sending", "sent", "confirmed", "unknown", "paid", "failed")
OPEN = ("sending", "sent", "unknown", "confirmed")
OUTCOMES = ("applied", "duplicate", "quarantined")


class PaymentIntent(Base):
    """One attempt to have a customer pay. `token` stands in its callback's URL; `key` makes it unique by its cause.

    created: asked for. sending: on its way to the provider. sent: the prompt is out. confirmed: the provider says it
    was paid but gave no receipt. unknown: no clear answer; whether it may be sent again is the provider's own fact.
    paid and failed are what they say, and only a receipt makes paid out of failed.

    `provider` is a wallet's name. `reference` is our id there (a uuid, its idempotency key where it takes one);
    `checkout_request_id` is M-Pesa's own. `asked_at` is when its status was last asked for.
    """

    __tablename__ = "payment_intent"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint(f"state IN {STATES}", name="state"),
        Index("uq_payment_intent_key", "key", unique=True),
        Index("uq_payment_intent_token", "token", unique=True),
        Index("uq_payment_intent_checkout", "checkout_request_id", unique=True),
        Index("uq_payment_intent_reference", "reference", unique=True),
        Index("ix_payment_intent_connection", "connection_id", "id"),
        Index("ix_payment_intent_phone", "phone", "created_at"),
        Index("ix_payment_intent_open", "next_poll_at", postgresql_where=text("state NOT IN ('paid', 'failed')")),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    token: Mapped[str]
    key: Mapped[str]
    provider: Mapped[str]
    reference: Mapped[str] = mapped_column(server_default=text("gen_random_uuid()::text"))
    connection_id: Mapped[int] = mapped_column(ForeignKey(Connection.id))
    phone: Mapped[Phone]
    amount_minor: Mapped[int]
    currency: Mapped[str]
    state: Mapped[str]
    merchant_request_id: Mapped[str | None]
    checkout_request_id: Mapped[str | None]
    result_code: Mapped[str | None]
    result_text: Mapped[str | None]
    polls: Mapped[int] = mapped_column(server_default="0", default=0)
    next_poll_at: Mapped[datetime | None]
    asked_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class IntentEvent(Base):
    """An intent entered a state; the database refuses to let it enter one twice."""

    __tablename__ = "intent_event"
    __table_args__ = (Index("uq_intent_event_state", "intent_id", "state", unique=True),)

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    intent_id: Mapped[int] = mapped_column(ForeignKey(PaymentIntent.id))
    state: Mapped[str]
    created_at: Mapped[datetime]


class WalletPace(Base):
    """When a provider may be asked next: each question takes a place of its own, whichever worker asks it.

    `gap_s` is how far apart they are for now, beside what its documentation says; it was learnt from its refusals.
    """

    __tablename__ = "wallet_pace"

    provider: Mapped[str] = mapped_column(primary_key=True)
    next_at: Mapped[datetime]
    gap_s: Mapped[float] = mapped_column(server_default="0", default=0.0)


class Notice(Base):
    """What a provider sent, byte for byte, kept before it was answered. `outcome` is empty until it is worked on."""

    __tablename__ = "notice"
    __table_args__ = (
        CheckConstraint(f"outcome IN {OUTCOMES}", name="outcome"),
        Index("ix_notice_token", "token"),
        Index("ix_notice_open", "id", postgresql_where=text("outcome IS NULL OR outcome = 'quarantined'")),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    provider: Mapped[str]
    kind: Mapped[str]
    token: Mapped[str | None]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    headers: Mapped[dict[str, Any]]
    remote_addr: Mapped[str]
    digest: Mapped[str]
    received_at: Mapped[datetime]
    outcome: Mapped[str | None]
    note: Mapped[str | None]
    processed_at: Mapped[datetime | None]
    replays: Mapped[int] = mapped_column(default=0, server_default="0")
    replayed_by: Mapped[str | None]


class Receipt(Base):
    """Money that a provider (or the cashier) received, once for its receipt number.

    `connection_id` is whom it was credited to first, none while it waits; `held_minor` is what of it is in suspense.
    """

    __tablename__ = "receipt"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="amount"),
        Index("uq_receipt_number", "provider", "shortcode", "receipt", unique=True),
        Index("ix_receipt_connection", "connection_id", "id"),
        Index("ix_receipt_intent", "intent_id"),
        Index("ix_receipt_created", "created_at"),
        Index("ix_receipt_receipt_prefix", "receipt", postgresql_ops={"receipt": "text_pattern_ops"}),
        Index("ix_receipt_suspense", "id", postgresql_where=text("connection_id IS NULL")),
        Index("ix_receipt_held", "id", postgresql_where=text("held_minor > 0")),
        Index("ix_receipt_phone", "phone", "id"),
        Index("ix_receipt_paid", "provider", "paid_at"),
        CheckConstraint("held_minor BETWEEN 0 AND amount_minor", name="held"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    provider: Mapped[str]
    shortcode: Mapped[str]
    receipt: Mapped[str]
    amount_minor: Mapped[int]
    currency: Mapped[str]
    phone: Mapped[str]
    account_said: Mapped[str]
    paid_at: Mapped[datetime]
    intent_id: Mapped[int | None] = mapped_column(ForeignKey(PaymentIntent.id))
    connection_id: Mapped[int | None] = mapped_column(ForeignKey(Connection.id))
    entry_id: Mapped[int] = mapped_column(ForeignKey(LedgerEntry.id))
    created_at: Mapped[datetime]
    payer: Mapped[str] = mapped_column(default="", server_default="")
    held_minor: Mapped[int] = mapped_column(default=0, server_default="0")
