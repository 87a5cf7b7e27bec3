"""What a reading said before it was corrected, how its dials went, how far customers are believed; dated levies."""

import sqlalchemy as sa
from alembic import op

revision = "0009_readings"
down_revision = "0008_archive"
branch_labels = None
depends_on = None

# A version that has a part in a bill is frozen, though the bill names only the newest of its versions.
FROZEN = """
    BEGIN
        IF (NEW.rules, NEW.valid_from, NEW.tariff_id) IS DISTINCT FROM (OLD.rules, OLD.valid_from, OLD.tariff_id)
           AND EXISTS (
               SELECT FROM tariff_version v JOIN invoice i ON i.tariff_version_id = v.id
               JOIN reading opening ON opening.id = i.opening_reading_id
               WHERE v.tariff_id = OLD.tariff_id AND (
                   v.id = OLD.id
                   OR v.valid_from > OLD.valid_from AND (OLD.valid_to IS NULL OR opening.taken_on <= OLD.valid_to)
               )
           ) THEN
            RAISE EXCEPTION 'tariff version % is in use on invoices', OLD.id
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END"""

FROZEN_BEFORE = """
    BEGIN
        IF (NEW.rules, NEW.valid_from, NEW.tariff_id) IS DISTINCT FROM (OLD.rules, OLD.valid_from, OLD.tariff_id)
           AND EXISTS (SELECT FROM invoice WHERE tariff_version_id = OLD.id) THEN
            RAISE EXCEPTION 'tariff version % is in use on invoices', OLD.id
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END"""

KEPT = """
    BEGIN
        RAISE EXCEPTION '% of % refused: what was is kept', TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'integrity_constraint_violation';
    END"""


def upgrade() -> None:
    op.add_column("reading", sa.Column("turn", sa.Text, nullable=False, server_default="forward"))
    op.add_column("reading", sa.Column("doubt", sa.Text, nullable=False, server_default=""))
    op.create_check_constraint("turn", "reading", "turn IN ('forward', 'rollover', 'reversed')")
    op.execute("UPDATE reading SET turn = 'rollover' WHERE note = 'rollover'")
    op.execute("UPDATE reading SET doubt = 'high' WHERE status = 'review'")
    op.create_index(
        "ix_reading_estimate", "reading", ["connection_id", "taken_on"], postgresql_where=sa.text("source = 'estimate'")
    )
    corrections()
    self_readings()
    op.create_table(
        "levy_rate", sa.Column("series", sa.Text, primary_key=True), sa.Column("month", sa.Date, primary_key=True),
        sa.Column("rate", sa.Numeric(20, 8), nullable=False), sa.Column("entered_by", sa.Text, nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("extract(day FROM month) = 1", name="month"),
    )  # fmt: skip
    op.execute(f"CREATE OR REPLACE FUNCTION tariff_version_frozen() RETURNS trigger LANGUAGE plpgsql AS $${FROZEN}$$")


def corrections() -> None:
    op.create_table(
        "reading_correction", sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("reading_id", sa.BigInteger, sa.ForeignKey("reading.id"), nullable=False),
        *(
            sa.Column(name, sa.Numeric(14, 3), nullable=False)
            for name in ("old_value", "old_usage", "new_value", "new_usage")
        ),
        sa.Column("reason", sa.Text, nullable=False), sa.Column("corrected_by", sa.Text, nullable=False),
        sa.Column("corrected_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("reason <> ''", name="reason"),
    )  # fmt: skip
    op.create_index("ix_reading_correction_reading_id", "reading_correction", ["reading_id", "id"])
    op.execute(f"CREATE FUNCTION reading_correction_kept() RETURNS trigger LANGUAGE plpgsql AS $${KEPT}$$")
    op.execute(
        "CREATE TRIGGER kept BEFORE UPDATE OR DELETE ON reading_correction"
        " FOR EACH STATEMENT EXECUTE FUNCTION reading_correction_kept()"
    )


def self_readings() -> None:
    op.create_table(
        "self_reading",
        sa.Column(
            "connection_id", sa.BigInteger, sa.ForeignKey("connection.id"), primary_key=True, autoincrement=False
        ),
        sa.Column("state", sa.Text, nullable=False), sa.Column("streak", sa.BigInteger, nullable=False),
        sa.Column("audited_on", sa.Date),
        sa.CheckConstraint("state IN ('new', 'trusted', 'watched')", name="state"),
        sa.CheckConstraint("streak >= 0", name="streak"),
    )  # fmt: skip
    op.create_index("ix_self_reading_streak", "self_reading", ["streak", "connection_id"])
    # Those who have sent readings already begin where they stand.
    op.execute(
        """
        INSERT INTO self_reading (connection_id, state, streak)
        SELECT r.connection_id, 'new', count(*) FROM reading r
        WHERE r.status = 'accepted' AND r.source LIKE 'customer%' AND NOT EXISTS (
            SELECT FROM reading o WHERE o.connection_id = r.connection_id AND o.status = 'accepted'
              AND o.source IN ('office', 'field') AND o.id > r.id
        )
        GROUP BY r.connection_id
        """
    )


def downgrade() -> None:
    op.execute(
        f"CREATE OR REPLACE FUNCTION tariff_version_frozen() RETURNS trigger LANGUAGE plpgsql AS $${FROZEN_BEFORE}$$"
    )
    for table in ("levy_rate", "self_reading", "reading_correction"):
        op.drop_table(table)
    op.execute("DROP FUNCTION reading_correction_kept()")
    op.drop_index("ix_reading_estimate", "reading")
    op.drop_constraint("turn", "reading", type_="check")
    op.drop_column("reading", "doubt")
    op.drop_column("reading", "turn")
