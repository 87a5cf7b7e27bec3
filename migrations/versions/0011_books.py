"""What the books still lacked: months that stand out, and a customer's own water budget."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011_books"
down_revision = "0010_bills"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "water_budget",
        sa.Column("connection_id", sa.BigInteger, sa.ForeignKey("connection.id"), primary_key=True),
        sa.Column("since", sa.Date, primary_key=True),
        sa.Column("amount", sa.Numeric(14, 3)),
        sa.Column("set_by", sa.Text, nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount > 0", name="amount"),
        sa.CheckConstraint("extract(day FROM since) = 1", name="since"),
    )
    op.create_table(
        "anomaly",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("connection_id", sa.BigInteger, sa.ForeignKey("connection.id"), nullable=False),
        sa.Column("month", sa.Date, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("score", sa.Numeric(12, 2), nullable=False),
        sa.Column("daily", sa.Numeric(18, 4), nullable=False),
        sa.Column("usual", sa.Numeric(18, 4), nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("told", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reviewed_by", sa.Text),
        sa.Column("reviewed_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("kind IN ('leak', 'drop', 'stuck', 'zero_streak')", name="kind"),
        sa.CheckConstraint("status IN ('open', 'confirmed', 'dismissed')", name="status"),
        sa.CheckConstraint("(status = 'open') = (reviewed_by IS NULL)", name="reviewed"),
        sa.UniqueConstraint("connection_id", "month", "kind"),
    )
    op.create_index("ix_anomaly_status", "anomaly", ["status", "id"])
    op.create_table(
        "dunning_round",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("after", sa.BigInteger, nullable=False),
        sa.Column("taken", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("kind IN ('steps', 'fees')", name="kind"),
    )
    op.create_index(
        "uq_dunning_round_open", "dunning_round", ["kind"], unique=True, postgresql_where=sa.text("done_at IS NULL")
    )
    op.create_table(
        "zone_season",
        sa.Column("zone_id", sa.BigInteger, sa.ForeignKey("zone.id"), primary_key=True),
        sa.Column("month", sa.Date, primary_key=True),
        sa.Column("share", sa.Double, nullable=False),
    )
    op.create_table(
        "anomaly_search",
        sa.Column("run_id", sa.BigInteger, sa.ForeignKey("billing_run.id"), primary_key=True),
        sa.Column("after", sa.BigInteger, nullable=False),
        sa.Column("looked", sa.BigInteger, nullable=False),
        sa.Column("found", sa.BigInteger, nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True)),
    )
    op.add_column("billing_run", sa.Column("review", postgresql.JSONB))
    references_in_sets()


def downgrade() -> None:
    references_by_row()
    op.drop_column("billing_run", "review")
    op.drop_table("anomaly_search")
    op.drop_table("zone_season")
    op.drop_table("dunning_round")
    op.drop_table("anomaly")
    op.drop_table("water_budget")


# A foreign key looks at each row by itself: for the invoices, lines and postings of a run that took a third of the
# database's time. These guards look at all rows of a statement at once. They always go by the index, whatever the
# planner knew of the tables when it first saw them.
BY_INDEX = "SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off"

IN_SETS = {
    # A reading belongs to a connection that there is, by a key of its own.
    "invoice_belongs": """
        BEGIN
            IF (SELECT count(*) FROM added) <> (
                SELECT count(*) FROM added a
                JOIN reading o ON o.id = a.opening_reading_id AND o.connection_id = a.connection_id
                JOIN reading c ON c.id = a.closing_reading_id AND c.connection_id = a.connection_id)
               OR EXISTS (SELECT FROM (SELECT DISTINCT run_id FROM added WHERE run_id IS NOT NULL) a
                          WHERE NOT EXISTS (SELECT FROM billing_run r WHERE r.id = a.run_id))
               OR EXISTS (SELECT FROM (SELECT DISTINCT tariff_version_id AS id FROM added) a
                          WHERE NOT EXISTS (SELECT FROM tariff_version v WHERE v.id = a.id)) THEN
                RAISE EXCEPTION 'an invoice has no readings of its connection, no tariff version or no run'
                    USING ERRCODE = 'foreign_key_violation';
            END IF;
            RETURN NULL;
        END""",
    # Held as a foreign key holds it, so that nobody deletes the draft meanwhile.
    "invoice_line_belongs": """
        BEGIN
            IF (SELECT count(DISTINCT invoice_id) FROM added) <> (SELECT count(*) FROM (
                SELECT FROM invoice WHERE id IN (SELECT invoice_id FROM added) FOR KEY SHARE) held) THEN
                RAISE EXCEPTION 'a line belongs to no invoice' USING ERRCODE = 'foreign_key_violation';
            END IF;
            RETURN NULL;
        END""",
    "invoice_line_orphaned": """
        BEGIN
            IF EXISTS (SELECT FROM invoice_line l JOIN gone ON gone.id = l.invoice_id) THEN
                RAISE EXCEPTION 'an invoice goes with its lines' USING ERRCODE = 'foreign_key_violation';
            END IF;
            RETURN NULL;
        END""",
    "invoice_line_frozen": """
        BEGIN
            IF EXISTS (SELECT FROM gone JOIN invoice i ON i.id = gone.invoice_id WHERE i.status <> 'draft') THEN
                RAISE EXCEPTION 'the lines of an issued invoice cannot change'
                    USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN NULL;
        END""",
    # Nobody may be making a bill of it meanwhile: to delete one is rare, so it waits for those who write bills.
    "reading_leant_on": """
        BEGIN
            LOCK TABLE invoice IN SHARE MODE;
            IF EXISTS (SELECT FROM gone JOIN invoice i ON i.connection_id = gone.connection_id
                       WHERE gone.id IN (i.opening_reading_id, i.closing_reading_id)) THEN
                RAISE EXCEPTION 'DELETE of reading refused: bills lean on it'
                    USING ERRCODE = 'foreign_key_violation';
            END IF;
            RETURN NULL;
        END""",
    "tariff_version_leant_on": """
        BEGIN
            LOCK TABLE invoice IN SHARE MODE;
            IF EXISTS (SELECT FROM invoice WHERE tariff_version_id IN (SELECT id FROM gone)) THEN
                RAISE EXCEPTION 'DELETE of tariff_version refused: bills lean on it'
                    USING ERRCODE = 'foreign_key_violation';
            END IF;
            RETURN NULL;
        END""",
    # What bills are made of stays; a reading that was wrong is marked so, and a run is cancelled.
    "bills_lean_on": """
        BEGIN
            RAISE EXCEPTION '% of % refused: bills lean on it', TG_OP, TG_TABLE_NAME
                USING ERRCODE = 'integrity_constraint_violation';
        END""",
    # Entries are never deleted, so that they are there is enough.
    "ledger_unsettled": """
        BEGIN
            IF EXISTS (SELECT FROM (SELECT DISTINCT entry_id FROM added) a
                       WHERE NOT EXISTS (SELECT FROM ledger_entry e WHERE e.id = a.entry_id)) THEN
                RAISE EXCEPTION 'a posting belongs to no entry' USING ERRCODE = 'foreign_key_violation';
            END IF;
            INSERT INTO ledger_unsettled (entry_id)
            SELECT entry_id FROM added GROUP BY entry_id HAVING sum(amount_minor) <> 0
            ON CONFLICT DO NOTHING;
            RETURN NULL;
        END""",
}

PARENTS = "connection_id, run_id, tariff_version_id, opening_reading_id, closing_reading_id"

SET_TRIGGERS = (
    ("belongs", "invoice", "AFTER INSERT", "REFERENCING NEW TABLE AS added", "invoice_belongs"),
    ("belongs", "invoice_line", "AFTER INSERT", "REFERENCING NEW TABLE AS added", "invoice_line_belongs"),
    ("frozen", "invoice_line", "AFTER DELETE", "REFERENCING OLD TABLE AS gone", "invoice_line_frozen"),
    ("orphaned", "invoice", "AFTER DELETE", "REFERENCING OLD TABLE AS gone", "invoice_line_orphaned"),
    ("kept", "invoice_line", "BEFORE UPDATE OR TRUNCATE", "", "bills_lean_on"),
    ("kept", "invoice", f"BEFORE UPDATE OF id, {PARENTS} OR TRUNCATE", "", "bills_lean_on"),
    ("kept", "reading", "BEFORE UPDATE OF id, connection_id OR TRUNCATE", "", "bills_lean_on"),
    ("leant_on", "reading", "AFTER DELETE", "REFERENCING OLD TABLE AS gone", "reading_leant_on"),
    ("kept", "tariff_version", "BEFORE UPDATE OF id OR TRUNCATE", "", "bills_lean_on"),
    ("leant_on", "tariff_version", "AFTER DELETE", "REFERENCING OLD TABLE AS gone", "tariff_version_leant_on"),
    ("kept", "billing_run", "BEFORE UPDATE OF id OR DELETE OR TRUNCATE", "", "bills_lean_on"),
)
FOREIGN_KEYS = (
    ("invoice_line", "invoice_id", "invoice"),
    ("posting", "entry_id", "ledger_entry"),
    ("invoice", "connection_id", "connection"),
    ("invoice", "run_id", "billing_run"),
    ("invoice", "tariff_version_id", "tariff_version"),
    ("invoice", "opening_reading_id", "reading"),
    ("invoice", "closing_reading_id", "reading"),
)

UNSETTLED = """
    BEGIN
        INSERT INTO ledger_unsettled (entry_id)
        SELECT entry_id FROM added GROUP BY entry_id HAVING sum(amount_minor) <> 0
        ON CONFLICT DO NOTHING;
        RETURN NULL;
    END"""


def references_in_sets() -> None:
    for child, column, _ in FOREIGN_KEYS:
        op.drop_constraint(f"fk_{child}_{column}", child, type_="foreignkey")
    for name, body in IN_SETS.items():
        op.execute(f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql {BY_INDEX} AS $${body}$$")
    for name, table, event, rows, function in SET_TRIGGERS:
        op.execute(f"CREATE TRIGGER {name} {event} ON {table} {rows} FOR EACH STATEMENT EXECUTE FUNCTION {function}()")


def references_by_row() -> None:
    for name, table, *_ in SET_TRIGGERS:
        op.execute(f"DROP TRIGGER {name} ON {table}")
    for name in IN_SETS.keys() - {"ledger_unsettled"}:
        op.execute(f"DROP FUNCTION {name}()")
    op.execute(f"CREATE OR REPLACE FUNCTION ledger_unsettled() RETURNS trigger LANGUAGE plpgsql AS $${UNSETTLED}$$")
    for child, column, parent in FOREIGN_KEYS:
        op.create_foreign_key(f"fk_{child}_{column}", child, parent, [column], ["id"])
