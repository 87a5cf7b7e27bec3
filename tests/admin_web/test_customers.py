"""Customers, connections, meters: found by anything, added by clerks, one change for each form."""

import html
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from billing.customers import create_connection, create_customer
from billing.meters import assign_meter, meter_at, register_meter
from billing.models import Connection, Customer, CustomerPhone, Meter, MeterAssignment, Reading, Tariff, Zone
from billing.tariffs import EXAMPLE, add_tariff, add_version
from core.clock import today
from core.phone import Phone
from tests.admin_web.conftest import Browser

TODAY = today("Africa/Nairobi")


@pytest.fixture
def place(session: Session) -> Connection:
    """Wanjiku Kamau with a connection and its meter."""
    zone, tariff = Zone(code="KIB", name="Kibera"), add_tariff(session, "Domestic", "domestic")
    assert tariff is not None
    session.add(zone)
    session.flush()
    add_version(session, tariff.id, date(2026, 1, 1), EXAMPLE, "test")
    wanjiku = create_customer(session, "Wanjiku Kamau", language="sw", by="test", phone=Phone("+254700000001"))
    assert isinstance(wanjiku, Customer)
    connection = create_connection(
        session, zone_id=zone.id, tariff_id=tariff.id, address="Plot 12", opened_on=date(2026, 1, 1),
        customer_id=wanjiku.id,
    )  # fmt: skip
    meter = register_meter(session, "KM100", digits=5, size_mm=15)
    assert isinstance(meter, Meter)
    assign_meter(session, meter.id, connection.id, on=date(2026, 1, 1), start_value=Decimal(100), by="test")
    create_customer(session, "Otieno Odhiambo", language="en", by="test", phone=Phone("+254711222333"))
    session.commit()
    return connection


@pytest.mark.parametrize(
    "asked", ["wanj", "KAMAU wan", "0700 000", "+254700000001", "254700000001", "km10", "{account}", "{account:.5}"]
)
def test_the_list_finds_by_name_phone_account_and_meter(place: Connection, clerk: Browser, asked: str) -> None:
    found = clerk.client.get("/office/customers", query_string={"q": asked.format(account=place.account_no)}).text
    assert "Wanjiku Kamau" in found
    assert "Otieno" not in found


def test_what_is_asked_for_is_never_a_query(place: Connection, clerk: Browser) -> None:
    for asked in ("'; DROP TABLE customer; --", "a & | !", "100%", "\\", "<script>", "'", ":*", "x" * 500):
        answer = clerk.client.get("/office/customers", query_string={"q": asked})
        assert answer.status_code == 200, asked
        assert "<script>" not in answer.text.replace('<script src="', "")


@pytest.mark.parametrize(
    "asked",
    ["0700 000 001", "700000001", "{account}", " {account} "],
)
def test_a_direct_hit_jumps_to_the_customer(place: Connection, clerk: Browser, asked: str) -> None:
    answer = clerk.client.get("/office/search", query_string={"q": asked.format(account=place.account_no)})
    assert answer.location == f"/office/customers/{place.customer_id}"


def test_a_meters_serial_jumps_and_a_name_searches(place: Connection, clerk: Browser) -> None:
    assert clerk.get("/search?q=km100").location == "/office/meters/1"
    assert clerk.get("/search?q=wanjiku").location == "/office/customers?q=wanjiku"


def test_the_page_shows_everything_about_her(place: Connection, clerk: Browser) -> None:
    text = clerk.get(f"/customers/{place.customer_id}").text
    for shown in ("Wanjiku Kamau", place.account_no, "KM100", "Plot 12", "0700 000001", "Kiswahili", "Opening"):
        assert shown in text, shown


def test_pages_of_the_list_neither_miss_nor_repeat(session: Session, clerk: Browser) -> None:
    names = [f"Customer {number:03d}" for number in range(60)]
    for name in names + ["Same Name"] * 30:
        create_customer(session, name, language="en", by="test")
    session.commit()
    seen: list[str] = []
    path: str | None = "/customers"
    while path:
        text = clerk.get(path).text
        seen += re.findall(r'href="/office/customers/\d+">([^<]+)<', text)
        following = re.search(r'href="/office([^"]+)" rel="next"', text)
        path = html.unescape(following[1]) if following else None
    assert sorted(seen) == sorted(names + ["Same Name"] * 30)
    assert clerk.get("/customers?after=bent").status_code == 200


def test_a_customer_is_added_once_however_often_the_form_is_sent(session: Session, clerk: Browser) -> None:
    form = clerk.tokens("/customers/new") | {
        "name": "Achieng  Ouma", "phone": "0722 000 111", "kind": "domestic", "language": "en",
    }  # fmt: skip
    first = clerk.client.post("/office/customers/new", data=form)
    second = clerk.client.post("/office/customers/new", data=form)
    assert first.status_code == second.status_code == 303
    assert first.location == second.location
    assert session.scalars(select(Customer.name)).all() == ["Achieng Ouma"]
    phone = session.scalars(select(CustomerPhone)).one()
    assert phone.phone == "+254722000111"
    assert phone.added_by == "office user-billing"
    assert "It was done once" in clerk.get(first.location.removeprefix("/office")).text


