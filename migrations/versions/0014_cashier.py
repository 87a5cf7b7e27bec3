"""Money over the counter, matching, closing of the day."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014_cashier"
down_revision = "0013_mpesa"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
TABLES = (
    "money_move", "desk_payment", "desk_day", "bank_line", "bank_import", "bank_profile", "provider_line",
    "day_difference", "day_closing",
)  # fmt: skip


def upgrade() -> None:
    receipts()
    desk()
    moves()
    banks()
    days()


def receipts() -> None:
    op.create_index(
        "ix_customer_phone_digest",
        "customer_phone",
        [sa.text("encode(sha256(ltrim(phone, '+'::text)::bytea), 'hex'::text)")],
    )
    op.add_column("notice", sa.Column("replays", sa.BigInteger, server_default="0", nullable=False))
    op.add_column("notice", sa.Column("replayed_by", sa.Text))
    op.add_column("receipt", sa.Column("payer", sa.Text, server_default="", nullable=False))
    op.add_column("receipt", sa.Column("held_minor", sa.BigInteger, server_default="0", nullable=False))
    op.execute("UPDATE receipt SET held_minor = amount_minor WHERE connection_id IS NULL")
    op.create_check_constraint("held", "receipt", "held_minor BETWEEN 0 AND amount_minor")
    op.create_index("ix_receipt_held", "receipt", ["id"], postgresql_where=sa.text("held_minor > 0"))
    op.create_index("ix_receipt_paid", "receipt", ["provider", "paid_at"])
    op.create_index("ix_receipt_phone", "receipt", ["phone", "id"])


def desk() -> None:
    op.create_table(
        "desk_day",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("office", sa.Text, nullable=False),
        sa.Column("cashier", sa.Text, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("counted", postgresql.JSONB),
        sa.Column("counted_minor", sa.BigInteger),
        sa.Column("ledger_minor", sa.BigInteger),
        sa.Column("kept_minor", sa.BigInteger, server_default="0", nullable=False),
        sa.Column("reason", sa.Text, server_default="", nullable=False),
        sa.Column("entry_id", sa.BigInteger),
        sa.Column("closed_at", MOMENT),
        sa.Column("closed_by", sa.Text),
        sa.CheckConstraint("(status = 'closed') = (counted_minor IS NOT NULL)", name=op.f("ck_desk_day_counted")),
        sa.CheckConstraint("status IN ('open', 'closed')", name=op.f("ck_desk_day_status")),
        sa.CheckConstraint("kept_minor >= 0", name=op.f("ck_desk_day_kept")),
        sa.ForeignKeyConstraint(["entry_id"], ["ledger_entry.id"], name=op.f("fk_desk_day_entry_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_day")),
    )
    op.create_index("ix_desk_day_day", "desk_day", ["day", "id"])
    op.create_index("uq_desk_day_cashier", "desk_day", ["cashier", "day"], unique=True)
    op.create_index(
        "uq_desk_day_open", "desk_day", ["cashier"], unique=True, postgresql_where=sa.text("status = 'open'")
    )
    op.create_table(
        "desk_payment",
        sa.Column("receipt_id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("day_id", sa.BigInteger, nullable=False),
        sa.Column("method", sa.Text, nullable=False),
        sa.Column("payer", sa.Text, nullable=False),
        sa.Column("bank", sa.Text, nullable=False),
        sa.Column("reference", sa.Text, nullable=False),
        sa.Column("taken_by", sa.Text, nullable=False),
        sa.CheckConstraint("(method = 'cash') = (reference = '')", name=op.f("ck_desk_payment_reference")),
        sa.CheckConstraint("method IN ('cash', 'cheque', 'bank')", name=op.f("ck_desk_payment_method")),
        sa.ForeignKeyConstraint(["day_id"], ["desk_day.id"], name=op.f("fk_desk_payment_day_id")),
        sa.ForeignKeyConstraint(["receipt_id"], ["receipt.id"], name=op.f("fk_desk_payment_receipt_id")),
        sa.PrimaryKeyConstraint("receipt_id", name=op.f("pk_desk_payment")),
    )
    op.create_index("ix_desk_payment_day_id", "desk_payment", ["day_id", "receipt_id"])
    op.create_index(
        "uq_desk_payment_reference",
        "desk_payment",
        ["method", "bank", "reference"],
        unique=True,
        postgresql_where=sa.text("reference <> ''"),
    )


def moves() -> None:
    op.create_table(
        "money_move",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("receipt_id", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("from_id", sa.BigInteger),
        sa.Column("to_id", sa.BigInteger),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("proposed_by", sa.Text, nullable=False),
        sa.Column("proposed_at", MOMENT, nullable=False),
        sa.Column("decided_by", sa.Text),
        sa.Column("decided_at", MOMENT),
        sa.Column("entry_id", sa.BigInteger),
        sa.Column("payout", sa.Text),
        sa.Column("payout_note", sa.Text, server_default="", nullable=False),
        sa.Column("payout_entry_id", sa.BigInteger),
        sa.CheckConstraint(
            "(kind = 'refund' AND status = 'posted') = (payout IS NOT NULL)", name=op.f("ck_money_move_refund")
        ),
        sa.CheckConstraint("(status = 'posted') = (entry_id IS NOT NULL)", name=op.f("ck_money_move_posted")),
        sa.CheckConstraint(
            "kind IN ('allocation', 'return', 'transfer', 'refund', 'bounce')", name=op.f("ck_money_move_kind")
        ),
        sa.CheckConstraint(
            "payout IN ('owed', 'sending', 'unknown', 'paid', 'failed')", name=op.f("ck_money_move_payout")
        ),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_money_move_reason")),
        sa.CheckConstraint("status IN ('proposed', 'posted', 'rejected')", name=op.f("ck_money_move_status")),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_money_move_amount")),
        sa.ForeignKeyConstraint(["entry_id"], ["ledger_entry.id"], name=op.f("fk_money_move_entry_id")),
        sa.ForeignKeyConstraint(["from_id"], ["connection.id"], name=op.f("fk_money_move_from_id")),
        sa.ForeignKeyConstraint(["payout_entry_id"], ["ledger_entry.id"], name=op.f("fk_money_move_payout_entry_id")),
        sa.ForeignKeyConstraint(["receipt_id"], ["receipt.id"], name=op.f("fk_money_move_receipt_id")),
        sa.ForeignKeyConstraint(["to_id"], ["connection.id"], name=op.f("fk_money_move_to_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_money_move")),
    )
    op.create_index("ix_money_move_payout", "money_move", ["id"], postgresql_where=sa.text("payout <> 'paid'"))
    op.create_index("ix_money_move_proposed", "money_move", ["id"], postgresql_where=sa.text("status = 'proposed'"))
    op.create_index("ix_money_move_receipt_id", "money_move", ["receipt_id", "id"])


def banks() -> None:
    op.create_table(
        "bank_import",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("lines", sa.BigInteger, nullable=False),
        sa.Column("known", sa.BigInteger, nullable=False),
        sa.Column("imported_by", sa.Text, nullable=False),
        sa.Column("imported_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_import")),
    )
    op.create_index("uq_bank_import_digest", "bank_import", ["account", "digest"], unique=True)
    op.create_table(
        "bank_profile",
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("columns", postgresql.JSONB, nullable=False),
        sa.Column("changed_by", sa.Text, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_bank_profile")),
    )
    op.create_table(
        "bank_line",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("import_id", sa.BigInteger, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("booked_on", sa.Date, nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("narrative", sa.Text, nullable=False),
        sa.Column("reference", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("kind", sa.Text),
        sa.Column("channel", sa.Text, server_default="", nullable=False),
        sa.Column("receipt_id", sa.BigInteger),
        sa.Column("entry_id", sa.BigInteger),
        sa.Column("note", sa.Text, server_default="", nullable=False),
        sa.Column("decided_by", sa.Text),
        sa.Column("decided_at", MOMENT),
        sa.CheckConstraint(
            "kind IN ('slip', 'cheque', 'returned', 'payment', 'suspense', 'channel', 'charge', 'ignored')",
            name=op.f("ck_bank_line_kind"),
        ),
        sa.CheckConstraint("(kind IS NULL) = (decided_at IS NULL)", name=op.f("ck_bank_line_decided")),
        sa.CheckConstraint("amount_minor <> 0", name=op.f("ck_bank_line_amount")),
        sa.ForeignKeyConstraint(["entry_id"], ["ledger_entry.id"], name=op.f("fk_bank_line_entry_id")),
        sa.ForeignKeyConstraint(["import_id"], ["bank_import.id"], name=op.f("fk_bank_line_import_id")),
        sa.ForeignKeyConstraint(["receipt_id"], ["receipt.id"], name=op.f("fk_bank_line_receipt_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_line")),
    )
    op.create_index("ix_bank_line_booked_on", "bank_line", ["booked_on", "id"])
    op.create_index("ix_bank_line_import_id", "bank_line", ["import_id", "id"])
    op.create_index("ix_bank_line_open", "bank_line", ["id"], postgresql_where=sa.text("kind IS NULL"))
    op.create_index("uq_bank_line_digest", "bank_line", ["digest"], unique=True)


def days() -> None:
    op.create_table(
        "day_closing",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("provider_minor", sa.BigInteger),
        sa.Column("ledger_minor", sa.BigInteger, nullable=False),
        sa.Column("bank_minor", sa.BigInteger, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("note", sa.Text, server_default="", nullable=False),
        sa.Column("prepared_at", MOMENT, nullable=False),
        sa.Column("closed_by", sa.Text),
        sa.Column("closed_at", MOMENT),
        sa.CheckConstraint("status IN ('open', 'closed')", name=op.f("ck_day_closing_status")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_day_closing")),
    )
    op.create_index("uq_day_closing_channel", "day_closing", ["day", "channel"], unique=True)
    op.create_table(
        "day_difference",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("reference", sa.Text, nullable=False),
        sa.Column("provider_minor", sa.BigInteger, nullable=False),
        sa.Column("ledger_minor", sa.BigInteger, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("decision", sa.Text, server_default="", nullable=False),
        sa.Column("found_at", MOMENT, nullable=False),
        sa.Column("decided_by", sa.Text),
        sa.Column("decided_at", MOMENT),
        sa.CheckConstraint("(status = 'decided') = (decided_by IS NOT NULL)", name=op.f("ck_day_difference_decided")),
        sa.CheckConstraint(
            "kind IN ('not_in_ledger', 'not_at_provider', 'amount', 'drawer')", name=op.f("ck_day_difference_kind")
        ),
        sa.CheckConstraint("status IN ('open', 'gone', 'decided')", name=op.f("ck_day_difference_status")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_day_difference")),
    )
    op.create_index("ix_day_difference_open", "day_difference", ["id"], postgresql_where=sa.text("status = 'open'"))
    op.create_index("uq_day_difference", "day_difference", ["day", "channel", "kind", "reference"], unique=True)
    op.create_table(
        "provider_line",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("shortcode", sa.Text, nullable=False),
        sa.Column("receipt", sa.Text, nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("account_said", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("noted_at", MOMENT, nullable=False),
        sa.CheckConstraint("amount_minor <> 0", name=op.f("ck_provider_line_amount")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_line")),
    )
    op.create_index("ix_provider_line_day", "provider_line", ["provider", "day"])
    op.create_index("uq_provider_line_receipt", "provider_line", ["provider", "shortcode", "receipt"], unique=True)


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
    for index in ("held", "paid", "phone"):
        op.drop_index(f"ix_receipt_{index}", "receipt")
    op.drop_index("ix_customer_phone_digest", "customer_phone")
    op.drop_constraint("held", "receipt", type_="check")
    for table, column in (
        ("receipt", "held_minor"),
        ("receipt", "payer"),
        ("notice", "replays"),
        ("notice", "replayed_by"),
    ):
        op.drop_column(table, column)
