"""Unusual months and water budgets at the office."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from billing.budgets import latest_budget
from billing.models import Anomaly, Connection
from core.clock import now
from core.messages import Message
from tests.admin_web.conftest import Browser
from tests.billing.estate import Estate


@pytest.fixture
def home(session: Session) -> Connection:
    home = Estate(session).metered("+254700000001")
    session.commit()
    return home


def anomaly(session: Session, home: Connection, kind: str = "leak") -> Anomaly:
    one = Anomaly(connection_id=home.id, month=date(2026, 3, 1), kind=kind, score=Decimal(9), daily=Decimal("2.5"),
                  usual=Decimal("0.6"), status="open", created_at=now())  # fmt: skip
    session.add(one)
    session.commit()
    return one


def test_an_unusual_month_is_confirmed_and_the_customer_told(
    session: Session, home: Connection, clerk: Browser
) -> None:
    one = anomaly(session, home)
    page = f"/anomalies/{one.id}"
    assert "1 unusual month to look at" in clerk.get("/").text
    assert home.account_no in clerk.get("/anomalies?show=open&kind=leak").text
    assert home.account_no not in clerk.get("/anomalies?kind=drop").text
    assert clerk.post(f"{page}/decide", form_on=page, do="else").status_code == 400
    done = clerk.post(f"{page}/decide", form_on=page, do="confirm", tell="yes", note="Pipe behind the meter")
    assert done.status_code == 303
    shown = clerk.get(page).text
    assert "The customer was told by SMS" in shown
    assert "Pipe behind the meter" in shown
    session.rollback()
    told = session.scalars(select(Message).where(Message.key == f"anomaly:{one.id}")).one()
    assert (told.kind, told.phone) == ("alert", "+254700000001")
    assert clerk.get("/anomalies/999999").status_code == 404


def test_nobody_is_told_unless_somebody_says_so(session: Session, home: Connection, clerk: Browser) -> None:
    first, second = anomaly(session, home), anomaly(session, home, "drop")
    for one, do in ((first, "confirm"), (second, "dismiss")):
        page = f"/anomalies/{one.id}"
        clerk.post(f"{page}/decide", form_on=page, do=do, **({"tell": "yes"} if do == "dismiss" else {}))
    session.rollback()
    assert session.scalars(select(Message).where(Message.kind == "alert")).all() == []
    assert set(session.scalars(select(Anomaly.status))) == {"confirmed", "dismissed"}


def test_a_budget_is_set_where_the_connection_is_changed(session: Session, home: Connection, clerk: Browser) -> None:
    page, fields = f"/connections/{home.id}/edit", {"address": "Plot 7", "pays": "after", "status": "active"}
    assert clerk.post(page, budget="-1", **fields).status_code == 422
    assert clerk.post(page, budget="12.5", **fields).status_code == 303
    assert "Its budget holds from January 2026 on" in clerk.get("/").text
    session.rollback()
    assert latest_budget(session, home.id) == Decimal("12.5")
    assert 'value="12.5"' in clerk.get(page).text
    clerk.post(page, budget="12.5", **fields)
    assert "budget holds" not in clerk.get("/").text
    assert clerk.post(page, **fields).status_code == 303
    session.rollback()
    assert latest_budget(session, home.id) is None
