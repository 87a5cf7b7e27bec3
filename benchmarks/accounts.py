"""A utility to bill: any number of connections with their meters and a month's reading, made by the database itself."""

import psycopg
from sqlalchemy.orm import Session

from benchmarks.customers import account_of, phone_of
from billing.models import Zone
from billing.tariffs import EXAMPLE, add_tariff, add_version

SLICE = 50_000


def fill(session: Session, url: str, accounts: int) -> None:
    """Make them; all is committed. Readings are of whole units, as the dials are, over 28 to 33 days."""
    from datetime import date

    zone, tariff = Zone(code="B", name="Town"), add_tariff(session, "Domestic water", "domestic")
    assert tariff is not None
    session.add(zone)
    session.flush()
    add_version(session, tariff.id, date(2020, 1, 1), EXAMPLE, "bench")
    session.commit()
    for first in range(0, accounts, SLICE):
        _slice(url, zone.id, tariff.id, first, min(first + SLICE, accounts))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SELECT setval(pg_get_serial_sequence('connection', 'id'), 1000 + %s)", [accounts])
        connection.execute("VACUUM ANALYZE")


def _slice(url: str, zone: int, tariff: int, first: int, end: int) -> None:
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("CREATE TEMP TABLE made (number int, account text, phone text) ON COMMIT DROP")
        with cursor.copy("COPY made FROM STDIN") as rows:
            for number in range(first, end):
                rows.write_row((number, account_of(number), phone_of(number)))
        for statement in STATEMENTS:
            cursor.execute(statement, {"zone": zone, "tariff": tariff})


STATEMENTS = (
    """
    INSERT INTO customer (id, name, kind, language, status, created_at, pin_tries) OVERRIDING SYSTEM VALUE
    SELECT 1000 + number, 'Amina Otieno ' || number, 'domestic', CASE number %% 3 WHEN 0 THEN 'sw' ELSE 'en' END,
           'active', now(), 0 FROM made
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
    SELECT 1000 + number, 1000 + number, '2026-09-30', 40 FROM made
    """,
    """
    INSERT INTO reading (connection_id, meter_id, value, usage, taken_on, source, entered_by, status, note, created_at)
    SELECT 1000 + number, 1000 + number, 40 + month * used, month * used,
           CASE month WHEN 0 THEN date '2026-09-30' ELSE date '2026-10-28' + number %% 4 END,
           CASE month WHEN 0 THEN 'opening' ELSE 'field' END, 'bench', 'accepted', '', now()
    FROM (SELECT number, (number::bigint * 7919) %% 61 AS used FROM made) m, generate_series(0, 1) month
    """,
)
