"""The SMS that tells a customer of her bill, in her language and within one segment where it can be."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from billing.copying import copy_rows, field, row
from billing.ledger import money
from core import i18n
from core.clock import now
from core.config import settings
from core.i18n import Month, Text, _
from core.message_templates import template, word
from core.messages import priority_of, wake_after_commit
from core.statements import rows
from core.text import septets, sms_parts, to_gsm7

SINGLE = 160  # septets of an SMS in one part
MARKS = {"account": "ΨΞ1Ψ", "amount": "ΨΞ2Ψ", "owed": "ΨΞ3Ψ", "credit": "ΨΞ4Ψ"}
"""What stands for a bill's figures until they are put in: in the alphabet of an SMS, and in no wording."""

MESSAGE = (
    "direction", "status", "kind", "created_at", "send_after", "priority", "tries", "batched", "phone", "body",
    "language", "key", "parts", "connection_id",
)  # fmt: skip

# Each customer's first phone. The run's index leads to the invoices, the rest goes by keys.
ISSUED = """
    SELECT i.id, i.connection_id, u.language, p.phone, c.account_no, i.amount_minor, i.arrears_minor, i.period_start,
           i.due_on
    FROM invoice i
    JOIN connection c ON c.id = i.connection_id
    JOIN customer u ON u.id = c.customer_id
    JOIN LATERAL (
        SELECT phone FROM customer_phone WHERE customer_id = u.id ORDER BY created_at, phone LIMIT 1
    ) p ON true
    WHERE i.run_id = $1 AND i.connection_id BETWEEN $2 AND $3 AND i.status = 'issued'
    ORDER BY i.connection_id
"""


@dataclass(frozen=True, slots=True)
class BillNews:
    """What the SMS of an issued invoice is about, in minor units."""

    account_no: str
    amount_minor: int
    arrears_minor: int
    period: date
    due_on: date

    @property
    def owed_minor(self) -> int:
        """With what was owed before; negative is credit."""
        return self.amount_minor + self.arrears_minor


@dataclass(frozen=True, slots=True)
class Pattern:
    """A text in a language, its figures still to be put in. `extended` is how many signs take a second septet."""

    body: str
    extended: int
    by_office: bool


class Wordings:
    """The SMS of many bills: a text is said once for a language and a month, and each bill's figures are put in."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._patterns: dict[tuple[bool, bool, str, date, date], Pattern] = {}
        self._figures: dict[tuple[int, str], str] = {}

    def worded(self, news: BillNews, language: str) -> tuple[str, int]:
        """The SMS and its number of parts; what does not fit into one part is said without the utility's name."""
        pattern = self._pattern(news, language)
        body = self._filled(pattern, news, language)
        if pattern.by_office:
            return body, sms_parts(body).parts
        if len(body) + pattern.extended <= SINGLE:
            return body, 1
        shorter = self._filled(self._pattern(news, language, short=True), news, language)
        return shorter, sms_parts(shorter).parts

    def _filled(self, pattern: Pattern, news: BillNews, language: str) -> str:
        owed = news.owed_minor
        return pattern.body % {
            "account": news.account_no,
            "amount": self._figure(news.amount_minor, language),
            "owed": self._figure(max(owed, 0), language),
            "credit": self._figure(max(-owed, 0), language),
        }

    def _figure(self, minor: int, language: str) -> str:
        known = self._figures.get((minor, language))
        if known is None:
            known = self._figures[minor, language] = i18n.money(money(minor), language)
        return known

    def _pattern(self, news: BillNews, language: str, *, short: bool = False) -> Pattern:
        key = (short, news.owed_minor > 0, language, news.period, news.due_on)
        known = self._patterns.get(key)
        if known is None:
            known = self._patterns[key] = self._said(short_text(news) if short else bill_text(news), language)
        return known

    def _said(self, text: Text, language: str) -> Pattern:
        params = {**text.params} | {name: mark for name, mark in MARKS.items() if name in text.params}
        said = word(self._session, text._replace(params=params), language)
        body = said.body if said.by_office else to_gsm7(said.body)
        extended = (septets(body) or 0) - len(body)
        body = body.replace("%", "%%")
        for name, mark in MARKS.items():
            body = body.replace(mark, f"%({name})s")
        return Pattern(body, extended, said.by_office)


def announce(session: Session, run_id: int, first: int, last: int) -> int:
    """Queue the SMS of each issued invoice of connections `first` to `last` to its customer; how many were queued.

    It is called once for an invoice: the batch that issues it is locked, and done with it afterwards.
    """
    issued = rows(session, ISSUED, run_id, first, last)
    if issued:
        # Worded before: the office's wordings are read for it, and nothing can be read while a COPY goes on.
        copy_rows(session, "message", MESSAGE, list(_messages(session, issued, now())))
        wake_after_commit(session)
    return len(issued)


def _messages(session: Session, issued: Sequence[tuple[Any, ...]], moment: datetime) -> Iterator[str]:
    wordings = Wordings(session)
    due = settings().sending_hours().opening(moment)
    common = row("out", "queued", "bill", moment, due, priority_of("bill"), 0, False).rstrip("\n")
    for invoice_id, connection_id, language, phone, *news in issued:
        body, parts = wordings.worded(BillNews(*news), language)
        yield f"{common}\t{phone}\t{field(body)}\t{language}\tbill:{invoice_id}\t{parts}\t{connection_id}\n"


def bill_text(news: BillNews) -> Text:
    """What the SMS says: the month's bill, what is owed with what was owed before, and how to pay."""
    amount, owed = money(news.amount_minor), money(news.owed_minor)
    month = Month(news.period)
    if owed.minor <= 0:
        return _(
            "{utility}: bill for {month}, account {account}, is {amount}. Nothing to pay: your credit is {credit}.",
            utility=settings().utility_name, month=month, account=news.account_no, amount=amount, credit=-owed,
        )  # fmt: skip
    return _(
        "{utility}: bill for {month}, account {account}, is {amount}. Please pay {owed} by {due}. Dial {code}",
        utility=settings().utility_name, month=month, account=news.account_no, amount=amount, owed=owed,
        due=news.due_on, code=settings().service_code,
    )  # fmt: skip


def short_text(news: BillNews) -> Text:
    """The same in few words, for a long name or large amounts."""
    return _(
        "Bill {month}, account {account}: {amount}. To pay: {owed} by {due}. Dial {code}",
        month=Month(news.period), account=news.account_no, amount=money(news.amount_minor),
        owed=money(max(news.owed_minor, 0)), due=news.due_on, code=settings().service_code,
    )  # fmt: skip


def _widest(arrears_minor: int) -> BillNews:
    day = date(2026, 4, 30)  # a month whose name is as long as any, in every language
    return BillNews("1000015", 9999999, arrears_minor, day, day)


template("bill", "Bill of the month", lambda: bill_text(_widest(99999999)))
template("bill_credit", "Bill of the month, paid out of credit", lambda: bill_text(_widest(-99999999)))
template("bill_short", "Bill of the month, where the other is too long", lambda: short_text(_widest(99999999)))
