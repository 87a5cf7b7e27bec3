"""The audit: everything that was changed, by whom; in one place, as a file, and on the page of each object."""

import csv
import io
import json
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask import g, make_response, render_template, request
from flask.typing import ResponseReturnValue
from marshmallow import fields
from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session

from admin_web.access import AUDITORS, page
from admin_web.audit_words import ACTIONS, THINGS, changes, page_of, thing_of
from admin_web.forms import Form, FormSchema, choice, read, word
from admin_web.paging import listed
from core.audit import AuditEntry
from core.audit_rules import AUDITED
from core.config import settings

ON_A_PAGE = 10
IN_A_FILE = 50_000
COLUMNS = ("at", "actor", "source", "thing", "key", "action", "before", "after")
FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Filters(FormSchema):
    """All may be left out."""

    who = word(120, required=False)
    thing = choice(dict.fromkeys(AUDITED, ""), default="")
    key = word(120, required=False)
    day = fields.Date(load_default=None, error_messages={"invalid": "A day such as 2026-11-21."})


@page("/audit", roles=AUDITORS)
def audit(session: Session) -> ResponseReturnValue:
    """What was changed, the newest first; filtered by who, what and day."""
    form = read(Filters(), request.args)
    found = listed(session, _chosen(form), [AuditEntry.id], newest_first=True, size=50)
    asked = {name: form.raw.get(name) or None for name in ("who", "thing", "key", "day")}
    return render_template("office/audit.html", found=found, form=form, asked=asked, things=things())


@page("/audit.csv", roles=AUDITORS)
def audit_file(session: Session) -> ResponseReturnValue:
    """The same as CSV, at most the newest 50,000; moments as ISO 8601 in UTC."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    query = _chosen(read(Filters(), request.args)).order_by(AuditEntry.id.desc()).limit(IN_A_FILE)
    for entry in session.scalars(query.execution_options(yield_per=1000)):
        writer.writerow([_cell(getattr(entry, column)) for column in COLUMNS])
    answer = make_response(out.getvalue())
    answer.headers["Content-Type"] = "text/csv; charset=utf-8"
    answer.headers["Content-Disposition"] = 'attachment; filename="audit.csv"'
    return answer


def history(*rows: tuple[str, object]) -> Sequence[AuditEntry]:
    """The last changes of these, (table, key or keys) each, the newest first: one more than a page shows."""
    session: Session = g.session
    query = select(AuditEntry).where(or_(*(_any_of(thing, key) for thing, key in rows)))
    return session.scalars(query.order_by(AuditEntry.id.desc()).limit(ON_A_PAGE + 1)).all()


def things() -> dict[str, str]:
    """What is audited, in words, in their order."""
    return dict(sorted(((name, THINGS.get(name, name)) for name in AUDITED), key=lambda one: one[1]))


WORDS = {
    "history_of": history, "changes_of": changes, "thing_of": thing_of, "page_of_thing": page_of,
    "audit_actions": ACTIONS, "history_length": ON_A_PAGE,
}  # fmt: skip
"""What templates need to tell of changes."""


def _any_of(thing: str, key: object) -> ColumnElement[bool]:
    keys = [str(one) for one in key] if isinstance(key, list | tuple) else [str(key)]
    return and_(AuditEntry.thing == thing, AuditEntry.key.in_(keys))


def _chosen(form: Form) -> Select[tuple[AuditEntry]]:
    query = select(AuditEntry)
    asked = form.values
    if asked.get("who"):
        query = query.where(AuditEntry.actor == asked["who"])
    if asked.get("thing"):
        query = query.where(AuditEntry.thing == asked["thing"])
    if asked.get("key"):
        query = query.where(AuditEntry.key == asked["key"])
    if asked.get("day"):
        first = _morning(asked["day"])
        query = query.where(AuditEntry.at >= first, AuditEntry.at < _morning(asked["day"] + timedelta(days=1)))
    return query


def _morning(day: date) -> datetime:
    """When a day begins where the utility is."""
    return datetime.combine(day, time(), ZoneInfo(settings().utility_zone))


def _cell(value: object) -> str:
    """A value for a spreadsheet, which must not take it for a formula."""
    if isinstance(value, datetime):
        return value.isoformat()
    words = "" if value is None else json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)
    return f"'{words}" if words.startswith(FORMULA) else words
