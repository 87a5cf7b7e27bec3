"""Customers, meters, readings, tariffs, invoices, and the ledger with its guards."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002_billing"
down_revision = "0001_core"
branch_labels = None
depends_on = None


def identity() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True)


def number(name: str, *constraints: sa.ForeignKey, null: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, *constraints, nullable=null)


def words(name: str, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=null)


def moment(name: str, null: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=null)


def day(name: str, null: bool = False) -> sa.Column:
    return sa.Column(name, sa.Date, nullable=null)


def quantity(name: str, null: bool = False) -> sa.Column:
    return sa.Column(name, sa.Numeric(14, 3), nullable=null)


def upgrade() -> None:
    people_and_places()
    meters_and_readings()
    tariffs_and_runs()
    invoices()
    ledger()
    guards()


def people_and_places() -> None:
    op.execute(sa.schema.CreateSequence(sa.Sequence("account_body", start=100001)))
    op.create_table("zone", identity(), words("code"), words("name"), sa.UniqueConstraint("code", name="uq_zone_code"))
    op.create_table(
        "customer", identity(), words("name"), words("kind"), words("language"), words("status"),
        moment("consent_at", null=True), moment("created_at"),
        sa.CheckConstraint("kind IN ('domestic', 'commercial', 'institution')", name="kind"),
        sa.CheckConstraint("status IN ('active', 'closed')", name="status"),
    )  # fmt: skip
    op.create_index("ix_customer_name", "customer", ["name", "id"])
    op.create_index("ix_customer_words", "customer", [sa.text("to_tsvector('simple', name)")], postgresql_using="gin")
    op.create_table(
        "customer_phone", sa.Column("phone", sa.Text, primary_key=True),
        number("customer_id", sa.ForeignKey("customer.id")), words("added_by"), moment("created_at"),
    )  # fmt: skip
    op.create_index("ix_customer_phone_customer_id", "customer_phone", ["customer_id"])
    op.create_table(
        "tariff", identity(), words("name"), words("customer_class"), sa.UniqueConstraint("name", name="uq_tariff_name")
    )
    op.create_table(
        "connection", identity(), words("account_no"), number("customer_id", sa.ForeignKey("customer.id"), null=True),
        number("zone_id", sa.ForeignKey("zone.id")), number("tariff_id", sa.ForeignKey("tariff.id")),
        words("status"), words("address"), day("opened_on"),
        sa.UniqueConstraint("account_no", name="uq_connection_account_no"),
        sa.CheckConstraint("status IN ('active', 'suspended', 'closed')", name="status"),
    )  # fmt: skip
    op.create_index(
        "ix_connection_account_no_prefix", "connection", ["account_no"],
        postgresql_ops={"account_no": "text_pattern_ops"},
    )  # fmt: skip
    for column in ("customer_id", "zone_id", "tariff_id"):
        op.create_index(f"ix_connection_{column}", "connection", [column])


def meters_and_readings() -> None:
    op.create_table(
        "meter", identity(), words("serial"), number("digits"), number("size_mm"), words("status"),
        sa.UniqueConstraint("serial", name="uq_meter_serial"),
        sa.CheckConstraint("digits BETWEEN 3 AND 10", name="digits"),
        sa.CheckConstraint("status IN ('stock', 'installed', 'retired')", name="status"),
    )  # fmt: skip
    op.create_table(
        "meter_assignment", identity(), number("meter_id", sa.ForeignKey("meter.id")),
        number("connection_id", sa.ForeignKey("connection.id")), day("from_on"), day("to_on", null=True),
        quantity("start_value"), quantity("end_value", null=True),
        sa.CheckConstraint("(to_on IS NULL) = (end_value IS NULL)", name="closed"),
    )  # fmt: skip
    for side in ("meter", "connection"):
        op.create_index(f"ix_meter_assignment_{side}_id", "meter_assignment", [f"{side}_id", "from_on"])
        op.create_index(
            f"uq_meter_assignment_{side}_open", "meter_assignment", [f"{side}_id"], unique=True,
            postgresql_where=sa.text("to_on IS NULL"),
        )  # fmt: skip
    op.create_table(
        "reading", identity(), number("connection_id", sa.ForeignKey("connection.id")),
        number("meter_id", sa.ForeignKey("meter.id")), quantity("value"), quantity("usage"), day("taken_on"),
        words("source"), words("entered_by"), words("status"), words("note"), words("decided_by", null=True),
        moment("decided_at", null=True), moment("created_at"),
        sa.CheckConstraint("value >= 0", name="value"),
        sa.CheckConstraint("usage >= 0", name="usage"),
        sa.CheckConstraint(
            "source IN ('customer_ussd', 'customer_sms', 'office', 'field', 'estimate', 'opening')", name="source"
        ),
        sa.CheckConstraint("status IN ('accepted', 'review', 'rejected', 'superseded')", name="status"),
    )  # fmt: skip
    op.create_index(
        "uq_reading_said_once", "reading", ["connection_id", "meter_id", "taken_on", "value"], unique=True,
        postgresql_where=sa.text("status IN ('accepted', 'review')"),
    )  # fmt: skip
    op.create_index(
        "ix_reading_accepted", "reading", ["connection_id", "taken_on", "id"],
        postgresql_where=sa.text("status = 'accepted'"),
    )  # fmt: skip
    op.create_index("ix_reading_review", "reading", ["id"], postgresql_where=sa.text("status = 'review'"))
    op.create_index("ix_reading_connection_id", "reading", ["connection_id", "id"])
    op.create_index("ix_reading_meter_id", "reading", ["meter_id", "id"])


def tariffs_and_runs() -> None:
    op.create_table(
        "tariff_version", identity(), number("tariff_id", sa.ForeignKey("tariff.id")), day("valid_from"),
        day("valid_to", null=True), sa.Column("rules", postgresql.JSONB, nullable=False), words("created_by"),
        moment("created_at"),
        sa.UniqueConstraint("tariff_id", "valid_from", name="uq_tariff_version_tariff_id_valid_from"),
        sa.CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="valid"),
    )  # fmt: skip
    op.create_table(
        "billing_run", identity(), day("period"), words("kind"), words("status"), number("total"), number("done"),
        number("failed"), number("skipped"), number("issued"), sa.Column("notify", sa.Boolean, nullable=False),
        number("number_from", null=True), number("number_to", null=True), day("issue_on", null=True),
        words("created_by"), moment("created_at"), words("issued_by", null=True), moment("issued_at", null=True),
        words("cancelled_by", null=True),
        sa.CheckConstraint("status IN ('computing', 'review', 'issuing', 'issued', 'cancelled')", name="status"),
        sa.CheckConstraint("extract(day FROM period) = 1", name="period"),
    )  # fmt: skip
    op.create_index(
        "uq_billing_run_open", "billing_run", ["kind"], unique=True,
        postgresql_where=sa.text("status IN ('computing', 'review', 'issuing')"),
    )  # fmt: skip
    op.create_index("ix_billing_run_period", "billing_run", ["period", "id"])
    op.create_table(
        "run_batch", identity(), number("run_id", sa.ForeignKey("billing_run.id")), number("first_connection"),
        number("last_connection"), words("status"), number("invoices"), number("number_from", null=True),
        sa.CheckConstraint("status IN ('waiting', 'computed', 'issued')", name="status"),
    )  # fmt: skip
    op.create_index("ix_run_batch_run_id", "run_batch", ["run_id"])
    op.create_table(
        "run_problem", sa.Column("run_id", sa.BigInteger, sa.ForeignKey("billing_run.id"), primary_key=True),
        sa.Column("connection_id", sa.BigInteger, sa.ForeignKey("connection.id"), primary_key=True), words("reason"),
    )  # fmt: skip
    op.create_table("number_series", sa.Column("name", sa.Text, primary_key=True), number("next"))


def invoices() -> None:
    op.create_table(
        "invoice", identity(), words("number", null=True), number("run_id", sa.ForeignKey("billing_run.id"), null=True),
        number("connection_id", sa.ForeignKey("connection.id")), words("kind"), day("period_start"),
        day("period_end"), day("due_on", null=True), quantity("usage"), number("days"), number("cycles"),
        number("amount_minor"), number("arrears_minor"), words("status"),
        number("tariff_version_id", sa.ForeignKey("tariff_version.id")),
        number("opening_reading_id", sa.ForeignKey("reading.id")),
        number("closing_reading_id", sa.ForeignKey("reading.id")), moment("created_at"), moment("issued_at", null=True),
        sa.UniqueConstraint("number", name="uq_invoice_number"),
        sa.UniqueConstraint(
            "connection_id", "period_start", "kind", name="uq_invoice_connection_id_period_start_kind"
        ),
        sa.CheckConstraint("status IN ('draft', 'issued')", name="status"),
        sa.CheckConstraint("(status = 'draft') = (number IS NULL)", name="numbered"),
    )  # fmt: skip
    op.create_index("ix_invoice_run_id", "invoice", ["run_id", "connection_id"])
    op.create_index("ix_invoice_tariff_version_id", "invoice", ["tariff_version_id"])
    op.create_table(
        "invoice_line", sa.Column("invoice_id", sa.BigInteger, sa.ForeignKey("invoice.id"), primary_key=True),
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False), words("code"), words("label"),
        quantity("quantity", null=True), sa.Column("rate", sa.Numeric(20, 8)), number("amount_minor"),
        words("account"),
    )  # fmt: skip


def ledger() -> None:
    op.create_table(
        "ledger_entry", identity(), words("kind"), words("memo"), words("source"), moment("created_at"),
        sa.UniqueConstraint("source", name="uq_ledger_entry_source"),
    )  # fmt: skip
    op.create_index("ix_ledger_entry_created_at", "ledger_entry", ["created_at", "id"])
    op.create_table(
        "posting", identity(), number("entry_id", sa.ForeignKey("ledger_entry.id")), words("account"),
        number("connection_id", sa.ForeignKey("connection.id"), null=True), number("amount_minor"),
        sa.CheckConstraint("amount_minor <> 0", name="amount"),
        sa.CheckConstraint("account <> 'receivable' OR connection_id IS NOT NULL", name="receivable"),
    )  # fmt: skip
    op.create_index("ix_posting_entry_id", "posting", ["entry_id"])
    op.create_index(
        "ix_posting_connection_id", "posting", ["connection_id", "id"],
        postgresql_where=sa.text("connection_id IS NOT NULL"),
    )  # fmt: skip
    op.create_table(
        "balance",
        sa.Column("connection_id", sa.BigInteger, sa.ForeignKey("connection.id"), primary_key=True),
        number("amount_minor"),
    )
    op.create_index("ix_balance_owing", "balance", ["amount_minor", "connection_id"])


GUARDS = {
    # At commit: an entry has postings and they sum to zero.
    "ledger_entry_balanced": """
        DECLARE entry bigint; legs bigint; total numeric;
        BEGIN
            IF TG_TABLE_NAME = 'posting' THEN entry := NEW.entry_id; ELSE entry := NEW.id; END IF;
            SELECT count(*), coalesce(sum(amount_minor), 0) INTO legs, total FROM posting WHERE entry_id = entry;
            IF legs = 0 THEN
                RAISE EXCEPTION 'ledger entry % has no postings', entry
                    USING ERRCODE = 'integrity_constraint_violation';
            ELSIF total <> 0 THEN
                RAISE EXCEPTION 'ledger entry % sums to %, not zero', entry, total
                    USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN NULL;
        END""",
    # The ledger grows and never changes; a mistake is corrected by another entry.
    "ledger_append_only": """
        BEGIN
            RAISE EXCEPTION '% of % refused: the ledger is append-only', TG_OP, TG_TABLE_NAME
                USING ERRCODE = 'integrity_constraint_violation';
        END""",
    # Balances follow the postings. Rows are locked in the order of connections, so that two posts never deadlock.
    "ledger_keep_balances": """
        BEGIN
            INSERT INTO balance (connection_id, amount_minor)
            SELECT connection_id, sum(amount_minor) FROM added
            WHERE account = 'receivable' GROUP BY connection_id ORDER BY connection_id
            ON CONFLICT (connection_id) DO UPDATE SET amount_minor = balance.amount_minor + excluded.amount_minor;
            RETURN NULL;
        END""",
    # What customers were billed by stays as it was.
    "tariff_version_frozen": """
        BEGIN
            IF (NEW.rules, NEW.valid_from, NEW.tariff_id) IS DISTINCT FROM (OLD.rules, OLD.valid_from, OLD.tariff_id)
               AND EXISTS (SELECT FROM invoice WHERE tariff_version_id = OLD.id) THEN
                RAISE EXCEPTION 'tariff version % is in use on invoices', OLD.id
                    USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN NEW;
        END""",
    # An issued invoice is a document.
    "invoice_frozen": """
        BEGIN
            RAISE EXCEPTION 'invoice % is issued and cannot change', OLD.number
                USING ERRCODE = 'integrity_constraint_violation';
        END""",
}

TRIGGERS = [
    """CREATE CONSTRAINT TRIGGER balanced AFTER INSERT ON ledger_entry DEFERRABLE INITIALLY DEFERRED
       FOR EACH ROW EXECUTE FUNCTION ledger_entry_balanced()""",
    """CREATE CONSTRAINT TRIGGER balanced AFTER INSERT ON posting DEFERRABLE INITIALLY DEFERRED
       FOR EACH ROW EXECUTE FUNCTION ledger_entry_balanced()""",
    """CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entry
       FOR EACH STATEMENT EXECUTE FUNCTION ledger_append_only()""",
    """CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON posting
       FOR EACH STATEMENT EXECUTE FUNCTION ledger_append_only()""",
    """CREATE TRIGGER keep_balances AFTER INSERT ON posting REFERENCING NEW TABLE AS added
       FOR EACH STATEMENT EXECUTE FUNCTION ledger_keep_balances()""",
    """CREATE TRIGGER frozen BEFORE UPDATE ON tariff_version
       FOR EACH ROW EXECUTE FUNCTION tariff_version_frozen()""",
    """CREATE TRIGGER frozen BEFORE UPDATE OR DELETE ON invoice
       FOR EACH ROW WHEN (OLD.status = 'issued') EXECUTE FUNCTION invoice_frozen()""",
]


def guards() -> None:
    for name, body in GUARDS.items():
        op.execute(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $${body}$$")
    for trigger in TRIGGERS:
        op.execute(trigger)


TABLES = (
    "balance", "posting", "ledger_entry", "invoice_line", "invoice", "number_series", "run_problem", "run_batch",
    "billing_run", "tariff_version", "reading", "meter_assignment", "meter", "connection", "tariff", "customer_phone",
    "customer", "zone",
)  # fmt: skip


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
    for name in GUARDS:
        op.execute(f"DROP FUNCTION {name}()")
    op.execute("DROP SEQUENCE account_body")
