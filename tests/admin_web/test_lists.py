"""Lists: narrowed by their address, paged by key, saved as they are shown, and changed many at a time."""

import csv
import io
from collections.abc import Callable
from datetime import date

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

import billing.bulk_jobs
from admin_web import exports
from billing import bulk_edits
from billing.customers import create_customer
from billing.ledger import Leg, post
from billing.models import BulkEdit, BulkEditRow, Connection, Customer, Tariff, Zone
from core.database import engine
from tests.admin_web.conftest import Browser
from tests.admin_web.test_import_pages import path_of, work
from tests.billing.estate import Estate, must_read

assert billing.bulk_jobs


@pytest.fixture
def estate(session: Session) -> Estate:
    """Thirty connections: the first three suspended, the fourth owing, the fifth in credit, ten in another zone."""
    estate = Estate(session)
    other = Zone(code="B", name="Bondeni")
    session.add_all([other, Tariff(name="Kiosk", customer_class="commercial")])
    session.flush()
    places = [estate.metered(f"+2547000001{n:02d}") for n in range(15)] + [estate.connection() for _ in range(15)]
    for place in places[:3]:
        place.status = "suspended"
    for place in places[20:]:
        place.zone_id = other.id
    for place, minor in ((places[3], 5000), (places[4], -7000)):
        post(session, "opening", f"test:{place.id}", [Leg("receivable", minor, place.id), Leg("opening", -minor)])
    must_read(session, places[0], 110, date(2026, 3, 1))
    session.commit()
    return estate


@pytest.fixture
def clerk(enter: Callable[[str], Browser], estate: Estate) -> Browser:
    return enter("billing")


def saved(browser: Browser, path: str) -> list[list[str]]:
    answer = browser.get(path)
    assert answer.status_code == 200
    assert "attachment" in answer.headers["Content-Disposition"]
    return list(csv.reader(io.StringIO(answer.text.lstrip("\ufeff"))))


@pytest.mark.parametrize(
    ("asked", "rows"),
    [
        ("", 30), ("show=suspended", 3), ("show=unmetered", 15), ("owing=owes", 1), ("owing=credit", 1),
        ("owing=settled", 28), ("zone=2", 10), ("zone=2&show=suspended", 0), ("tariff=1", 30), ("tariff=2", 0),
        ("zone=9", 30), ("show=nonsense", 30), ("q=1", 30), ("q=9", 0), ("zone=2%27--", 30),
    ],
)  # fmt: skip
def test_connections_are_narrowed_and_saved_as_they_are_shown(clerk: Browser, asked: str, rows: int) -> None:
    table = saved(clerk, f"/connections/file.csv?{asked}")
    assert len(table) == rows + 1
    assert clerk.get(f"/connections?{asked}").text.count('class="pick"') == min(rows, 25)


@pytest.mark.parametrize(
    ("path", "rows"),
    [
        ("/customers/file.csv", 30), ("/customers/file.csv?owing=owes", 1), ("/customers/file.csv?supply=suspended", 3),
        ("/customers/file.csv?phone=no", 15), ("/customers/file.csv?zone=2", 10),
        ("/customers/file.csv?kind=commercial", 0),
        ("/customers/file.csv?q=otieno", 30), ("/meters/file.csv?show=installed", 15), ("/meters/file.csv?zone=2", 0),
        ("/readings/file.csv", 16), ("/readings/file.csv?source=office", 1), ("/readings/file.csv?show=review", 0),
    ],
)  # fmt: skip
def test_every_list_is_saved_filtered(clerk: Browser, path: str, rows: int) -> None:
    assert len(saved(clerk, path)) == rows + 1


def test_a_filter_is_a_chip_that_can_be_taken_off(clerk: Browser) -> None:
    text = clerk.get("/connections?zone=2&show=active").text
    assert "Zone: <b>Bondeni</b>" in text
    assert 'href="/office/connections?show=active"' in text
    assert "zone=2&amp;show=active&amp;after=" not in text
    assert "show=active&amp;zone=2" in clerk.get("/connections?show=active").text


def test_the_columns_are_those_that_were_chosen_in_the_page_and_the_file(clerk: Browser) -> None:
    asked = "cols=account&cols=tariff&cols=nonsense"
    assert saved(clerk, f"/connections/file.csv?{asked}")[0] == ["Account", "Tariff"]
    text = clerk.get(f"/connections?{asked}").text
    assert 'data-label="Tariff"' in text
    assert 'data-label="Balance"' not in text
    assert "cols=account&amp;cols=tariff" in text


def test_a_workbook_has_numbers_and_days(clerk: Browser) -> None:
    content = clerk.get("/connections/file.xlsx?owing=owes&cols=account&cols=balance&cols=opened_on").data
    rows = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    assert rows[0] == ["Account", "Balance", "Opened"]
    assert rows[1][1:] == [50.0, date(2026, 1, 31)]


