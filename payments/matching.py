"""Whose money may this be? Accounts that fit a payment in suspense, each with a score and its reasons in words.

A score is no probability. Each piece of evidence takes a share of the doubt that is left, so several weak ones make
a strong one, and none makes it certain. Certain is only what the payer wrote herself and her phone bears out.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from billing.accounts import parse_account_no
from billing.ledger import balance_of
from billing.models import PHONE_DIGEST, Connection, Customer, CustomerPhone, Meter, MeterAssignment
from billing.moments import day_of
from core.config import settings
from core.money import Money
from core.phone import parse_phone
from payments.models import Receipt

WRITTEN, METER, SLIP, AMONG_SLIPS, PHONE, AMONG_PHONES, EARLIER, MASKED, NAMED, OWES = (
    90, 80, 65, 40, 60, 40, 55, 50, 30, 20,
)  # fmt: skip
CERTAIN = 95
SHOWN = 5
MOST = 50
"""A name or a phone that fits more connections than this says nothing."""
WHOLE = re.compile(r"\+?\d{9,15}")
"""What is left of a masked number without its stars may be somebody else's."""
DIGEST = re.compile(r"[0-9a-fA-F]{64}")
MASK = re.compile(r"\d{2,5}[\s*xX.•]*[*xX.•][\s*xX.•]*\d{2,4}")


@dataclass(frozen=True, slots=True)
class Evidence:
    """Something that speaks for a connection: how strong (of 100), why in words, what it is drawn from."""

    connection_id: int
    weight: int
    why: str
    source: str


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A connection that the money may be for. `certain`: the payer wrote its number, and her phone is its owner's."""

    connection_id: int
    account_no: str
    customer: str
    balance: Money
    score: int
    reasons: tuple[str, ...]
    certain: bool


def suggest(session: Session, receipt: Receipt) -> list[Suggestion]:
    """The connections that a receipt may be for, the likeliest first. Reads by indexes only."""
    return suggest_for(session, receipt.account_said, receipt.phone, receipt.payer, receipt.amount_minor)


def suggest_for(session: Session, said: str, phone: str, payer: str, amount_minor: int) -> list[Suggestion]:
    """The same for money of which only this is known: what was written with it, and whose phone and name came."""
    found: dict[int, list[Evidence]] = {}
    for evidence in (*_from_number(session, said), *_from_phone(session, phone, payer), *_from_name(session, said)):
        found.setdefault(evidence.connection_id, []).append(evidence)
    rows = session.execute(
        select(Connection, Customer.name)
        .outerjoin(Customer, Customer.id == Connection.customer_id)
        .where(Connection.id.in_(found), Connection.status != "closed")
    ).tuples()
    made = [_weighed(session, place, name or "", found[place.id], amount_minor) for place, name in rows]
    return sorted(made, key=lambda one: (-one.score, one.account_no))[:SHOWN]


def certain(suggestions: list[Suggestion]) -> Suggestion | None:
    """The one that needs no person: nothing else that was written or that the phone says fits as well."""
    sure = [one for one in suggestions if one.certain and one.score >= CERTAIN]
    rivals = [one for one in suggestions if one.score >= SLIP]
    return sure[0] if len(sure) == 1 and rivals == sure else None


def near_numbers(said: str) -> set[str]:
    """Account numbers, right by their check digit, from which `said` differs by one slip of the thumb."""
    digits = re.sub(r"\D", "", said)
    if not 4 <= len(digits) <= 20:
        return set()
    return {number for number in _slips(digits) if number != digits and parse_account_no(number)}


def _slips(digits: str) -> Iterator[str]:
    for at in range(len(digits) + 1):
        before, after = digits[:at], digits[at:]
        yield from (before + digit + after for digit in "0123456789")
        if after:
            yield before + after[1:]
            yield from (before + digit + after[1:] for digit in "0123456789")
        if len(after) > 1:
            yield before + after[1] + after[0] + after[2:]


def _from_number(session: Session, said: str) -> Iterator[Evidence]:
    """What she wrote holds an account number, or nearly one, or the number of her meter."""
    joined = re.sub(r"(?<=\d)[ -](?=\d)", "", said)  # "1000 017", but also "Plot 7 1000017"
    runs = {*re.findall(r"\d{4,20}", said), *re.findall(r"\d{4,20}", joined)}
    written = {number for run in runs if (number := parse_account_no(run))}
    for connection_id, number in _accounts(session, written):
        yield Evidence(connection_id, WRITTEN, f"“{said}” holds the account number {number}", "number")
    near = {number for run in runs for number in near_numbers(run)} - written
    hits = _accounts(session, near)
    for connection_id, number in hits:
        weight = SLIP if len(hits) == 1 else AMONG_SLIPS
        yield Evidence(connection_id, weight, f"one slip of the thumb from {number}", "slip")
    if said.strip():
        serial = select(MeterAssignment.connection_id).join(Meter, Meter.id == MeterAssignment.meter_id)
        for connection_id in session.scalars(
            serial.where(Meter.serial == said.strip().upper(), MeterAssignment.to_on.is_(None))
        ):
            yield Evidence(connection_id, METER, f"{said.strip().upper()} is its meter", "number")
    typed = parse_phone(said, settings().region) if re.fullmatch(r"[\d +-]{9,16}", said.strip()) else None
    if typed:
        yield from _of_owner(session, [typed], "her phone was written in place of the account", "number")


