"""The outbox and the messages."""

import sqlalchemy as sa
from alembic import op

revision = "0001_core"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("job", sa.Text, nullable=False),
        sa.Column("subject_id", sa.BigInteger, nullable=False),
        sa.Column("run_after", sa.DateTime(timezone=True), nullable=False),
        sa.Column("handed_at", sa.DateTime(timezone=True)),
        sa.Column("done_at", sa.DateTime(timezone=True)),
        sa.Column("attempts", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("last_error", sa.Text),
    )
    op.create_index("ix_outbox_waiting", "outbox", ["run_after"], postgresql_where=sa.text("done_at IS NULL"))
    op.create_index("ix_outbox_subject", "outbox", ["job", "subject_id"])
    op.create_table(
        "message",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("direction", sa.Text, nullable=False),
        sa.Column("phone", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("key", sa.Text),
        sa.Column("gateway_id", sa.Text),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("failure_reason", sa.Text),
        sa.Column("parts", sa.BigInteger, nullable=False),
        sa.Column("connection_id", sa.BigInteger),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True)),
        sa.Column("final_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("direction IN ('in', 'out')", name="direction"),
        sa.CheckConstraint(
            "status IN ('queued', 'sending', 'sent', 'delivered', 'failed', 'unknown', 'received')",
            name="status",
        ),
    )
    op.create_index("uq_message_key", "message", ["key"], unique=True)
    op.create_index(
        "uq_message_inbound", "message", ["gateway_id"], unique=True, postgresql_where=sa.text("direction = 'in'")
    )
    op.create_index("ix_message_gateway_id", "message", ["gateway_id"])
    op.create_index("ix_message_phone", "message", ["phone", "id"])
    op.create_index("ix_message_failed", "message", ["id"], postgresql_where=sa.text("status IN ('failed', 'unknown')"))


def downgrade() -> None:
    op.drop_table("message")
    op.drop_table("outbox")
