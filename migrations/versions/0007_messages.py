"""Messages: priority, sending time, tries; templates, bulk sends, opt-outs, the inbox."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0007_messages"
down_revision = "0006_contact"
branch_labels = None
depends_on = None

BEFORE = "status IN ('queued', 'sending', 'sent', 'delivered', 'failed', 'unknown', 'received')"
AFTER = "status IN ('queued', 'sending', 'sent', 'delivered', 'failed', 'unknown', 'skipped', 'received')"
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "opt_out",
        sa.Column("phone", sa.Text, primary_key=True),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
    )
    op.create_table(
        "failing_number",
        sa.Column("phone", sa.Text, primary_key=True),
        sa.Column("failures", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("failed_at", MOMENT, nullable=False),
        sa.Column("flagged_at", MOMENT),
    )
    op.create_index(
        "ix_failing_number_flagged", "failing_number", ["phone"], postgresql_where=sa.text("flagged_at IS NOT NULL")
    )
    op.create_table(
        "sms_hold",
        sa.Column("gateway", sa.Text, primary_key=True),
        sa.Column("fault", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("checks", sa.BigInteger, nullable=False),
        sa.Column("next_try_at", MOMENT, nullable=False),
    )
    op.create_table(
        "message_template",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("language", sa.Text, primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.Column("changed_by", sa.Text, nullable=False),
    )
    _bulk_and_message()


def _bulk_and_message() -> None:
    op.create_table(
        "bulk_send",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("audience", JSONB, nullable=False),
        sa.Column("texts", JSONB, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("recipients", sa.BigInteger, nullable=False),
        sa.Column("parts", sa.BigInteger, nullable=False),
        sa.Column("price", sa.Text, nullable=False),
        sa.Column("filled_to", sa.BigInteger, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("confirmed_at", MOMENT),
        sa.Column("confirmed_by", sa.Text),
        sa.CheckConstraint("status IN ('draft', 'filling', 'sending', 'cancelled')", name="status"),
    )
    op.add_column("message", sa.Column("priority", sa.BigInteger, nullable=False, server_default="1"))
    op.add_column("message", sa.Column("send_after", MOMENT, nullable=False, server_default=sa.func.now()))
    op.add_column("message", sa.Column("tries", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("message", sa.Column("batched", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("message", sa.Column("bulk_id", sa.BigInteger, sa.ForeignKey("bulk_send.id")))
    op.add_column("message", sa.Column("inbox", sa.Text))
    op.add_column("message", sa.Column("inbox_by", sa.Text))
    op.create_check_constraint("inbox", "message", "inbox IN ('open', 'answered', 'closed')")
    op.drop_constraint(op.f("ck_message_status"), "message")
    op.create_check_constraint("status", "message", AFTER)
    for name, columns, where in (
        ("due", ["priority", "send_after", "id"], "status = 'queued'"),
        ("batched", ["id"], "status = 'sending' AND batched"),
        ("bulk", ["bulk_id", "status"], "bulk_id IS NOT NULL"),
        ("inbox", ["inbox", "id"], "inbox IS NOT NULL"),
        ("skipped", ["id"], "status = 'skipped'"),
    ):
        op.create_index(f"ix_message_{name}", "message", columns, postgresql_where=sa.text(where))


def downgrade() -> None:
    for name in ("due", "batched", "bulk", "inbox", "skipped"):
        op.drop_index(f"ix_message_{name}", "message")
    op.execute("UPDATE message SET status = 'failed', failure_reason = 'skipped' WHERE status = 'skipped'")
    op.drop_constraint(op.f("ck_message_inbox"), "message")
    op.drop_constraint(op.f("ck_message_status"), "message")
    op.create_check_constraint("status", "message", BEFORE)
    for column in ("priority", "send_after", "tries", "batched", "bulk_id", "inbox", "inbox_by"):
        op.drop_column("message", column)
    for table in ("bulk_send", "message_template", "sms_hold", "failing_number", "opt_out"):
        op.drop_table(table)
