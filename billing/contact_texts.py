"""What a customer is told about her reports, her links, her PIN and her usage."""

from datetime import date
from decimal import Decimal

from core.config import settings
from core.i18n import Month, Text, _
from core.message_templates import template


def fault_received(ticket: str) -> Text:
    return _("{utility}: we have your report. Its number is {ticket}.", utility=_us(), ticket=ticket)


def fault_answered(ticket: str, answer: str) -> Text:
    return _("{utility}: your report {ticket}: {answer}", utility=_us(), ticket=ticket, answer=answer)


def link_approved(account_no: str) -> Text:
    return _(
        "{utility}: connection {account} is now linked to this phone. Dial {code}",
        utility=_us(), account=account_no, code=settings().service_code,
    )  # fmt: skip


def link_rejected(account_no: str) -> Text:
    return _(
        "{utility}: we could not link connection {account} to this phone. Please visit our office with your ID.",
        utility=_us(), account=account_no,
    )  # fmt: skip


def pin_cleared() -> Text:
    return _(
        "{utility}: your PIN is removed. Dial {code} to set a new one. If you did not ask for this, visit our office.",
        utility=_us(), code=settings().service_code,
    )  # fmt: skip


def usage_above(account_no: str, month: date, used: Decimal, limit: Decimal) -> Text:
    return _(
        "{utility}: connection {account} has used {used} units in {month}, more than your limit of {limit}.",
        utility=_us(), account=account_no, used=used, month=Month(month), limit=limit,
    )  # fmt: skip


def usage_unusual(account_no: str, month: date, kind: str, used: Decimal, usual: Decimal) -> Text:
    """What a person has confirmed about a month: `kind` is one of an anomaly's; both usages are units a day."""
    said = {"account": account_no, "used": round(used, 1), "month": Month(month), "usual": round(usual, 1),
            "code": settings().service_code}  # fmt: skip
    if kind == "leak":
        return _(
            "Account {account} used {used} units a day in {month}, usually {usual}. Close all taps: if the meter "
            "still turns, water leaks. Dial {code}", **said,
        )  # fmt: skip
    return _(
        "Account {account} used {used} units a day in {month}, usually {usual}. If the meter is broken, please tell "
        "us: dial {code}", **said,
    )  # fmt: skip


def _us() -> str:
    return settings().utility_name


ACCOUNT, TICKET = "1000015", "100009"  # as long as they get
WIDE = Decimal("99999.9")
LOTS = Decimal("999.9")

template("fault", "Report of a fault: its number", lambda: fault_received(TICKET))
template("fault_closed", "Report of a fault: the answer", lambda: fault_answered(TICKET, "x" * 100))
template("link_approved", "Link to a phone: approved", lambda: link_approved(ACCOUNT))
template("link_rejected", "Link to a phone: not approved", lambda: link_rejected(ACCOUNT))
template("pin_cleared", "PIN removed by the office", lambda: pin_cleared())
template("alert", "Warning of a month's usage", lambda: usage_above(ACCOUNT, date(2026, 9, 1), WIDE, WIDE))
template(
    "unusual", "A month that stands out: leak",
    lambda: usage_unusual(ACCOUNT, date(2026, 9, 1), "leak", LOTS, LOTS),
)  # fmt: skip
template(
    "standstill", "A month that stands out: little or nothing used",
    lambda: usage_unusual(ACCOUNT, date(2026, 9, 1), "stuck", LOTS, LOTS),
)  # fmt: skip
