"""What customers ask of the office: faults, links, forgotten PINs; and what a connection says of itself."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from billing.alerts import set_alert
from billing.customers import create_connection, create_customer, find_customer
from billing.faults import report_fault
from billing.models import Connection, Customer, FaultReport, LinkRequest, Zone
from billing.pins import check_pin, set_pin
from billing.tariffs import add_tariff
from core.clock import now
from core.messages import Message
from core.opt_outs import stop
from core.phone import Phone
from tests.admin_web.conftest import Browser

WANJIKU, JUMA = Phone("+254700000001"), Phone("+254700000002")


@pytest.fixture
def place(session: Session) -> Connection:
    """Wanjiku Kamau's connection."""
    zone, tariff = Zone(code="KIB", name="Kibera"), add_tariff(session, "Domestic", "domestic")
    assert tariff is not None
    session.add(zone)
    session.flush()
    wanjiku = create_customer(session, "Wanjiku Kamau", language="sw", by="test", phone=WANJIKU)
    assert isinstance(wanjiku, Customer)
    made = create_connection(
        session, zone_id=zone.id, tariff_id=tariff.id, address="Plot 12", opened_on=date(2026, 1, 1),
        customer_id=wanjiku.id,
    )  # fmt: skip
    session.commit()
    return made


def report(session: Session, place: Connection, kind: str = "leak", phone: Phone = WANJIKU) -> FaultReport:
    made = report_fault(
        session, phone, kind, connection_id=place.id, note="at the <gate>", channel="ussd", key=f"ussd:{kind}{phone} 3"
    )
    session.commit()
    return made


def fresh(session: Session, made: FaultReport) -> FaultReport:
    session.expire_all()
    return session.get_one(FaultReport, made.id)


def messages(session: Session) -> list[tuple[str, str]]:
    return list(session.execute(select(Message.kind, Message.body).order_by(Message.id)).tuples())


def test_faults_are_listed_by_state_and_found_by_ticket_or_phone(
    place: Connection, session: Session, clerk: Browser
) -> None:
    leak, other = report(session, place), report(session, place, "no_supply", JUMA)
    for path in ("/faults", "/faults?show=open", f"/faults?q={leak.ticket}", "/faults?q=0700 000 001"):
        text = clerk.get(path).text
        assert leak.ticket in text, path
        assert "at the &lt;gate&gt;" in text
        assert (other.ticket in text) == ("q=" not in path)
    assert "No report is like that" in clerk.get("/faults?show=closed").text
    assert "2 faults reported" in clerk.get("/").text
    assert clerk.get(f"/search?q={leak.ticket}").location == f"/office/faults/{leak.id}"


def test_a_fault_is_assigned_and_closed_with_an_answer(place: Connection, session: Session, clerk: Browser) -> None:
    made = report(session, place)
    path = f"/faults/{made.id}"
    assert clerk.post(f"{path}/assign", form_on=path).status_code == 303
    assert fresh(session, made).status == "assigned"
    empty = clerk.post(f"{path}/close", form_on=path, answer=" ")
    assert empty.status_code == 422
    assert "Fill this in." in empty.text
    assert clerk.post(f"{path}/close", form_on=path, answer="x" * 241).status_code == 422
    assert clerk.post(f"{path}/close", form_on=path, answer="The pipe is mended.").status_code == 303
    done = fresh(session, made)
    assert (done.status, done.closed_by, done.answer) == ("closed", "office user-billing", "The pipe is mended.")
    assert [kind for kind, _body in messages(session)] == ["answer", "answer"]
    assert "The pipe is mended." in messages(session)[1][1]
    assert "The pipe is mended." in clerk.get(path).text


def test_two_clerks_close_a_fault_once(place: Connection, session: Session, clerk: Browser) -> None:
    made = report(session, place)
    path = f"/faults/{made.id}"
    first, second = clerk.tokens(path), clerk.tokens(path)
    for tokens, answer in ((first, "Mended"), (second, "Mended again")):
        clerk.client.post(f"/office{path}/close", data=tokens | {"answer": answer})
    assert fresh(session, made).answer == "Mended"
    assert len(messages(session)) == 2
    assert "Somebody has closed this report already" in clerk.get(path).text


def test_a_forgotten_pin_is_cleared_on_its_ticket(place: Connection, session: Session, clerk: Browser) -> None:
    made = report(session, place, "pin")
    path = f"/faults/{made.id}"
    assert "Clear PIN" not in clerk.get(path).text
    set_pin(session, WANJIKU, "4711")
    session.commit()
    assert "Clear PIN" in clerk.get(path).text
    assert clerk.post(f"{path}/pin", form_on=path).status_code == 303
    wanjiku = find_customer(session, WANJIKU)
    assert wanjiku is not None
    session.refresh(wanjiku)
    assert (wanjiku.pin_hash, wanjiku.pin_tries) == (None, 0)
    assert fresh(session, made).status == "closed"
    said = messages(session)
    assert [kind for kind, _body in said] == ["answer", "notice"]
    assert (
        "There is no PIN to clear" in clerk.get(clerk.post(f"{path}/pin", form_on="/customers/new").location[7:]).text
    )


