"""Whom a message of the office is meant for, and what it will cost to send it to them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from billing.models import Balance, Connection, Customer, CustomerPhone
from core.config import settings
from core.message_failures import FailingNumber
from core.money import CURRENCY_DIGITS, Money, round_to_minor
from core.opt_outs import OptOut
from core.phone import Phone
from core.text import SmsParts, sms_parts


@dataclass(frozen=True, slots=True)
class Audience:
    """Active customers with a phone: all, or those with a connection in a zone, of a language, owing more than an
    amount (in minor units) on all their connections together."""

    zone_id: int | None = None
    language: str | None = None
    owing_minor: int | None = None

    def as_json(self) -> dict[str, Any]:
        return {"zone_id": self.zone_id, "language": self.language, "owing_minor": self.owing_minor}

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "Audience":
        return cls(stored.get("zone_id"), stored.get("language"), stored.get("owing_minor"))


@dataclass(frozen=True, slots=True)
class Share:
    """The readers of one language: how many get the text in `written_in`, who is left out, and what it takes."""

    language: str
    written_in: str
    recipients: int
    stopped: int
    flagged: int
    each: SmsParts

    @property
    def parts(self) -> int:
        return self.recipients * self.each.parts


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a message will take, counted over the very rows that are queued on confirming it."""

    shares: Sequence[Share]
    cost: Money

    @property
    def recipients(self) -> int:
        return sum(share.recipients for share in self.shares)

    @property
    def parts(self) -> int:
        return sum(share.parts for share in self.shares)


def estimate(session: Session, audience: Audience, texts: Mapping[str, str]) -> Estimate:
    """Count the readers and the parts. Those who said STOP and numbers that are left alone cost nothing."""
    stopped = exists().where(OptOut.phone == CustomerPhone.phone)
    flagged = and_(
        ~stopped, exists().where(FailingNumber.phone == CustomerPhone.phone, FailingNumber.flagged_at.is_not(None))
    )
    rows = session.execute(
        select(
            Customer.language,
            func.count(),
            func.count().filter(stopped),
            func.count().filter(flagged),
        )
        .join(CustomerPhone, CustomerPhone.customer_id == Customer.id)
        .where(*_meant(audience), _first_phone())
        .group_by(Customer.language)
        .order_by(Customer.language)
    ).all()
    shares = [
        Share(
            language, written_in(language, texts), count - away - bad, away, bad, sms_parts(text_for(language, texts))
        )
        for language, count, away, bad in rows
    ]
    return Estimate(shares, cost_of(sum(share.parts for share in shares), settings().sms_price))


def written_in(language: str, texts: Mapping[str, str]) -> str:
    """The language in which a reader of `language` gets it: her own, the utility's, or the only one there is."""
    return next((one for one in (language, settings().default_language) if texts.get(one)), next(iter(texts), ""))


def text_for(language: str, texts: Mapping[str, str]) -> str:
    return texts.get(written_in(language, texts), "")


def cost_of(parts: int, price: str) -> Money:
    """The price of `parts` at `price` (major units, as text)."""
    return round_to_minor(Decimal(price) * parts, settings().currency)


def owing(major: Decimal) -> int:
    """An amount that somebody typed, in minor units of the utility's currency; what is finer is cut off."""
    return int(major.scaleb(CURRENCY_DIGITS[settings().currency]))


def people(session: Session, audience: Audience, *, after: int, limit: int) -> Sequence[Row[tuple[int, Phone, str]]]:
    """The next (customer id, first phone, language) behind the customer `after`, in the order of their ids."""
    return session.execute(
        select(Customer.id, CustomerPhone.phone, Customer.language)
        .join(CustomerPhone, CustomerPhone.customer_id == Customer.id)
        .where(*_meant(audience), _first_phone(), Customer.id > after)
        .order_by(Customer.id)
        .limit(limit)
    ).all()


def _first_phone() -> ColumnElement[bool]:
    """The phone that bills go to: the one she had first."""
    other = CustomerPhone.__table__.alias("other")
    earlier = or_(
        other.c.created_at < CustomerPhone.created_at,
        and_(other.c.created_at == CustomerPhone.created_at, other.c.phone < CustomerPhone.phone),
    )
    return ~exists().where(other.c.customer_id == CustomerPhone.customer_id, earlier)


def _meant(audience: Audience) -> list[ColumnElement[bool]]:
    meant: list[ColumnElement[bool]] = [Customer.status == "active"]
    if audience.language is not None:
        meant.append(Customer.language == audience.language)
    if audience.zone_id is not None:
        there = Connection.customer_id == Customer.id, Connection.zone_id == audience.zone_id
        meant.append(exists().where(*there, Connection.status != "closed"))
    if audience.owing_minor is not None:
        owed = (
            select(func.coalesce(func.sum(Balance.amount_minor), 0))
            .join(Connection, Connection.id == Balance.connection_id)
            .where(Connection.customer_id == Customer.id)
            .scalar_subquery()
        )
        meant.append(owed > audience.owing_minor)
    return meant