def test_names_that_look_like_formulas_are_text_in_files(clerk: Browser, session: Session) -> None:
    create_customer(session, "=cmd|' /C calc'!A0", language="en", by="test")
    session.commit()
    assert ["'=cmd|' /C calc'!A0"] in saved(clerk, "/customers/file.csv?cols=name")
    content = clerk.get("/customers/file.xlsx?cols=name").data
    rows = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    assert ["=cmd|' /C calc'!A0"] in rows


def test_pages_and_files_go_by_key_and_count_nothing(
    clerk: Browser, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "AT_ONCE", 4)
    accounts = [row[0] for row in saved(clerk, "/connections/file.csv")][1:]
    assert accounts == list(session.scalars(select(Connection.account_no).order_by(Connection.id)))
    said: list[str] = []
    event.listen(engine(), "before_cursor_execute", lambda _c, _cur, sql, *_: said.append(sql.lower()))
    for path in ("/connections?zone=1", "/customers", "/meters"):
        clerk.get(path)
    assert not [sql for sql in said if "offset" in sql or "count(" in sql]


def choose(browser: Browser, path: str, **fields: object) -> str:
    tokens = browser.tokens("/connections")
    return path_of(browser.client.post(f"/office/connections/chosen{path}", data=tokens | fields))


def test_ticked_ones_are_suspended_and_taken_back(clerk: Browser, session: Session) -> None:
    path = choose(clerk, "", id=["1", "4", "5"], action="suspend")
    assert "Suspend the supply of 3 connections" in clerk.get(path).text
    assert session.scalar(select(func.count()).where(Connection.status == "suspended")) == 3
    clerk.post(f"{path}/start", form_on=path)
    work(session)
    assert "2 changed" in clerk.get(path).text
    assert "1 were so before" in clerk.get(path).text
    session.expire_all()
    assert {session.get_one(Connection, key).status for key in (1, 4, 5)} == {"suspended"}
    session.get_one(Connection, 4).status = "active"  # somebody lifts it in between
    session.commit()
    clerk.post(f"{path}/undo", form_on=path)
    work(session)
    session.expire_all()
    assert [session.get_one(Connection, key).status for key in (1, 4, 5)] == ["suspended", "active", "active"]
    assert session.scalar(select(BulkEditRow.reason).where(BulkEditRow.connection_id == 4)) == "It was changed since."


def test_all_that_match_are_those_of_the_filter_and_no_more(clerk: Browser, session: Session) -> None:
    assert "All 10 that match" in clerk.get("/connections?zone=2&pick=all").text
    path = choose(clerk, "?zone=2", all="1", action="tariff:2")
    assert "Zone: Bondeni" in clerk.get(path).text
    session.get_one(Connection, 1).zone_id = 2  # comes too late to be meant
    session.commit()
    clerk.post(f"{path}/start", form_on=path)
    work(session)
    got = set(session.scalars(select(Connection.id).where(Connection.tariff_id == 2)))
    assert got == set(range(21, 31))


def test_nothing_chosen_and_nonsense_change_nothing(clerk: Browser, session: Session) -> None:
    for fields in ({"action": "suspend"}, {"action": "zone:99", "all": "1"}, {"action": "explode", "id": "1"}):
        assert choose(clerk, "", **fields) == "/connections"
    assert choose(clerk, "?q=9", all="1", action="suspend") == "/connections?q=9"
    assert session.scalar(select(func.count()).select_from(BulkEdit)) == 0
    path = choose(clerk, "", id="1", action="activate")
    clerk.post(f"{path}/drop", form_on=path)
    assert not bulk_edits.start(session, int(path.rsplit("/", 1)[1]))


def test_a_change_to_many_stops_half_way_and_goes_on(session: Session, estate: Estate) -> None:
    edit = bulk_edits.draft(session, "zone", 2, select(Connection.id), "office amina")
    assert edit is not None
    assert bulk_edits.start(session, edit.id)
    assert bulk_edits.change_batch(session, edit.id, batch=20)
    assert bulk_edits.progress(session, edit.id) == {"changed": 20, "waiting": 10}
    assert not bulk_edits.change_batch(session, edit.id, batch=20)
    assert not bulk_edits.change_batch(session, edit.id, batch=20)
    assert bulk_edits.progress(session, edit.id) == {"changed": 20, "same": 10}
    assert session.scalar(select(func.count()).where(Connection.zone_id == 2)) == 30


def test_support_suspends_but_gives_no_tariffs(enter: Callable[[str], Browser], estate: Estate) -> None:
    support = enter("support")
    tokens = support.tokens("/connections")
    answer = support.client.post("/office/connections/chosen", data=tokens | {"id": "1", "action": "tariff:2"})
    assert answer.status_code == 403
    assert "Give the tariff" not in support.get("/connections").text
    assert choose(support, "", id="1", action="suspend").startswith("/changes/")


def test_customers_without_any_are_told_what_to_do(enter: Callable[[str], Browser], session: Session) -> None:
    assert "Add the first customer" in enter("support").get("/customers").text
    assert session.scalar(select(func.count()).select_from(Customer)) == 0
