"""Conversations as they were seen, and the writes they made."""

import sqlalchemy as sa
from alembic import op

revision = "0004_conversations"
down_revision = "0003_payments"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "conversation",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("session_id", sa.Text, nullable=False),
        sa.Column("phone", sa.Text, nullable=False),
        sa.Column("service_code", sa.Text, nullable=False),
        sa.Column("network", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("hops", sa.BigInteger, nullable=False),
        sa.Column("gateway_status", sa.Text),
        sa.Column("gateway_error", sa.Text),
        sa.CheckConstraint("outcome IN ('completed', 'dropped', 'failed')", name="outcome"),
    )
    op.create_index("uq_conversation_session", "conversation", ["provider", "session_id", "phone"], unique=True)
    op.create_index("ix_conversation_phone", "conversation", ["phone", "id"])
    op.create_index("ix_conversation_started", "conversation", ["started_at"])
    op.create_table(
        "conversation_hop",
        sa.Column("conversation_id", sa.BigInteger, sa.ForeignKey("conversation.id"), primary_key=True),
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("said", sa.Text, nullable=False),
        sa.Column("reply", sa.Text, nullable=False),
        sa.Column("screen", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ms", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "effect",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("conversation", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("tape", sa.Text, nullable=False),
        sa.Column("result", sa.Text),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("uq_effect_key", "effect", ["conversation", "key"], unique=True)


def downgrade() -> None:
    for table in ("effect", "conversation_hop", "conversation"):
        op.drop_table(table)
