"""How the audit's entries are told: things by their names, columns in words, values as pages write them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import url_for
from markupsafe import Markup, escape

from admin_web.looks import NOTHING, moment, money
from core.audit import AuditEntry

THINGS = {
    "adjustment": "Correction of a debt", "bulk_send": "Message to many", "billing_run": "Billing run",
    "connection": "Connection", "credit_policy": "Credit policy", "customer": "Customer",
    "customer_phone": "Customer's phone", "dunning_step": "Step against a debt", "fault_report": "Fault",
    "invoice": "Invoice", "levy_rate": "Levy", "link_request": "Link of a phone", "message_template": "Text",
    "meter": "Meter", "meter_assignment": "Meter's time at a connection", "office_user": "Officer",
    "opt_out": "STOP of a phone", "payment_plan": "Payment plan", "plan_instalment": "Instalment",
    "reading": "Reading", "receipt": "Receipt of money", "recovery_code": "Recovery code", "tariff": "Tariff",
    "tariff_version": "Version of a tariff", "zone": "Zone",
}  # fmt: skip
PAGES = {
    "billing_run": ("run", "run_id"), "bulk_send": ("bulk_send", "bulk_id"),
    "connection": ("connection", "connection_id"), "credit_policy": ("policy", "kind"),
    "customer": ("customer", "customer_id"), "fault_report": ("fault", "fault_id"),
    "invoice": ("invoice", "invoice_id"), "meter": ("meter", "meter_id"),
    "office_user": ("officer_page", "user_id"), "reading": ("reading", "reading_id"),
    "tariff": ("tariff", "tariff_id"),
}  # fmt: skip
ACTIONS = {
    "insert": ("good", "Added"), "update": ("busy", "Changed"), "delete": ("bad", "Removed"),
    "truncate": ("bad", "Emptied"),
}  # fmt: skip
LONGEST = 160


@dataclass(frozen=True, slots=True)
class Change:
    """One column: what it was (None where the row is new) and what it is (None where it is gone)."""

    words: str
    was: Markup | None
    now: Markup | None


def thing_of(entry: AuditEntry) -> str:
    """What was changed, in words."""
    return THINGS.get(entry.thing, entry.thing.replace("_", " ").capitalize())


def page_of(entry: AuditEntry) -> tuple[str, str] | None:
    """Endpoint and address of the page of what was changed; None where it has none, or is gone."""
    endpoint, part = PAGES.get(entry.thing, ("", ""))
    if not endpoint or not entry.key or entry.action == "delete":
        return None
    parts: dict[str, Any] = {part: entry.key}
    return endpoint, url_for(f"office.{endpoint}", **parts)


def changes(entry: AuditEntry) -> Iterator[Change]:
    """Column by column."""
    before, after = entry.before or {}, entry.after or {}
    for column in dict.fromkeys([*before, *after]):
        yield Change(
            column.removesuffix("_minor").removesuffix("_id").replace("_", " ").capitalize(),
            _written(column, before[column]) if column in before else None,
            _written(column, after[column]) if column in after else None,
        )


def _written(column: str, value: Any) -> Markup:
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return Markup("yes" if value else "no")  # noqa: S704  words of our own
    if column.endswith("_minor") and isinstance(value, int):
        return money(value)
    if column.endswith("_at") and isinstance(value, str):
        return moment(datetime.fromisoformat(value))
    words = str(value)
    return escape(words if len(words) <= LONGEST else f"{words[:LONGEST]}…")
