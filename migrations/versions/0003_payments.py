"""Intents, notices and receipts of mobile money."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003_payments"
down_revision = "0002_billing"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def key() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True)


def upgrade() -> None:
    create_intents()
    create_notices()
    create_receipts()


def create_intents() -> None:
    op.create_table(
        "payment_intent",
        key(),
        sa.Column("token", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("connection_id", sa.BigInteger, sa.ForeignKey("connection.id"), nullable=False),
        sa.Column("phone", sa.Text, nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("merchant_request_id", sa.Text),
        sa.Column("checkout_request_id", sa.Text),
        sa.Column("result_code", sa.Text),
        sa.Column("result_text", sa.Text),
        sa.Column("polls", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("next_poll_at", MOMENT),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.CheckConstraint("amount_minor > 0", name="amount"),
        sa.CheckConstraint(
            "state IN ('created', 'sending', 'sent', 'confirmed', 'unknown', 'paid', 'failed')", name="state"
        ),
    )
    op.create_index("uq_payment_intent_key", "payment_intent", ["key"], unique=True)
    op.create_index("uq_payment_intent_token", "payment_intent", ["token"], unique=True)
    op.create_index("uq_payment_intent_checkout", "payment_intent", ["checkout_request_id"], unique=True)
    op.create_index("ix_payment_intent_connection", "payment_intent", ["connection_id", "id"])
    op.create_index("ix_payment_intent_phone", "payment_intent", ["phone", "created_at"])
    op.create_index(
        "ix_payment_intent_open",
        "payment_intent",
        ["next_poll_at"],
        postgresql_where=sa.text("state NOT IN ('paid', 'failed')"),
    )
    op.create_table(
        "intent_event",
        key(),
        sa.Column("intent_id", sa.BigInteger, sa.ForeignKey("payment_intent.id"), nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
    )
    op.create_index("uq_intent_event_state", "intent_event", ["intent_id", "state"], unique=True)


def create_notices() -> None:
    op.create_table(
        "notice",
        key(),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("token", sa.Text),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("headers", JSONB, nullable=False),
        sa.Column("remote_addr", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("outcome", sa.Text),
        sa.Column("note", sa.Text),
        sa.Column("processed_at", MOMENT),
        sa.CheckConstraint("outcome IN ('applied', 'duplicate', 'quarantined')", name="outcome"),
    )
    op.create_index("ix_notice_token", "notice", ["token"])
    op.create_index(
        "ix_notice_open", "notice", ["id"], postgresql_where=sa.text("outcome IS NULL OR outcome = 'quarantined'")
    )


def create_receipts() -> None:
    op.create_table(
        "receipt",
        key(),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("shortcode", sa.Text, nullable=False),
        sa.Column("receipt", sa.Text, nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("phone", sa.Text, nullable=False),
        sa.Column("account_said", sa.Text, nullable=False),
        sa.Column("paid_at", MOMENT, nullable=False),
        sa.Column("intent_id", sa.BigInteger, sa.ForeignKey("payment_intent.id")),
        sa.Column("connection_id", sa.BigInteger, sa.ForeignKey("connection.id")),
        sa.Column("entry_id", sa.BigInteger, sa.ForeignKey("ledger_entry.id"), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.CheckConstraint("amount_minor > 0", name="amount"),
    )
    op.create_index("uq_receipt_number", "receipt", ["provider", "shortcode", "receipt"], unique=True)
    op.create_index("ix_receipt_connection", "receipt", ["connection_id", "id"])
    op.create_index("ix_receipt_intent", "receipt", ["intent_id"])
    op.create_index("ix_receipt_created", "receipt", ["created_at"])
    op.create_index("ix_receipt_suspense", "receipt", ["id"], postgresql_where=sa.text("connection_id IS NULL"))


def downgrade() -> None:
    for table in ("receipt", "notice", "intent_event", "payment_intent"):
        op.drop_table(table)
