"""What a conversation is about beside meters and money: PINs, alerts, fault reports, links that await approval."""

import sqlalchemy as sa
from alembic import op

revision = "0006_contact"
down_revision = "0005_office"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("customer", sa.Column("pin_hash", sa.Text))
    op.add_column("customer", sa.Column("pin_tries", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("customer", sa.Column("alert_above", sa.Numeric(14, 3)))
    op.add_column("connection", sa.Column("building", sa.Text, nullable=False, server_default=""))
    op.add_column("connection", sa.Column("department", sa.Text, nullable=False, server_default=""))
    op.add_column("connection", sa.Column("prepaid", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_table(
        "fault_report",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("ticket", sa.Text, nullable=False, unique=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("connection_id", sa.BigInteger, sa.ForeignKey("connection.id")),
        sa.Column("phone", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True)),
        sa.Column("closed_by", sa.Text),
        sa.Column("answer", sa.Text, nullable=False),
        sa.CheckConstraint(
            "kind IN ('leak', 'no_supply', 'low_supply', 'quality', 'meter', 'bill', 'pin', 'other')", name="kind"
        ),
        sa.CheckConstraint("status IN ('open', 'assigned', 'closed')", name="status"),
    )
    op.create_index("uq_fault_report_key", "fault_report", ["key"], unique=True)
    op.create_index("ix_fault_report_open", "fault_report", ["id"], postgresql_where=sa.text("status <> 'closed'"))
    op.create_index("ix_fault_report_phone", "fault_report", ["phone", "id"])
    op.create_index("ix_fault_report_connection_id", "fault_report", ["connection_id", "id"])
    op.create_table(
        "link_request",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("phone", sa.Text, nullable=False),
        sa.Column("connection_id", sa.BigInteger, sa.ForeignKey("connection.id"), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True)),
        sa.Column("decided_by", sa.Text),
        sa.CheckConstraint("status IN ('pending', 'approved', 'rejected')", name="status"),
    )
    pending = sa.text("status = 'pending'")
    op.create_index(
        "uq_link_request_pending", "link_request", ["phone", "connection_id"], unique=True, postgresql_where=pending
    )
    op.create_index("ix_link_request_pending", "link_request", ["id"], postgresql_where=pending)


def downgrade() -> None:
    op.drop_table("link_request")
    op.drop_table("fault_report")
    for column in ("building", "department", "prepaid"):
        op.drop_column("connection", column)
    for column in ("pin_hash", "pin_tries", "alert_above"):
        op.drop_column("customer", column)
