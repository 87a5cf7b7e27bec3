"""How money, moments, quantities and states are written on pages; the one place for each."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from flask import Flask
from markupsafe import Markup

from core.clock import now
from core.config import settings
from core.i18n import quantity
from core.money import CURRENCY_DIGITS, Money, round_to_minor
from core.phone import local

NOTHING = Markup('<span class="nothing">–</span>')

# tone, words. The words say it; the tone only repeats them in colour.
STATES: Mapping[str, tuple[str, str]] = {
    "active": ("good", "Active"), "suspended": ("warn", "Suspended"), "closed": ("off", "Closed"),
    "accepted": ("good", "Accepted"), "review": ("warn", "To review"), "rejected": ("bad", "Rejected"),
    "superseded": ("off", "Replaced"), "draft": ("off", "Draft"), "issued": ("good", "Issued"),
    "computing": ("busy", "Computing"), "issuing": ("busy", "Being issued"), "cancelled": ("off", "Cancelled"),
    "prepaid": ("busy", "Prepaid"), "paused": ("warn", "Paused"), "void": ("off", "Void"),
    "overdue": ("bad", "Overdue"),
    "proposed": ("warn", "Waits for a second person"), "posted": ("good", "In the books"), "kept": ("good", "Kept"),
    "broken": ("bad", "Broken"), "sent": ("good", "Sent"), "open": ("warn", "To be done"), "done": ("good", "Done"),
    "withdrawn": ("off", "Withdrawn"),
}  # fmt: skip

MESSAGE_STATES: Mapping[str, tuple[str, str]] = {
    "queued": ("busy", "Waiting to be sent"), "sending": ("busy", "Being sent"), "sent": ("busy", "Sent"),
    "delivered": ("good", "Delivered"), "failed": ("bad", "Not delivered"),
    "unknown": ("warn", "Not known if sent"), "received": ("good", "Received"),
}  # fmt: skip


def money(amount: Money | int | None) -> Markup:
    """An amount (Money, or minor units of the utility's currency) with all its digits, so that columns line up."""
    if amount is None:
        return NOTHING
    value = amount if isinstance(amount, Money) else Money(int(amount), settings().currency)
    digits = CURRENCY_DIGITS[value.currency]
    sign = "−" if value.minor < 0 else ""
    return Markup('<span class="money"><span class="currency">{}</span> {}{:,.{}f}</span>').format(
        value.currency, sign, abs(value.major), digits
    )


def money_of_major(amount: Decimal) -> Markup:
    """An amount in major units as rating has it, which may be finer than the currency, to the minor unit."""
    return money(round_to_minor(amount, settings().currency))


def moment(at: datetime | None) -> Markup:
    """A moment in the utility's zone, the zone named; pointing at it shows UTC."""
    if at is None:
        return NOTHING
    here = at.astimezone(ZoneInfo(settings().utility_zone))
    exact = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    shown = f"{here.day} {here:%b}" if here.year == now().year else f"{here.day} {here:%b %Y}"
    return Markup('<time datetime="{0}" title="{0}">{1}, {2:%H:%M} <span class="zone">{2:%Z}</span></time>').format(
        exact, shown, here
    )


def day(on: date | None) -> Markup:
    """A calendar day, 21 Nov 2026."""
    if on is None:
        return NOTHING
    return Markup('<time datetime="{}">{} {:%b %Y}</time>').format(on.isoformat(), on.day, on)


def month(on: date | None) -> Markup:
    """The month that a day lies in, November 2026."""
    return NOTHING if on is None else Markup('<time datetime="{:%Y-%m}">{:%B %Y}</time>').format(on, on)


def short_month(on: date | None) -> Markup:
    """The month for narrow columns, Nov 2026."""
    return NOTHING if on is None else Markup('<time datetime="{:%Y-%m}">{:%b %Y}</time>').format(on, on)


def amount_of(value: Decimal | int | None, unit: str = "") -> Markup:
    """A quantity without idle zeros, with its unit where one is given."""
    if value is None:
        return NOTHING
    written = quantity(Decimal(value)).replace("-", "−")
    return Markup('<span class="quantity">{}{}</span>').format(
        written, Markup(' <span class="unit">{}</span>').format(unit) if unit else ""
    )


def phone(number: str | None) -> Markup:
    """A number as people there write it; pointing at it shows the international form."""
    return NOTHING if not number else Markup('<span class="phone" title="{}">{}</span>').format(number, local(number))


def age(time: timedelta) -> str:
    """How long ago, in the one unit that matters: "40 s", "3 min", "5 h", "2 days"."""
    seconds = max(0, int(time.total_seconds()))
    for unit, size, until in (("s", 1, 120), ("min", 60, 7200), ("h", 3600, 172_800)):
        if seconds < until:
            return f"{seconds // size} {unit}"
    return f"{seconds // 86_400} days"


def badge(state: str, states: Mapping[str, tuple[str, str]] = STATES) -> Markup:
    """A state in words, on a tone of its own and with a sign, never by colour alone."""
    tone, words = states.get(state, ("off", state.replace("_", " ").capitalize()))
    return Markup('<span class="badge badge-{}" data-state="{}">{}</span>').format(tone, state, words)


def message_badge(state: str) -> Markup:
    return badge(state, MESSAGE_STATES)


def zone_name() -> str:
    """The utility's zone as pages name it, "EAT (Africa/Nairobi)"."""
    zone = ZoneInfo(settings().utility_zone)
    return f"{now().astimezone(zone):%Z} ({zone.key})"


def install(app: Flask) -> None:
    """Make these the filters of the office's templates."""
    for name, function in {
        "money": money, "money_of_major": money_of_major, "moment": moment, "day": day, "month": month,
        "short_month": short_month, "quantity": amount_of, "phone": phone, "badge": badge,
        "message_badge": message_badge, "age": age,
    }.items():  # fmt: skip
        app.jinja_env.filters[name] = function
