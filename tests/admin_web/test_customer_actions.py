"""What an officer does from a customer's page, and what the search box leads to."""

from collections.abc import Callable

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from admin_web.search import may_mean
from billing.ledger import Leg, post
from billing.models import Connection, Customer, Meter
from core.clock import frozen, now
from core.messages import Message
from tests.admin_web.conftest import Browser
from tests.billing.estate import Estate

WANJIKU = "+254700000001"


@pytest.fixture
def home(session: Session) -> Connection:
    """A connection that owes 500."""
    place = Estate(session).metered(WANJIKU, language="sw")
    post(session, "opening", "test:1", [Leg("receivable", 50000, place.id), Leg("opening", -50000)])
    session.commit()
    return place


def test_the_customers_page_leads_to_the_desk(enter: Callable[[str], Browser], home: Connection) -> None:
    page = enter("accountant").get(f"/customers/{home.customer_id}").text
    assert f"/office/desk?account={home.account_no}" in page


def test_the_balance_goes_out_by_sms_in_her_language(
    enter: Callable[[str], Browser], home: Connection, session: Session
) -> None:
    clerk = enter("support")
    with frozen(now()):
        for _ in range(2):
            clerk.post(f"/connections/{home.id}/balance", form_on=f"/customers/{home.customer_id}")
    bodies = session.scalars(select(Message.body).where(Message.phone == WANJIKU)).all()
    assert len(bodies) == 1  # one a minute
    assert "500" in bodies[0]
    assert home.account_no in bodies[0]
    assert "You owe" not in bodies[0]


def test_the_supply_is_suspended_after_a_question_and_given_back(
    enter: Callable[[str], Browser], home: Connection, session: Session
) -> None:
    clerk, path = enter("support"), f"/connections/{home.id}"
    assert f"{path}/suspend" in clerk.get(f"/customers/{home.customer_id}").text
    assert "Suspend the supply?" in clerk.get(f"{path}/suspend").text
    clerk.post(f"{path}/suspend")
    session.refresh(home)
    assert home.status == "suspended"
    clerk.post(f"{path}/activate")
    session.refresh(home)
    assert home.status == "active"
    assert clerk.get(f"{path}/explode").status_code == 404


def test_field_readers_take_no_money(enter: Callable[[str], Browser], home: Connection) -> None:
    field = enter("field")
    assert "Take a payment" not in field.get(f"/customers/{home.customer_id}").text
    assert field.get("/desk").status_code == 403


def test_the_search_shows_what_begins_so(enter: Callable[[str], Browser], home: Connection, session: Session) -> None:
    session.add_all([Meter(serial=f"ZX9{n}", digits=5, size_mm=15, status="stock") for n in range(3)])
    session.commit()
    clerk = enter("support")
    shown = clerk.get("/search?q=zx9").text
    assert [f"ZX9{n}" in shown for n in range(3)] == [True] * 3
    assert clerk.get("/search?q=zx 91").location.startswith("/office/meters/")
    assert clerk.get("/search?q=+254 700 000001").location == f"/office/customers/{home.customer_id}"
    assert clerk.get("/search?q=0700000001").location == f"/office/customers/{home.customer_id}"
    assert clerk.get("/search?q=nobody").location == "/office/customers?q=nobody"


def test_keys_can_be_switched_off(enter: Callable[[str], Browser], home: Connection) -> None:
    clerk = enter("support")
    assert "data-keys" not in clerk.get("/customers").text
    clerk.post("/keys", form_on="/customers")
    assert 'data-keys="off"' in clerk.get("/customers").text


@pytest.mark.parametrize("asked", ["amina otieno", "0700 000", "KM00", "100001"])
def test_a_search_reads_no_whole_table(home: Connection, session: Session, asked: str) -> None:
    """The plan on a table where reading all of it is what costs."""
    session.execute(text("SET LOCAL enable_seqscan = off"))
    query = select(Customer).where(may_mean(asked)).order_by(Customer.name, Customer.id).limit(26)
    connection = session.connection()
    said = query.compile(connection, compile_kwargs={"render_postcompile": True})
    plan = "\n".join(row[0] for row in connection.exec_driver_sql(f"EXPLAIN {said}", said.params))
    assert "Seq Scan" not in plan, plan
