"""Officers: roles, second step, sessions, and the audit of every change."""

import json

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0015_officers"
down_revision = "0014_cashier"
branch_labels = None
depends_on = None

AUDITED: dict[str, dict[str, object]] = {
    "zone": {"key": ["id"]},
    "customer": {"key": ["id"], "secret": ["pin_hash"], "quiet": ["pin_tries"]},
    "customer_phone": {"key": ["phone"]},
    "connection": {"key": ["id"]},
    "meter": {"key": ["id"]},
    "meter_assignment": {"key": ["id"]},
    "reading": {"key": ["id"], "routine_insert": True},
    "tariff": {"key": ["id"]},
    "tariff_version": {"key": ["id"]},
    "levy_rate": {"key": ["series", "month"]},
    "billing_run": {"key": ["id"], "quiet": ["done", "failed", "skipped", "issued"]},
    "invoice": {"key": ["id"], "routine_insert": True, "routine_while": {"status": "draft"}},
    "adjustment": {"key": ["id"]},
    "credit_policy": {"key": ["kind"]},
    "payment_plan": {"key": ["id"]},
    "plan_instalment": {"key": ["plan_id", "position"]},
    "dunning_step": {"key": ["id"], "routine_insert": True},
    "receipt": {"key": ["id"], "routine_insert": True},
    "fault_report": {"key": ["id"], "routine_insert": True},
    "link_request": {"key": ["id"], "routine_insert": True},
    "message_template": {"key": ["name", "language"]},
    "bulk_send": {"key": ["id"], "quiet": ["filled_to"]},
    "opt_out": {"key": ["phone"]},
    "office_user": {
        "key": ["id"], "secret": ["password_hash", "totp_sealed"], "quiet": ["last_login_at", "totp_step"],
    },
    "recovery_code": {"key": ["id"], "secret": ["code_hash"]},
    "water_budget": {"key": ["connection_id", "since"]},
    "anomaly": {"key": ["id"], "routine_insert": True},
    "desk_day": {"key": ["id"]},
    "money_move": {"key": ["id"]},
    "bank_profile": {"key": ["account"]},
    "bank_line": {"key": ["id"], "routine_insert": True},
    "day_closing": {"key": ["id"], "routine_insert": True},
    "day_difference": {"key": ["id"], "routine_insert": True},
}  # fmt: skip