def test_two_clicks_at_once_are_one_change(app: Flask, session: Session, clerk: Browser) -> None:
    form = clerk.tokens("/customers/new") | {"name": "Achieng", "kind": "domestic", "language": "en"}
    cookie = clerk.client.get_cookie("mita_office", path="/office")
    assert cookie is not None

    def click(_number: int) -> str:
        client = app.test_client()
        client.set_cookie("mita_office", cookie.value, path="/office")
        return client.post("/office/customers/new", data=form).location

    with ThreadPoolExecutor(6) as clicks:
        led_to = set(clicks.map(click, range(6)))
    assert len(led_to) == 1
    assert session.scalar(select(func.count()).select_from(Customer)) == 1


def test_a_form_that_was_refused_can_be_mended_and_sent_again(session: Session, clerk: Browser) -> None:
    form = clerk.tokens("/customers/new") | {"name": "", "phone": "12", "kind": "domestic", "language": "en"}
    refused = clerk.client.post("/office/customers/new", data=form)
    assert refused.status_code == 422
    assert "Fill this in." in refused.text
    assert "This is no phone number" in refused.text
    assert 'aria-invalid="true"' in refused.text
    mended = clerk.client.post("/office/customers/new", data=form | {"name": "Achieng", "phone": ""})
    assert mended.status_code == 303
    assert session.scalar(select(func.count()).select_from(Customer)) == 1


def test_a_phone_speaks_for_one_customer(place: Connection, clerk: Browser) -> None:
    taken = clerk.post("/customers/new", name="Other", phone="0700000001", kind="domestic", language="en")
    assert taken.status_code == 422
    assert "another customer already" in taken.text
    added = clerk.post(f"/customers/{place.customer_id}/phones/new", phone="0733 111 222")
    assert added.status_code == 303


def test_a_connection_is_opened_and_gets_its_meter(place: Connection, session: Session, clerk: Browser) -> None:
    opened = clerk.post(
        "/connections/new", customer=place.customer_id, zone=place.zone_id, tariff=place.tariff_id,
        address="Plot 13", opened_on=TODAY.isoformat(),
    )  # fmt: skip
    assert opened.status_code == 303
    connection = session.scalars(select(Connection).where(Connection.address == "Plot 13")).one()
    assert clerk.post("/meters/new", serial="km 200", digits=5, size_mm=15).status_code == 303
    twice = clerk.post("/meters/new", serial="KM200", digits=5, size_mm=15)
    assert twice.status_code == 422
    assert "registered already" in twice.text
    path = f"/connections/{connection.id}/meter"
    wrong = clerk.post(path, serial="KM999", from_on=TODAY.isoformat(), start_value=0)
    assert "no meter with this serial" in wrong.text
    busy = clerk.post(path, serial="KM100", from_on=TODAY.isoformat(), start_value=0)
    assert "at another connection" in busy.text
    assert clerk.post(path, serial="km200", from_on=TODAY.isoformat(), start_value="12.5").status_code == 303
    opening = session.scalars(select(Reading).where(Reading.connection_id == connection.id)).one()
    assert (opening.value, opening.source, opening.entered_by) == (Decimal("12.5"), "opening", "office user-billing")


def test_a_meter_is_replaced_with_both_values(place: Connection, session: Session, clerk: Browser) -> None:
    register_meter(session, "KM300", digits=5, size_mm=15)
    session.commit()
    path = f"/connections/{place.id}/meter"
    values = {"serial": "KM300", "from_on": TODAY.isoformat(), "start_value": "3"}
    assert "last usage of the old meter" in clerk.post(path, **values).text
    assert "cannot show this" in clerk.post(path, **values, end_value="50").text
    assert clerk.post(path, **values, end_value="110").status_code == 303
    session.expire_all()
    present = meter_at(session, place.id)
    assert present is not None
    assert present.serial == "KM300"
    old = session.scalars(select(MeterAssignment).where(MeterAssignment.to_on.is_not(None))).one()
    assert old.end_value == 110
    assert session.scalar(select(func.sum(Reading.usage))) == 10


def test_zones_and_tariffs_can_be_begun_from_nothing(session: Session, clerk: Browser) -> None:
    assert "There is no tariff yet" in clerk.get("/connections/new").text
    assert clerk.post("/tariffs/new", name="Domestic", customer_class="domestic").status_code == 303
    assert "There is no zone yet" in clerk.get("/connections/new").text
    assert clerk.post("/zones/new", code="kib", name="Kibera").status_code == 303
    assert session.scalars(select(Zone.code)).one() == "KIB"
    assert "This code is taken" in clerk.post("/zones/new", code="KIB", name="Other").text
    assert session.scalars(select(Tariff.name)).one() == "Domestic"
