"""The books: whether they are whole, the trial balance, each account's ledger, and the journal to take away."""

from datetime import timedelta
from itertools import islice

from flask import make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from admin_web.access import DESK, page
from admin_web.forms import Form, FormSchema, calendar_day, choice, filled, read
from billing.books import last_check
from billing.journal import general_ledger
from billing.journal_export import FORMATS
from billing.moments import here

SIZE = 50
LONGEST = 100_000  # lines of an export that a page gives; more are for the command
FILES = {"csv": ("text/csv", "csv"), "tally": ("application/xml", "xml")}


class ExportForm(FormSchema):
    first = calendar_day()
    last = calendar_day()
    kind = choice({"csv": "CSV", "tally": "Tally XML"})


@page("/ledger", roles=DESK)
def ledger(session: Session) -> ResponseReturnValue:
    """The last check and the trial balance of that hour."""
    return _ledger(session, filled(first=here().replace(day=1) - timedelta(days=1), last=here()))


@page("/ledger/account", roles=DESK)
def ledger_account(session: Session) -> ResponseReturnValue:
    """The legs of one account, the newest first."""
    name, before = request.args.get("name", ""), request.args.get("before", type=int)
    lines = general_ledger(session, name, before=before, limit=SIZE)
    older = url_for("office.ledger_account", name=name, before=lines[-1].entry_id) if len(lines) == SIZE else None
    return render_template("office/ledger_account.html", name=name, lines=lines, older=older, first=before is None)


@page("/ledger/journal", roles=DESK)
def journal_file(session: Session) -> ResponseReturnValue:
    """The journal of some days as a file."""
    form = read(ExportForm(), request.args)
    if form.fine and form.values["first"] > form.values["last"]:
        form.refuse("last", "The last day is before the first.")
    if not form.fine:
        return _ledger(session, form), 422
    kind = form.values["kind"]
    parts = list(islice(FORMATS[kind](session, form.values["first"], form.values["last"]), LONGEST + 1))
    if len(parts) > LONGEST:
        form.refuse("last", "That is too much for a page. Choose fewer days, or use: mita books export")
        return _ledger(session, form), 422
    answer = make_response("".join(parts))
    mime, ending = FILES[kind]
    answer.headers["Content-Type"] = f"{mime}; charset=utf-8"
    name = f"journal-{form.values['first']}-{form.values['last']}.{ending}"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _ledger(session: Session, form: Form) -> str:
    checked = last_check(session)
    accounts = checked.found.get("accounts", []) if checked else []
    return render_template(
        "office/ledger.html",
        checked=checked,
        broken=checked.found["broken"] if checked else {},
        accounts=accounts,
        sums=(sum(one[1] for one in accounts), sum(one[2] for one in accounts)),
        form=form,
    )