FUNCTIONS = (
    # Who acts: as the transaction says, else the service by its connection's name, else a person at a prompt of SQL.
    """CREATE FUNCTION audit_by_service() RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT coalesce(current_setting('app.actor', true), '') <> ''
        OR current_setting('application_name') ~ '^mita(-|$)'
    $$""",
    """CREATE FUNCTION audit_actor() RETURNS text LANGUAGE sql STABLE AS $$
    SELECT coalesce(
        nullif(current_setting('app.actor', true), ''),
        CASE WHEN current_setting('application_name') ~ '^mita(-|$)' THEN 'mita' ELSE 'sql ' || session_user END
    )
    $$""",
    """CREATE FUNCTION audit_source() RETURNS text LANGUAGE sql STABLE AS $$
    SELECT coalesce(
        nullif(current_setting('app.source', true), ''),
        concat_ws(' ', nullif(current_setting('application_name'), ''), host(inet_client_addr()))
    )
    $$""",
    """CREATE FUNCTION audit_names(rule jsonb, part text) RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(array_agg(name), '{}') FROM jsonb_array_elements_text(rule -> part) AS names (name)
    $$""",
    # The parts of a key, of which most have one only.
    """CREATE FUNCTION audit_key(one jsonb, keys text[]) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN cardinality(keys) = 1 THEN one ->> keys[1]
        ELSE array_to_string(ARRAY(SELECT one ->> part FROM unnest(keys) AS parts (part)), '/') END
    $$""",
    # One statement's rows at once: what is new or gone is kept whole, of what was changed the columns that were.
    """CREATE FUNCTION audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        rule CONSTANT jsonb := TG_ARGV[0]::jsonb;
        keys CONSTANT text[] := audit_names(rule, 'key');
        secret CONSTANT text[] := audit_names(rule, 'secret');
        quiet CONSTANT text[] := audit_names(rule, 'quiet');
        ours CONSTANT boolean := audit_by_service();
        routine CONSTANT jsonb := CASE WHEN ours THEN rule -> 'routine_while' END;
        who CONSTANT text := audit_actor();
        whence CONSTANT text := audit_source();
    BEGIN
        IF TG_OP = 'INSERT' THEN
            IF ours AND coalesce((rule -> 'routine_insert')::boolean, false) THEN
                RETURN NULL;
            END IF;
            INSERT INTO audit_entry (at, actor, source, thing, key, action, after)
            SELECT clock_timestamp(), who, whence, TG_TABLE_NAME, audit_key(one, keys), 'insert',
                audit_shown(one, secret, quiet)
            FROM (SELECT to_jsonb(a) AS one FROM added a) rows;
        ELSIF TG_OP = 'DELETE' THEN
            INSERT INTO audit_entry (at, actor, source, thing, key, action, before)
            SELECT clock_timestamp(), who, whence, TG_TABLE_NAME, audit_key(one, keys), 'delete',
                audit_shown(one, secret, quiet)
            FROM (SELECT to_jsonb(g) AS one FROM gone g) rows
            WHERE routine IS NULL OR NOT one @> routine;
        ELSIF TG_OP = 'UPDATE' THEN
            IF routine IS NOT NULL AND NOT EXISTS (SELECT FROM gone g WHERE NOT to_jsonb(g) @> routine) THEN
                RETURN NULL;
            END IF;
            -- A row whose key was changed has no partner: the old one is gone, the new one is added.
            INSERT INTO audit_entry (at, actor, source, thing, key, action, before, after)
            SELECT clock_timestamp(), who, whence, TG_TABLE_NAME, key,
                CASE WHEN present.one IS NULL THEN 'delete' WHEN past.one IS NULL THEN 'insert' ELSE 'update' END,
                CASE WHEN past.one IS NOT NULL THEN was END,
                CASE WHEN present.one IS NOT NULL THEN is_now END
            FROM (SELECT audit_key(to_jsonb(g), keys) AS key, to_jsonb(g) AS one FROM gone g) past
            FULL JOIN (SELECT audit_key(to_jsonb(a), keys) AS key, to_jsonb(a) AS one FROM added a) present USING (key)
            CROSS JOIN LATERAL (
                SELECT jsonb_object_agg(name, audit_value(name, past.one -> name, secret)) AS was,
                    jsonb_object_agg(name, audit_value(name, present.one -> name, secret)) AS is_now
                FROM jsonb_each(coalesce(past.one, present.one) - quiet) AS columns (name, value)
                WHERE past.one IS NULL OR present.one IS NULL OR value <> present.one -> name
            ) changed
            WHERE past.one IS DISTINCT FROM present.one AND was IS NOT NULL
                AND (routine IS NULL OR NOT coalesce(past.one @> routine, false));
        ELSE
            INSERT INTO audit_entry (at, actor, source, thing, key, action)
            VALUES (clock_timestamp(), who, whence, TG_TABLE_NAME, '', 'truncate');
        END IF;
        RETURN NULL;
    END $$""",
    # Simple enough that PostgreSQL puts it into the query instead of calling it for each column.
    """CREATE FUNCTION audit_value(name text, value jsonb, secret text[]) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN name = ANY (secret) AND value <> 'null' THEN '"hidden"' ELSE value END
    $$""",
    # A whole row: no empty columns, none that count by themselves, no secrets.
    """CREATE FUNCTION audit_shown(one jsonb, secret text[], quiet text[]) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN secret = '{}' THEN jsonb_strip_nulls(one - quiet)
        ELSE (
            SELECT jsonb_object_agg(name, audit_value(name, value, secret))
            FROM jsonb_each(jsonb_strip_nulls(one - quiet)) AS columns (name, value)
        ) END
    $$""",
    """CREATE FUNCTION audit_kept() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'the audit is append-only: % refused', TG_OP USING ERRCODE = 'restrict_violation';
    END $$""",
    # For later migrations: SELECT audit_table('work_order', '{"key": ["id"]}')
    """CREATE FUNCTION audit_table(audited regclass, rule jsonb) RETURNS void LANGUAGE plpgsql AS $$
    DECLARE
        made CONSTANT text := 'CREATE TRIGGER audit_%s AFTER %s ON %s %s FOR EACH STATEMENT '
            'EXECUTE FUNCTION audit_change(%L)';
        old_rows CONSTANT text := 'OLD TABLE AS gone';
        new_rows CONSTANT text := 'NEW TABLE AS added';
    BEGIN
        PERFORM audit_table_no_more(audited);
        EXECUTE format(made, 'insert', 'INSERT', audited, 'REFERENCING ' || new_rows, rule);
        EXECUTE format(made, 'delete', 'DELETE', audited, 'REFERENCING ' || old_rows, rule);
        EXECUTE format(made, 'update', 'UPDATE', audited, concat_ws(' ', 'REFERENCING', old_rows, new_rows), rule);
        EXECUTE format(made, 'truncate', 'TRUNCATE', audited, '', rule);
    END $$""",
    """CREATE FUNCTION audit_table_no_more(audited regclass) RETURNS void LANGUAGE plpgsql AS $$
    DECLARE
        event text;
    BEGIN
        FOREACH event IN ARRAY ARRAY['insert', 'delete', 'update', 'truncate'] LOOP
            EXECUTE format('DROP TRIGGER IF EXISTS audit_%s ON %s', event, audited);
        END LOOP;
    END $$""",
)
DROPPED = (
    "audit_table(regclass, jsonb)", "audit_table_no_more(regclass)", "audit_change()", "audit_kept()",
    "audit_shown(jsonb, text[], text[])", "audit_value(text, jsonb, text[])", "audit_key(jsonb, text[])",
    "audit_names(jsonb, text)", "audit_source()", "audit_actor()", "audit_by_service()",
)  # fmt: skip


