"""Who owes: connections by what they owe, the most first."""

from flask import render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from admin_web.access import DESK, page
from admin_web.paging import listed
from admin_web.places import account_numbers, places
from billing.arrears import NAMES, OpenItem, buckets, open_items
from billing.books import last_check
from billing.models import Balance, Connection, Customer
from billing.moments import here


@page("/debtors", roles=DESK)
def debtors(session: Session) -> ResponseReturnValue:
    """Connections that owe, or with `credit` those that have paid ahead."""
    credit = "credit" in request.args
    query = select(Balance).where(Balance.amount_minor < 0 if credit else Balance.amount_minor > 0)
    found = listed(session, query, [Balance.amount_minor, Balance.connection_id], newest_first=not credit)
    by_id = {
        place.connection.id: place
        for place in places(session, Connection.id.in_([balance.connection_id for balance in found.rows]))
    }
    owners = {place.connection.customer_id for place in by_id.values()}
    names = session.execute(select(Customer.id, Customer.name).where(Customer.id.in_(owners))).tuples()
    return render_template(
        "office/debtors.html",
        found=found,
        places=[by_id[balance.connection_id] for balance in found.rows],
        names=dict(names.all()),
        credit=credit,
    )


@page("/debtors/aging", roles=DESK)
def aging(session: Session) -> ResponseReturnValue:
    """Debts by the age of their due dates; the sums are those of the last hourly check."""
    query = select(Balance).where(Balance.amount_minor > 0)
    found = listed(session, query, [Balance.amount_minor, Balance.connection_id], newest_first=True)
    ids = [balance.connection_id for balance in found.rows]
    items: dict[int, list[OpenItem]] = {connection_id: [] for connection_id in ids}
    for item in open_items(session, ids):
        items[item.connection_id].append(item)
    checked = last_check(session)
    return render_template(
        "office/aging.html",
        found=found,
        names=NAMES,
        accounts=account_numbers(session, ids),
        ages={connection_id: buckets(own, here()) for connection_id, own in items.items()},
        sums=checked.found.get("aging") if checked else None,
        checked=checked,
    )
