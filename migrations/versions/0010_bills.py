"""What bills and the ledger need: pauses, voids, notes, due dates, plans, reminders, and guards in sets."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010_bills"
down_revision = "0009_readings"
branch_labels = None
depends_on = None

PERIOD = ["connection_id", "period_start", "kind"]


def identity() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True)


def number(name: str, *constraints: sa.ForeignKey, null: bool = False, default: int | None = None) -> sa.Column[int]:
    return sa.Column(
        name, sa.BigInteger, *constraints, nullable=null,
        server_default=None if default is None else str(default),
    )  # fmt: skip


def words(name: str, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=null)


def moment(name: str, null: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=null)


def upgrade() -> None:
    runs_and_invoices()
    ledger()
    adjustments()
    policies()
    plans()
    dunning()
    op.create_table(
        "books_check", identity(), moment("checked_at"), number("violations"),
        sa.Column("found", postgresql.JSONB, nullable=False),
    )  # fmt: skip


def runs_and_invoices() -> None:
    op.add_column("billing_run", sa.Column("paused", sa.Boolean, nullable=False, server_default=sa.text("false")))
    op.add_column("billing_run", sa.Column("inputs", postgresql.JSONB, nullable=False, server_default="{}"))
    op.add_column("invoice", sa.Column("replaces", postgresql.ARRAY(sa.BigInteger)))
    op.drop_constraint("uq_invoice_connection_id_period_start_kind", "invoice")
    op.create_index(
        "uq_invoice_period", "invoice", PERIOD, unique=True, postgresql_where=sa.text("status <> 'void'")
    )  # fmt: skip
    # Drafts have no number, so they are not in its index.
    op.drop_constraint("uq_invoice_number", "invoice")
    op.create_index(
        "uq_invoice_number", "invoice", ["number"], unique=True, postgresql_where=sa.text("number IS NOT NULL")
    )
    op.drop_constraint("status", "invoice", type_="check")
    op.create_check_constraint("status", "invoice", "status IN ('draft', 'issued', 'void')")
    op.execute("DROP TRIGGER frozen ON invoice")
    op.execute(f"CREATE OR REPLACE FUNCTION invoice_frozen() RETURNS trigger LANGUAGE plpgsql AS $${VOIDABLE}$$")
    op.execute(
        "CREATE TRIGGER frozen BEFORE UPDATE OR DELETE ON invoice"
        " FOR EACH ROW WHEN (OLD.status <> 'draft') EXECUTE FUNCTION invoice_frozen()"
    )


# An issued invoice is a document: it can be made void and nothing else.
VOIDABLE = """
    BEGIN
        IF TG_OP = 'UPDATE' AND OLD.status = 'issued' AND NEW.status = 'void'
           AND to_jsonb(NEW) - 'status' = to_jsonb(OLD) - 'status' THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION 'invoice % is % and cannot change', OLD.number, OLD.status
            USING ERRCODE = 'integrity_constraint_violation';
    END"""

FROZEN = """
    BEGIN
        RAISE EXCEPTION 'invoice % is issued and cannot change', OLD.number
            USING ERRCODE = 'integrity_constraint_violation';
    END"""


def ledger() -> None:
    op.add_column("ledger_entry", sa.Column("due_on", sa.Date))
    op.add_column("ledger_entry", number("reverses_id", sa.ForeignKey("ledger_entry.id"), null=True))
    op.create_index(
        "uq_ledger_entry_reverses_id", "ledger_entry", ["reverses_id"], unique=True,
        postgresql_where=sa.text("reverses_id IS NOT NULL"),
    )  # fmt: skip
    op.execute("ALTER TABLE ledger_entry DISABLE TRIGGER append_only")
    op.execute("UPDATE ledger_entry e SET due_on = i.due_on FROM invoice i WHERE e.source = 'invoice:' || i.id")
    op.execute("ALTER TABLE ledger_entry ENABLE TRIGGER append_only")
    op.create_index("ix_posting_account", "posting", ["account", "id"])
    in_sets()


# Legs that come together and sum to zero leave a balanced entry balanced. Only others are looked at again at commit.
UNSETTLED = """
    BEGIN
        INSERT INTO ledger_unsettled (entry_id)
        SELECT entry_id FROM added GROUP BY entry_id HAVING sum(amount_minor) <> 0
        ON CONFLICT DO NOTHING;
        RETURN NULL;
    END"""

SETTLED = """
    DECLARE total numeric;
    BEGIN
        SELECT coalesce(sum(amount_minor), 0) INTO total FROM posting WHERE entry_id = NEW.entry_id;
        IF total <> 0 THEN
            RAISE EXCEPTION 'ledger entry % sums to %, not zero', NEW.entry_id, total
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        DELETE FROM ledger_unsettled WHERE entry_id = NEW.entry_id;
        RETURN NULL;
    END"""

HAS_LEGS = """
    BEGIN
        IF NOT EXISTS (SELECT FROM posting WHERE entry_id = NEW.id) THEN
            RAISE EXCEPTION 'ledger entry % has no postings', NEW.id
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NULL;
    END"""


def in_sets() -> None:
    """The guard of the sums, for each statement instead of each leg."""
    op.execute("DROP TRIGGER balanced ON posting")
    op.execute("DROP TRIGGER balanced ON ledger_entry")
    op.create_table("ledger_unsettled", sa.Column("entry_id", sa.BigInteger, primary_key=True, autoincrement=False))
    for name, body in (
        ("ledger_unsettled", UNSETTLED), ("ledger_settled", SETTLED), ("ledger_has_legs", HAS_LEGS)
    ):  # fmt: skip
        op.execute(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $${body}$$")
    op.execute(
        "CREATE TRIGGER balanced AFTER INSERT ON posting REFERENCING NEW TABLE AS added"
        " FOR EACH STATEMENT EXECUTE FUNCTION ledger_unsettled()"
    )
    op.execute(
        "CREATE CONSTRAINT TRIGGER balanced AFTER INSERT ON ledger_unsettled DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION ledger_settled()"
    )
    op.execute(
        "CREATE CONSTRAINT TRIGGER balanced AFTER INSERT ON ledger_entry DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION ledger_has_legs()"
    )


def adjustments() -> None:
    op.create_table(
        "adjustment", identity(), words("number", null=True), words("kind"),
        number("connection_id", sa.ForeignKey("connection.id")),
        number("invoice_id", sa.ForeignKey("invoice.id"), null=True), number("amount_minor"), words("account"),
        words("reason"), words("status"), words("proposed_by"), moment("proposed_at"), words("decided_by", null=True),
        moment("decided_at", null=True), number("entry_id", sa.ForeignKey("ledger_entry.id"), null=True),
        sa.CheckConstraint(
            "kind IN ('credit_note', 'debit_note', 'adjustment', 'write_off', 'void')", name="kind"
        ),
        sa.CheckConstraint("status IN ('proposed', 'posted', 'rejected')", name="status"),
        sa.CheckConstraint("amount_minor <> 0 OR kind = 'void'", name="amount"),
        sa.CheckConstraint("(kind = 'void') <= (invoice_id IS NOT NULL)", name="invoice"),
        sa.CheckConstraint("reason <> ''", name="reason"),
        sa.CheckConstraint("(status = 'posted') = (number IS NOT NULL)", name="numbered"),
    )  # fmt: skip
    op.create_index(
        "uq_adjustment_number", "adjustment", ["number"], unique=True, postgresql_where=sa.text("number IS NOT NULL")
    )
    op.create_index(
        "uq_adjustment_void", "adjustment", ["invoice_id"], unique=True,
        postgresql_where=sa.text("kind = 'void' AND status <> 'rejected'"),
    )  # fmt: skip
    op.create_index("ix_adjustment_connection_id", "adjustment", ["connection_id", "id"])
    op.create_index("ix_adjustment_invoice_id", "adjustment", ["invoice_id"])
    op.create_index(
        "ix_adjustment_proposed", "adjustment", ["id"], postgresql_where=sa.text("status = 'proposed'")
    )  # fmt: skip


def policies() -> None:
    policy = op.create_table(
        "credit_policy", sa.Column("kind", sa.Text, primary_key=True), number("approval_minor"), number("least_minor"),
        number("late_fee_minor"), sa.Column("late_fee_share", sa.Numeric(6, 4), nullable=False),
        number("late_fee_days"), number("reminder_days"), number("notice_days"), number("order_days"),
        number("reconnection_minor"), sa.Column("reconnection_share", sa.Numeric(6, 4), nullable=False),
        words("changed_by"), moment("changed_at"),
        sa.CheckConstraint("kind IN ('domestic', 'commercial', 'institution')", name="kind"),
        sa.CheckConstraint(
            "reminder_days >= 0 AND notice_days > reminder_days AND order_days > notice_days", name="order"
        ),
        sa.CheckConstraint("late_fee_share BETWEEN 0 AND 1 AND reconnection_share BETWEEN 0 AND 1", name="shares"),
    )  # fmt: skip
    # Fourteen days between notice and disconnection, a fee of 500 and three quarters paid before reconnection, as
    # Kenyan utilities publish (RUJWASCO, HOMAWASCO). No late fee before the office sets one.
    op.bulk_insert(policy, [
        {"kind": kind, "approval_minor": 500000, "least_minor": 5000, "late_fee_minor": 0, "late_fee_share": 0,
         "late_fee_days": 14, "reminder_days": 3, "notice_days": notice, "order_days": notice + 14,
         "reconnection_minor": 50000, "reconnection_share": "0.75", "changed_by": "mita",
         "changed_at": "2026-01-01T00:00:00Z"}
        for kind, notice in (("domestic", 16), ("commercial", 10), ("institution", 30))
    ])  # fmt: skip


def plans() -> None:
    op.create_table(
        "payment_plan", identity(), number("connection_id", sa.ForeignKey("connection.id")), number("amount_minor"),
        words("status"), number("entry_id", sa.ForeignKey("ledger_entry.id")), words("created_by"),
        moment("created_at"), words("ended_by", null=True), moment("ended_at", null=True),
        sa.CheckConstraint("status IN ('active', 'kept', 'broken', 'cancelled')", name="status"),
        sa.CheckConstraint("amount_minor > 0", name="amount"),
    )  # fmt: skip
    op.create_index(
        "uq_payment_plan_active", "payment_plan", ["connection_id"], unique=True,
        postgresql_where=sa.text("status = 'active'"),
    )  # fmt: skip
    op.create_index("ix_payment_plan_status", "payment_plan", ["status", "id"])
    op.create_table(
        "plan_instalment",
        sa.Column("plan_id", sa.BigInteger, sa.ForeignKey("payment_plan.id"), primary_key=True, autoincrement=False),
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("due_on", sa.Date, nullable=False), number("amount_minor"),
        number("entry_id", sa.ForeignKey("ledger_entry.id")),
        sa.CheckConstraint("amount_minor > 0", name="amount"),
    )  # fmt: skip


def dunning() -> None:
    op.create_table(
        "dunning_step", identity(), number("connection_id", sa.ForeignKey("connection.id")), words("step"),
        sa.Column("since", sa.Date, nullable=False), number("amount_minor"), words("status"), words("created_by"),
        moment("created_at"), words("closed_by", null=True), moment("closed_at", null=True),
        sa.UniqueConstraint("connection_id", "step", "since", name="uq_dunning_step_once"),
        sa.CheckConstraint("step IN ('reminder', 'notice', 'disconnection', 'reconnection')", name="step"),
        sa.CheckConstraint("status IN ('sent', 'open', 'done', 'withdrawn')", name="status"),
    )  # fmt: skip
    op.create_index(
        "ix_dunning_step_open", "dunning_step", ["id"], postgresql_where=sa.text("status = 'open'")
    )  # fmt: skip


def downgrade() -> None:
    for table in ("books_check", "dunning_step", "plan_instalment", "payment_plan", "credit_policy", "adjustment"):
        op.drop_table(table)
    back_to_each_leg()
    op.drop_index("ix_posting_account", "posting")
    op.drop_column("ledger_entry", "reverses_id")
    op.drop_column("ledger_entry", "due_on")
    op.execute("DROP TRIGGER frozen ON invoice")
    op.execute(f"CREATE OR REPLACE FUNCTION invoice_frozen() RETURNS trigger LANGUAGE plpgsql AS $${FROZEN}$$")
    op.execute(
        "CREATE TRIGGER frozen BEFORE UPDATE OR DELETE ON invoice"
        " FOR EACH ROW WHEN (OLD.status = 'issued') EXECUTE FUNCTION invoice_frozen()"
    )
    op.drop_constraint("status", "invoice", type_="check")
    op.create_check_constraint("status", "invoice", "status IN ('draft', 'issued')")
    op.drop_index("uq_invoice_number", "invoice")
    op.create_unique_constraint("uq_invoice_number", "invoice", ["number"])
    op.drop_index("uq_invoice_period", "invoice")
    op.create_unique_constraint("uq_invoice_connection_id_period_start_kind", "invoice", PERIOD)
    op.drop_column("invoice", "replaces")
    op.drop_column("billing_run", "inputs")
    op.drop_column("billing_run", "paused")


def back_to_each_leg() -> None:
    op.execute("DROP TRIGGER balanced ON posting")
    op.execute("DROP TRIGGER balanced ON ledger_entry")
    op.drop_table("ledger_unsettled")
    for name in ("ledger_unsettled", "ledger_settled", "ledger_has_legs"):
        op.execute(f"DROP FUNCTION {name}()")
    for table in ("ledger_entry", "posting"):
        op.execute(
            f"CREATE CONSTRAINT TRIGGER balanced AFTER INSERT ON {table} DEFERRABLE INITIALLY DEFERRED"
            " FOR EACH ROW EXECUTE FUNCTION ledger_entry_balanced()"
        )