def upgrade() -> None:
    _officers()
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("thing", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("before", JSONB),
        sa.Column("after", JSONB),
    )
    op.create_index("ix_audit_entry_at", "audit_entry", ["at", "id"])
    op.create_index("ix_audit_entry_actor", "audit_entry", ["actor", "id"])
    op.create_index("ix_audit_entry_thing", "audit_entry", ["thing", "key", "id"])
    for function in FUNCTIONS:
        op.execute(function)
    op.execute(
        "CREATE TRIGGER kept BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_kept()"
    )
    for table, rule in AUDITED.items():
        op.execute(f"SELECT audit_table('{table}', '{json.dumps(rule)}')".replace(":", r"\:"))


def _officers() -> None:
    op.drop_constraint("ck_office_user_role", "office_user")
    op.execute("UPDATE office_user SET role = 'billing' WHERE role = 'clerk'")
    op.execute("UPDATE office_user SET role = 'auditor' WHERE role = 'read-only'")
    op.create_check_constraint(
        "role", "office_user", "role IN ('administrator', 'billing', 'accountant', 'field', 'support', 'auditor')"
    )
    op.add_column("office_user", sa.Column("totp_sealed", sa.LargeBinary))
    op.add_column("office_user", sa.Column("totp_step", sa.BigInteger))
    op.create_table(
        "recovery_code",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("user_id", sa.BigInteger, sa.ForeignKey("office_user.id"), nullable=False),
        sa.Column("code_hash", sa.Text, nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True)),
    )
    op.create_index("ix_recovery_code_user_id", "recovery_code", ["user_id"])
    op.add_column("office_session", sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False))
    op.create_index("uq_office_session_id", "office_session", ["id"], unique=True)
    op.add_column("office_session", sa.Column("browser", sa.Text, nullable=False, server_default=""))


def downgrade() -> None:
    for table in AUDITED:
        op.execute(f"SELECT audit_table_no_more('{table}')")
    op.drop_table("audit_entry")
    for function in DROPPED:
        op.execute(f"DROP FUNCTION {function}")
    op.drop_column("office_session", "browser")
    op.drop_index("uq_office_session_id", "office_session")
    op.drop_column("office_session", "id")
    op.drop_table("recovery_code")
    for column in ("totp_step", "totp_sealed"):
        op.drop_column("office_user", column)
    op.drop_constraint("ck_office_user_role", "office_user")
    op.execute("UPDATE office_user SET role = 'clerk' WHERE role IN ('billing', 'accountant', 'field', 'support')")
    op.execute("UPDATE office_user SET role = 'read-only' WHERE role = 'auditor'")
    op.create_check_constraint("role", "office_user", "role IN ('administrator', 'clerk', 'read-only')")