def _accounts(session: Session, numbers: Iterable[str]) -> list[tuple[int, str]]:
    rows = session.execute(select(Connection.id, Connection.account_no).where(Connection.account_no.in_(numbers)))
    return list(rows.tuples()) if numbers else []


def _from_phone(session: Session, phone: str, payer: str) -> Iterator[Evidence]:
    """The payer's phone: open, as its digest (Daraja C2B v1), or masked with a name beside it (v2)."""
    phone = phone.strip()
    if DIGEST.fullmatch(phone):
        known = session.scalars(
            select(CustomerPhone.phone).where(text(f"{PHONE_DIGEST} = :digest")).params(digest=phone.lower())
        ).all()
        yield from _of_owner(session, known, "paid from its owner's phone (known by its digest)", "phone")
        yield from _earlier(session, phone)
    elif MASK.fullmatch(phone):
        yield from _of_masked(session, phone, payer)
    elif WHOLE.fullmatch(phone.replace(" ", "")) and (number := parse_phone(phone, settings().region)) is not None:
        yield from _of_owner(session, [number], "paid from its owner's phone", "phone")
        yield from _earlier(session, phone)


def _of_owner(session: Session, phones: Iterable[str], why: str, source: str) -> Iterator[Evidence]:
    mine = (
        select(Connection.id)
        .join(CustomerPhone, CustomerPhone.customer_id == Connection.customer_id)
        .where(CustomerPhone.phone.in_(list(phones)), Connection.status != "closed")
        .order_by(Connection.id)
        .limit(MOST + 1)
    )
    ids = session.scalars(mine).all()
    if 0 < len(ids) <= MOST:
        weight, more = (PHONE, "") if len(ids) == 1 else (AMONG_PHONES, f", one of {len(ids)}")
        yield from (Evidence(one, weight, why + more, source) for one in ids)


def _earlier(session: Session, phone: str) -> Iterator[Evidence]:
    """What this phone paid for before."""
    before = (
        select(Receipt.connection_id, func.max(Receipt.paid_at))
        .where(Receipt.phone == phone, Receipt.connection_id.is_not(None))
        .group_by(Receipt.connection_id)
        .limit(SHOWN)
    )
    for connection_id, at in session.execute(before).tuples():
        if connection_id is not None:
            yield Evidence(connection_id, EARLIER, f"the same phone paid for it on {_written(day_of(at))}", "earlier")


def _of_masked(session: Session, phone: str, payer: str) -> Iterator[Evidence]:
    """A customer of the payer's name whose phone fits the digits that are shown."""
    head, tail = re.findall(r"\d+", phone)[0], re.findall(r"\d+", phone)[-1]
    owners = _named(session, payer)
    if not owners:
        return
    fitting = select(CustomerPhone.phone).where(
        CustomerPhone.customer_id.in_(owners),
        CustomerPhone.phone.like(f"+{head}%"), CustomerPhone.phone.like(f"%{tail}"),
    )  # fmt: skip
    why = f"its owner is called {payer} too, and her phone ends in {tail}"
    for evidence in _of_owner(session, session.scalars(fitting).all(), why, "masked"):
        yield Evidence(evidence.connection_id, min(evidence.weight, MASKED), evidence.why, "masked")


def _from_name(session: Session, said: str) -> Iterator[Evidence]:
    """She wrote a name in place of a number."""
    if len(re.findall(r"[^\W\d_]{2,}", said)) < 2 or re.search(r"\d{4}", said):
        return
    owners = _named(session, said)
    ids = session.scalars(select(Connection.id).where(Connection.customer_id.in_(owners)).limit(MOST)).all()
    yield from (Evidence(one, NAMED, f"its owner is called {said.strip()}", "name") for one in ids)


def _named(session: Session, name: str) -> list[int]:
    """Customers in whose name all these words stand; none where there are too many to mean anything."""
    words = re.findall(r"[^\W\d_]{2,}", name)
    if not words:
        return []
    query = func.to_tsquery("simple", " & ".join(words))
    whole = func.to_tsvector(text("'simple'"), Customer.name).op("@@")(query)
    ids = session.scalars(select(Customer.id).where(whole).limit(MOST + 1)).all()
    return list(ids) if len(ids) <= MOST else []


def _weighed(session: Session, place: Connection, name: str, evidence: list[Evidence], amount_minor: int) -> Suggestion:
    balance = balance_of(session, place.id)
    if balance.minor == amount_minor:
        evidence = [*evidence, Evidence(place.id, OWES, "owes exactly this", "amount")]
    doubt = 100
    for one in evidence:
        doubt = doubt * (100 - one.weight) // 100
    sources = {one.source for one in evidence if one.weight >= EARLIER or one.source == "phone"}
    written = any(one.weight == WRITTEN and one.source == "number" for one in evidence)
    sure = written and bool(sources & {"phone", "earlier"})
    reasons = tuple(one.why for one in sorted(evidence, key=lambda one: -one.weight))
    return Suggestion(place.id, place.account_no, name, balance, min(99, 100 - doubt), reasons, sure)


def _written(on: date) -> str:
    return f"{on.day} {on:%b %Y}"
