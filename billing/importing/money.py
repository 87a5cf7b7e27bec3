"""Money in files: payments that the bank or the desk took, and what connections owed before Mita."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from billing.importing.columns import Column, Values
from billing.importing.kind import Kind, Made, Origin
from billing.importing.known import among, connections_named
from billing.importing.values import amount, choice, day, text
from billing.ledger import RECEIVABLE, Leg, post, reverse
from billing.models import LedgerEntry
from billing.moments import here, moment_of
from billing.office_payments import METHODS, credit_office_payment, free_source, source_of

ACCOUNT = Column(
    "account", text(40), "The connection, by account or your reference", "OLD-77", required=True,
    alike=("account no", "account number", "connection", "customer account"),
)  # fmt: skip
OPENED = "It has an opening balance already."
KNOWN = "A payment with this reference is in the books already."

PAYMENT_COLUMNS = (
    ACCOUNT,
    Column("amount", amount(), "In the utility's currency", "1,250.00", required=True,
           alike=("paid", "amount paid", "credit", "sum")),
    Column("paid_on", day, "The day of the deposit", "2026-02-20", required=True,
           alike=("date", "payment date", "paid at", "value date", "day")),
    Column("method", choice(METHODS), "bank, cash or cheque", "bank", required=True, alike=("channel", "mode", "how")),
    Column("reference", text(60), "The bank's or the receipt book's number; each counts once", "FT26051XK",
           required=True, alike=("receipt", "receipt no", "transaction", "ref", "slip")),
)  # fmt: skip
BALANCE_COLUMNS = (
    ACCOUNT,
    Column("amount", amount(signed=True), "What it owes; below 0 what it has paid in advance", "3,400.50",
           required=True, alike=("balance", "owes", "arrears", "opening balance")),
    Column("as_of", day, "The day of this balance; today where it is empty", "2025-12-31", alike=("date", "day")),
)  # fmt: skip


def _source(values: Values) -> str:
    return source_of(values["method"], values["reference"])


def _check_payments(session: Session, rows: Sequence[Values]) -> list[str]:
    places = connections_named(session, {values["account"] for values in rows})
    sources = _standing(session, [_source(values) for values in rows])

    def refused(values: Values) -> str:
        if values["account"] not in places:
            return f"There is no connection {values['account']}."
        if values["paid_on"] > here():
            return "paid_on is in the future."
        return KNOWN if _source(values) in sources else ""

    return [refused(values) for values in rows]


def _make_payment(session: Session, values: Values, origin: Origin) -> Made | str:
    place = connections_named(session, [values["account"]])[values["account"]]
    entry = credit_office_payment(
        session, place, values["amount"], method=values["method"], reference=values["reference"], on=values["paid_on"]
    )
    return {"entry": entry.id} if entry is not None else KNOWN


def _check_balances(session: Session, rows: Sequence[Values]) -> list[str]:
    places = connections_named(session, {values["account"] for values in rows})
    opened = _standing(session, [f"opening:{place}" for place in places.values()])

    def refused(values: Values) -> str:
        place = places.get(values["account"])
        if place is None:
            return f"There is no connection {values['account']}."
        if (values["as_of"] or here()) > here():
            return "as_of is in the future."
        return OPENED if f"opening:{place}" in opened else ""

    return [refused(values) for values in rows]


def _make_balance(session: Session, values: Values, _origin: Origin) -> Made | str:
    place = connections_named(session, [values["account"]])[values["account"]]
    legs = [Leg(RECEIVABLE, values["amount"], place), Leg("opening", -values["amount"])]
    source, on = free_source(session, f"opening:{place}"), values["as_of"] or here()
    memo = "Opening balance"
    entry = post(session, "opening", source, legs, memo, at=moment_of(on), due_on=on) if source else None
    return {"entry": entry.id} if entry is not None else OPENED


def _standing(session: Session, sources: Sequence[str]) -> set[str]:
    """Those of these sources under which an entry stands that nobody has taken back."""
    known = session.scalars(select(LedgerEntry.source).where(among(LedgerEntry.source, set(sources))))
    return {source for source in known if free_source(session, source) is None}


def _undo(session: Session, made: Made, origin: Origin) -> str:
    entry = session.get(LedgerEntry, made["entry"])
    if entry is None:
        return "It is gone already."
    memo = f"Import {origin.file_id} taken back by {origin.by}"
    back = reverse(session, entry.id, f"{entry.kind}_back", f"import_back:{entry.id}", memo)
    return "" if back is not None else "It was taken back already."


PAYMENTS = Kind(
    "payments", "Payments", "Money that the bank or the desk took; each reference is credited once.", "amount",
    PAYMENT_COLUMNS, lambda values: [f"payment {_source(values)}"], _check_payments, _make_payment, _undo,
)  # fmt: skip
BALANCES = Kind(
    "balances", "Opening balances", "What connections owed on the day you began with Mita.", "amount",
    BALANCE_COLUMNS, lambda values: [f"balance {values['account']}"], _check_balances, _make_balance, _undo,
)  # fmt: skip
