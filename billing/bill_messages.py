"""The SMS that tells a customer of her bill, in her language and within one segment where it can be."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from billing.copying import copy_rows, field, row
from billing.ledger import money
from core.clock import now
from core.config import settings
from core.i18n import Month, Text, _
from core.message_templates import template, word
from core.messages import priority_of, wake_after_commit
from core.text import septets, sms_parts, to_gsm7

SINGLE = 160  # septets of an SMS in one part

MESSAGE = (
    "direction", "status", "kind", "created_at", "send_after", "priority", "tries", "batched", "phone", "body",
    "language", "key", "parts", "connection_id",
)  # fmt: skip

# Each customer's first phone. The run's index leads to the invoices, the rest goes by keys.
ISSUED = text("""
    SELECT i.id, i.connection_id, c.account_no, i.amount_minor, i.arrears_minor, i.period_start, i.due_on,
           u.language, p.phone
    FROM invoice i
    JOIN connection c ON c.id = i.connection_id
    JOIN customer u ON u.id = c.customer_id
    JOIN LATERAL (
        SELECT phone FROM customer_phone WHERE customer_id = u.id ORDER BY created_at, phone LIMIT 1
    ) p ON true
    WHERE i.run_id = :run_id AND i.connection_id BETWEEN :first AND :last AND i.status = 'issued'
    ORDER BY i.connection_id
""")


@dataclass(frozen=True, slots=True)
class BillNews:
    """What the SMS of an issued invoice is about, in minor units."""

    account_no: str
    amount_minor: int
    arrears_minor: int
    period: date
    due_on: date


def announce(session: Session, run_id: int, first: int, last: int) -> int:
    """Queue the SMS of each issued invoice of connections `first` to `last` to its customer; how many were queued.

    It is called once for an invoice: the batch that issues it is locked, and done with it afterwards.
    """
    rows = session.execute(ISSUED, {"run_id": run_id, "first": first, "last": last}).all()
    if rows:
        # Worded before: the office's wordings are read for it, and nothing can be read while a COPY goes on.
        copy_rows(session, "message", MESSAGE, list(_messages(session, rows, now())))
        wake_after_commit(session)
    return len(rows)


def _messages(session: Session, rows: "Sequence[Row[tuple[object, ...]]]", moment: datetime) -> Iterator[str]:
    due = settings().sending_hours().opening(moment)
    common = row("out", "queued", "bill", moment, due, priority_of("bill"), 0, False).rstrip("\n")
    for invoice_id, connection_id, account_no, amount, arrears, period, due_on, language, phone in rows:
        body, parts = worded(session, BillNews(account_no, amount, arrears, period, due_on), language)
        yield (f"{common}\t{phone}\t{field(body)}\t{language}\tbill:{invoice_id}\t{parts}\t{connection_id}\n")


def worded(session: Session, news: BillNews, language: str) -> tuple[str, int]:
    """The SMS and its number of parts; what does not fit into one part is said without the utility's name."""
    said = word(session, bill_text(news), language)
    if said.by_office:
        return said.body, sms_parts(said.body).parts
    body = to_gsm7(said.body)
    if (septets(body) or 0) <= SINGLE:
        return body, 1
    shorter = to_gsm7(word(session, short_text(news), language).body)
    return shorter, sms_parts(shorter).parts


def bill_text(news: BillNews) -> Text:
    """What the SMS says: the month's bill, what is owed with what was owed before, and how to pay."""
    amount, owed = money(news.amount_minor), money(news.amount_minor + news.arrears_minor)
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
        owed=money(max(news.amount_minor + news.arrears_minor, 0)), due=news.due_on, code=settings().service_code,
    )  # fmt: skip


def _widest(arrears_minor: int) -> BillNews:
    day = date(2026, 4, 30)  # a month whose name is as long as any, in every language
    return BillNews("1000015", 9999999, arrears_minor, day, day)


template("bill", "Bill of the month", lambda: bill_text(_widest(99999999)))
template("bill_credit", "Bill of the month, paid out of credit", lambda: bill_text(_widest(-99999999)))
template("bill_short", "Bill of the month, where the other is too long", lambda: short_text(_widest(99999999)))