def test_only_a_pin_ticket_clears_a_pin(place: Connection, session: Session, clerk: Browser) -> None:
    made = report(session, place, "leak")
    set_pin(session, WANJIKU, "4711")
    session.commit()
    clerk.post(f"/faults/{made.id}/pin", form_on=f"/faults/{made.id}")
    assert check_pin(session, WANJIKU, "4711").kind == "right"
    assert fresh(session, made).status == "open"


def test_the_customers_page_shows_what_she_has_set(place: Connection, session: Session, clerk: Browser) -> None:
    path = f"/customers/{place.customer_id}"
    assert 'data-testid="pin">none<' in clerk.get(path).text
    set_pin(session, WANJIKU, "4711")
    set_alert(session, WANJIKU, Decimal(25))
    stop(session, WANJIKU, "ussd")
    made = report(session, place)
    for _ in range(3):
        check_pin(session, WANJIKU, "4712")
    session.commit()
    text = clerk.get(path).text
    for shown in ("locked after three wrong tries", "wants no bills and notices", "above", made.ticket, "Clear PIN"):
        assert shown in text, shown
    assert "argon2" not in text
    assert clerk.post(f"{path}/pin/clear", form_on=path).status_code == 303
    assert 'data-testid="pin">none<' in clerk.get(path).text
    assert check_pin(session, WANJIKU, "any").kind == "right"


def asked_for(session: Session, place: Connection, phone: Phone = JUMA) -> LinkRequest:
    request = LinkRequest(
        phone=phone, connection_id=place.id, name="Juma Hassan", language="en", status="pending", created_at=now()
    )
    session.add(request)
    session.commit()
    return request


def test_a_link_is_approved_and_the_phone_speaks(place: Connection, session: Session, clerk: Browser) -> None:
    place.customer_id = None
    request = asked_for(session, place)
    assert "1 phone waiting to be linked" in clerk.get("/").text
    page = clerk.get("/links").text
    assert "Juma Hassan" in page
    assert place.account_no in page
    assert clerk.post(f"/links/{request.id}/approve", form_on="/links").status_code == 303
    juma = find_customer(session, JUMA)
    assert juma is not None
    session.refresh(place)
    assert place.customer_id == juma.id
    session.refresh(request)
    assert (request.status, request.decided_by) == ("approved", "office user-billing")
    assert [kind for kind, _body in messages(session)] == ["registration"]
    assert "No link waits" in clerk.get("/links").text


def test_a_link_that_is_taken_says_so_and_is_rejected(place: Connection, session: Session, clerk: Browser) -> None:
    request = asked_for(session, place)
    assert "Juma Hassan" in clerk.get(f"/customers/{place.customer_id}").text
    clerk.post(f"/links/{request.id}/approve", form_on="/links")
    assert "another customer&#39;s by now" in clerk.get("/links").text
    assert clerk.post(f"/links/{request.id}/reject", form_on="/links").status_code == 303
    session.refresh(request)
    assert request.status == "rejected"
    assert find_customer(session, JUMA) is None
    assert "could not link" in messages(session)[0][1]


def test_a_connection_says_where_in_a_building_it_is_and_how_it_pays(
    place: Connection, session: Session, clerk: Browser
) -> None:
    path = f"/connections/{place.id}/edit"
    assert "Change" in clerk.get(f"/connections/{place.id}").text
    done = clerk.post(
        path, address="Plot 12", building="Main Hall", department="Kitchen", pays="before", status="suspended"
    )
    assert done.status_code == 303
    session.refresh(place)
    assert (place.building, place.department, place.prepaid, place.status) == (
        "Main Hall",
        "Kitchen",
        True,
        "suspended",
    )
    for page in (f"/connections/{place.id}", "/connections?show=prepaid", f"/customers/{place.customer_id}"):
        text = clerk.get(page).text
        assert "Plot 12, Main Hall, Kitchen" in text, page
        assert "Prepaid" in text
    assert clerk.post(path, address="", pays="before", status="closed").status_code == 422
    assert clerk.post(path, address="Plot 12", pays="after", status="active").status_code == 303
    session.refresh(place)
    assert (place.building, place.prepaid, place.status) == ("", False, "active")
    place.status = "closed"
    session.commit()
    assert clerk.get(path).status_code == 404
