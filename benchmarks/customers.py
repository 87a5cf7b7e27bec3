"""Customers to measure with: any number of alike ones, made by the database itself within seconds."""

from datetime import date

import psycopg
from sqlalchemy import select
from sqlalchemy.orm import Session

from billing.accounts import with_check_digit
from billing.models import Tariff, Zone
from billing.tariffs import EXAMPLE, add_tariff, add_version

FIRST_PHONE = 710_000_000
FIRST_BODY = 1_000_001
OWED = 125_000


def phone_of(number: int) -> str:
    """The phone of customer `number`, from 0."""
    return f"+254{FIRST_PHONE + number}"


def account_of(number: int) -> str:
    return with_check_digit(str(FIRST_BODY + number))


def first_rows(session: Session) -> tuple[int, int]:
    """A zone and a tariff that has been in force for long: those that are there, or new ones."""
    zone, tariff = session.scalar(select(Zone)), session.scalar(select(Tariff))
    if zone is None or tariff is None:
        zone, tariff = Zone(code="B", name="Town"), add_tariff(session, "Domestic water", "domestic")
        assert tariff is not None
        session.add(zone)
        session.flush()
        add_version(session, tariff.id, date(2020, 1, 1), EXAMPLE, "bench")
    return zone.id, tariff.id


def fill(url: str, zone: int, tariff: int, first: int, last: int) -> None:
    """Customers `first` to `last`: each with a phone, a connection, a meter, four readings, an invoice and a balance.

    Triggers are off while it runs: the ledger's guards are made for entries, and these balances have none.
    """
    with psycopg.connect(url) as connection:
        connection.execute("SET session_replication_role = replica")
        with connection.cursor() as cursor:
            cursor.execute("CREATE TEMP TABLE made (number int, account text, phone text) ON COMMIT DROP")
            with cursor.copy("COPY made FROM STDIN") as rows:
                for number in range(first, last + 1):
                    rows.write_row((number, account_of(number), phone_of(number)))
        for statement in STATEMENTS:
            connection.execute(statement, {"zone": zone, "tariff": tariff, "owed": OWED})
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


STATEMENTS = (
    """
    INSERT INTO customer (id, name, kind, language, status, created_at, pin_tries) OVERRIDING SYSTEM VALUE
    SELECT 1000 + number, 'Amina Otieno ' || number, 'domestic', 'en', 'active', now(), 0 FROM made
    """,
    """
    INSERT INTO customer_phone (phone, customer_id, added_by, created_at)
    SELECT phone, 1000 + number, 'bench', now() FROM made
    """,
    """
    INSERT INTO connection (id, account_no, customer_id, zone_id, tariff_id, status, address, opened_on,
                            building, department, prepaid) OVERRIDING SYSTEM VALUE
    SELECT 1000 + number, account, 1000 + number, %(zone)s, %(tariff)s, 'active', 'Plot ' || number, '2024-01-01',
           '', '', false FROM made
    """,
    """
    INSERT INTO meter (id, serial, digits, size_mm, status) OVERRIDING SYSTEM VALUE
    SELECT 1000 + number, 'WM' || lpad(number::text, 8, '0'), 6, 15, 'installed' FROM made
    """,
    """
    INSERT INTO meter_assignment (meter_id, connection_id, from_on, start_value)
    SELECT 1000 + number, 1000 + number, current_date - 120, 40 FROM made
    """,
    """
    INSERT INTO reading (connection_id, meter_id, value, usage, taken_on, source, entered_by, status, note, created_at)
    SELECT 1000 + number, 1000 + number, 40 + 20 * month, CASE month WHEN 0 THEN 0 ELSE 20 END,
           current_date - 120 + 30 * month, CASE month WHEN 0 THEN 'opening' ELSE 'field' END, 'bench', 'accepted', '',
           now()
    FROM made, generate_series(0, 3) month
    """,
    """
    INSERT INTO invoice (number, connection_id, kind, period_start, period_end, due_on, usage, days, cycles,
                         amount_minor, arrears_minor, status, tariff_version_id, opening_reading_id,
                         closing_reading_id, created_at, issued_at)
    SELECT 'B' || made.number, 1000 + made.number, 'regular', date_trunc('month', current_date - 60),
           date_trunc('month', current_date - 30) - interval '1 day', current_date, 20, 30, 1, %(owed)s, 0, 'issued',
           (SELECT id FROM tariff_version WHERE tariff_id = %(tariff)s), older.id, newer.id, now(), now()
    FROM made JOIN reading older ON older.connection_id = 1000 + made.number AND older.value = 80
              JOIN reading newer ON newer.connection_id = 1000 + made.number AND newer.value = 100
    """,
    """
    INSERT INTO invoice_line (invoice_id, position, code, label, quantity, rate, amount_minor, account)
    SELECT invoice.id, position, 'tier', 'Water', 10, 62.5, %(owed)s / 2, 'revenue:water'
    FROM made JOIN invoice ON invoice.connection_id = 1000 + made.number, generate_series(1, 2) position
    """,
    "INSERT INTO balance (connection_id, amount_minor) SELECT 1000 + number, %(owed)s FROM made",
)
