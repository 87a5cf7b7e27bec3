"""The audit: written by the database whoever changes a row, and by nobody afterwards."""

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime

import psycopg
import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from admin_web.models import OfficeUser
from billing.batches import run_now
from billing.models import BillingRun, Connection, Customer, CustomerPhone, Invoice, Reading
from billing.runs import issue_run, start_run
from billing.voids import make_void
from core.audit import AuditEntry, acting
from core.audit_rules import AUDITED, NOT_AUDITED
from core.clock import frozen
from core.config import Settings
from core.database import Base, transaction
from tests.admin_web.conftest import Browser
from tests.billing.estate import Estate, must_read


def entries(session: Session, thing: str, **where: str) -> list[AuditEntry]:
    session.rollback()
    query = select(AuditEntry).filter_by(thing=thing, **where).order_by(AuditEntry.id)
    return list(session.scalars(query))


def test_what_an_officer_does_is_hers_with_what_it_was_and_is(clerk: Browser, session: Session) -> None:
    assert clerk.post("/customers/new", name="Wanjiku Kamau", kind="domestic", language="sw").status_code == 303
    [added] = entries(session, "customer")
    assert (added.actor, added.source, added.action, added.before) == (
        "office user-billing",
        "127.0.0.1",
        "insert",
        None,
    )
    assert added.after is not None
    assert added.after["name"] == "Wanjiku Kamau"
    with transaction() as own:
        own.execute(update(Customer).values(name="Wanjiku Mwangi", kind="domestic"))
    [_, changed] = entries(session, "customer")
    assert changed.actor == "mita"
    assert (changed.before, changed.after) == ({"name": "Wanjiku Kamau"}, {"name": "Wanjiku Mwangi"})
    page = clerk.get(f"/customers/{changed.key}").text
    assert "Wanjiku Mwangi" in page
    assert "<del>Wanjiku Kamau</del>" in page
    assert "office user-billing" in page


def test_a_hand_at_the_database_is_named_and_so_is_a_truncate(session: Session, settings: Settings) -> None:
    estate = Estate(session)
    estate.customer("+254700000001")
    session.commit()
    with psycopg.connect(settings.database_url, application_name="psql") as hand:
        hand.execute("UPDATE customer SET language = 'fr'")
        hand.execute("DELETE FROM customer_phone")
        hand.execute("TRUNCATE opt_out")
        user = hand.info.user
    [changed] = entries(session, "customer", action="update")
    assert changed.actor == f"sql {user}"
    assert changed.source.startswith("psql")
    assert changed.after == {"language": "fr"}
    [gone] = entries(session, "customer_phone", action="delete")
    assert (gone.key, gone.after) == ("+254700000001", None)
    assert [entry.action for entry in entries(session, "opt_out")] == ["truncate"]


def test_bulk_statements_and_rows_that_are_changed_back_and_keys(session: Session) -> None:
    estate = Estate(session)
    for number in range(5):
        estate.connection(f"+25470000000{number}")
    session.commit()
    with transaction() as own, acting("x", "y"):
        own.execute(update(Connection).values(building="Block A"))
        own.execute(update(Connection).values(building="Block A"))
        own.execute(update(CustomerPhone).where(CustomerPhone.phone == "+254700000001").values(phone="+254711000001"))
    changed = entries(session, "connection", action="update")
    assert len(changed) == 5, "a row that stays as it was is no change"
    assert {tuple(entry.after or {}) for entry in changed} == {("building",)}
    moved = [(entry.action, entry.key) for entry in entries(session, "customer_phone")[5:]]
    assert sorted(moved) == [("delete", "+254700000001"), ("insert", "+254711000001")]


def test_secrets_are_never_kept_and_counters_are_quiet(
    session: Session, office_user: Callable[[str, str], OfficeUser]
) -> None:
    user = office_user("amina", "billing")
    with transaction() as own:
        one = own.get_one(OfficeUser, user.id)
        one.password_hash, one.totp_sealed = "$argon2$another", b"sealed"
    [added, changed] = entries(session, "office_user")
    assert (added.after or {})["password_hash"] == "hidden"
    assert changed.before == {"password_hash": "hidden", "totp_sealed": None}
    assert changed.after == {"password_hash": "hidden", "totp_sealed": "hidden"}
    with transaction() as own:
        own.execute(text("UPDATE office_user SET last_login_at = now(), totp_step = 5"))
    assert len(entries(session, "office_user")) == 2
    kept = str([(entry.before, entry.after) for entry in entries(session, "office_user")])
    assert not re.search("argon2|sealed(?!')", kept)


def test_what_the_service_does_by_the_thousand_is_told_elsewhere(session: Session, settings: Settings) -> None:
    estate = Estate(session)
    home = estate.metered()
    must_read(session, home, 110, date(2026, 10, 1))
    session.commit()
    assert entries(session, "reading") == []
    with transaction() as own:
        own.execute(update(Reading).values(note="seen"))
    assert len(entries(session, "reading", action="update")) == session.scalar(select(func.count(Reading.id)))
    with psycopg.connect(settings.database_url, application_name="psql") as hand:
        hand.execute(
            "INSERT INTO reading (connection_id, meter_id, value, usage, taken_on, source, entered_by, status, note,"
            " created_at) SELECT connection_id, meter_id, 999, 9, '2026-10-09', source, entered_by, status, '', now()"
            " FROM reading LIMIT 1"
        )
    [forged] = entries(session, "reading", action="insert")
    assert forged.actor.startswith("sql ")


def test_the_audit_is_append_only(session: Session, office_user: Callable[[str, str], OfficeUser]) -> None:
    office_user("amina", "billing")
    for statement in ("UPDATE audit_entry SET actor = 'x'", "DELETE FROM audit_entry", "TRUNCATE audit_entry"):
        with pytest.raises(DBAPIError, match="append-only"), transaction() as own:
            own.execute(text(statement))
    assert len(entries(session, "office_user")) == 1


def test_a_change_that_is_rolled_back_leaves_no_trace(session: Session) -> None:
    Estate(session).customer()
    session.rollback()
    assert entries(session, "customer") == []


def test_savepoints_keep_the_actor(session: Session) -> None:
    with acting("job billing.rate_batch", "outbox 7"), transaction() as own:
        estate = Estate(own)
        with own.begin_nested():
            estate.customer()
    [added] = entries(session, "customer")
    assert (added.actor, added.source) == ("job billing.rate_batch", "outbox 7")


def test_the_page_filters_pages_and_exports(
    enter: Callable[[str], Browser], session: Session, settings: Settings
) -> None:
    auditor = enter("auditor")
    with transaction() as own, acting("office zawadi", "10.0.0.9"):
        estate = Estate(own)
        for _ in range(60):
            estate.customer()
        own.execute(update(Customer).where(Customer.id == 1).values(name="=HYPERLINK(1)"))
    whole = auditor.get("/audit").text
    assert whole.count('class="change"') == 50
    assert "Next page" in whole
    of_zawadi = auditor.get("/audit?who=office+zawadi&thing=customer&key=1").text
    assert of_zawadi.count('class="change"') == 2
    assert "from 10.0.0.9" in of_zawadi
    assert "Nothing was changed like that" in auditor.get("/audit?day=2001-01-01").text
    day = session.scalars(select(func.max(AuditEntry.at))).one().astimezone().date()
    assert 'class="change"' in auditor.get(f"/audit?day={day}").text
    assert auditor.get("/audit?day=nonsense&thing=nonsense").status_code == 200
    answer = auditor.get("/audit.csv?thing=customer&who=office+zawadi")
    lines = answer.text.splitlines()
    assert len(lines) == 62
    assert lines[0] == "at,actor,source,thing,key,action,before,after"
    assert "HYPERLINK" in lines[1]
    assert answer.mimetype == "text/csv"


def test_drafts_are_the_runs_own_business_and_issued_bills_are_not(session: Session) -> None:
    """A run makes and issues bills without a word here; what happens to an issued one is kept."""
    estate = Estate(session)
    with frozen(datetime(2026, 4, 2, 9, tzinfo=UTC)):
        home = estate.metered("+254700000001")
        must_read(session, home, 110, date(2026, 3, 30))
        run = start_run(session, date(2026, 3, 1), "test")
        assert isinstance(run, BillingRun)
        run_now(session, run.id)
        assert isinstance(issue_run(session, run.id, "test"), BillingRun)
        run_now(session, run.id)
        session.commit()
        assert session.scalars(select(Invoice.status)).all() == ["issued"]
        assert entries(session, "invoice") == []
        assert entries(session, "billing_run")[0].action == "insert"
        with transaction() as own:
            bill = own.scalars(select(Invoice)).one()
            make_void(own, bill.id, "wrong meter")
    [voided] = entries(session, "invoice")
    assert (voided.before, voided.after) == ({"status": "issued"}, {"status": "void"})


def test_every_table_is_audited_or_says_why_not(session: Session) -> None:
    tables = set(Base.metadata.tables)
    assert set(AUDITED) | set(NOT_AUDITED) == tables, "list a new table in core/audit_rules.py"
    assert not set(AUDITED) & set(NOT_AUDITED)
    assert all(len(reason) > 10 for reason in NOT_AUDITED.values())
    there = session.execute(
        text(
            "SELECT c.relname, t.tgname, t.tgargs FROM pg_trigger t"
            " JOIN pg_class c ON c.oid = t.tgrelid WHERE t.tgname LIKE 'audit\\_%'"
        )
    ).all()
    assert {(table, name) for table, name, _ in there} == {
        (table, f"audit_{event}") for table in AUDITED for event in ("insert", "update", "delete", "truncate")
    }, "a migration makes them: SELECT audit_table('name', '{...}')"
    for table, _, rule in there:
        assert json.loads(bytes(rule).rstrip(b"\0")) == AUDITED[table].rule(), table


def test_rules_name_columns_that_are_there(session: Session) -> None:
    for table, audited in AUDITED.items():
        columns = {column.name for column in Base.metadata.tables[table].columns}
        assert {*audited.key, *audited.secret, *audited.quiet, *audited.routine_while} <= columns, table
        assert [column.name for column in Base.metadata.tables[table].primary_key] == list(audited.key), table
