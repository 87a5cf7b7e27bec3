"""Billing runs: started for a month, watched, reviewed, issued."""

from datetime import date, timedelta
from typing import Any

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from admin_web.access import BILLING, EVERYONE, officer, page
from admin_web.forms import FormSchema, filled, read, word
from admin_web.paging import listed
from admin_web.places import account_numbers
from billing.models import BillingRun
from billing.run_review import review, samples
from billing.runs import REASONS, cancel_run, issue_run, pause_run, problems, resume_run, start_run
from core.clock import today
from core.config import settings

MOVING = ("computing", "issuing")
PROBLEMS = 25
NOT_STARTED = {
    "open_run": "A run for another month is open. Issue or cancel that first.",
    "future": "This month has not begun yet.",
}


class RunForm(FormSchema):
    month = word(7)


@page("/runs", roles=EVERYONE)
def runs(session: Session) -> ResponseReturnValue:
    """The latest first."""
    found = listed(session, select(BillingRun), [BillingRun.id], newest_first=True)
    return render_template("office/runs.html", found=found)


@page("/runs/new", roles=BILLING, methods=("GET", "POST"))
def new_run(session: Session) -> ResponseReturnValue:
    """Start a run: it computes drafts, and nothing reaches a customer before it is issued."""
    form = filled(month=f"{_month_before(today(settings().utility_zone)):%Y-%m}")
    if request.method == "POST":
        form = read(RunForm(), request.form)
        period = _first_of(form.values["month"]) if form.fine else None
        if form.fine and period is None:
            form.refuse("month", "Write the month as year-month, such as 2026-10.")
        if period is not None:
            started = start_run(session, period, officer().actor)
            if isinstance(started, BillingRun):
                return redirect(url_for("office.run", run_id=started.id), 303)
            form.refuse("month", NOT_STARTED.get(started.kind, "A run for this month cannot be started."))
    return render_template("office/run_new.html", form=form), 200 if form.fine else 422


def _month_before(day: date) -> date:
    return (day.replace(day=1) - timedelta(days=1)).replace(day=1)


def _first_of(month: str) -> date | None:
    try:
        return date.fromisoformat(f"{month}-01")
    except ValueError:
        return None


@page("/runs/<int:run_id>", roles=EVERYONE)
def run(session: Session, run_id: int) -> ResponseReturnValue:
    """One run: how far it is, what it came to, and what it could not bill."""
    return render_template("office/run.html", **_view(session, run_id))


@page("/runs/<int:run_id>/progress", roles=EVERYONE)
def run_progress(session: Session, run_id: int) -> ResponseReturnValue:
    """The part that changes while the run works; when it rests, the whole page is loaded again."""
    view = _view(session, run_id)
    answer = make_response(render_template("office/_run_progress.html", **view))
    if not view["moving"]:
        answer.headers["HX-Refresh"] = "true"
    return answer


def _view(session: Session, run_id: int) -> dict[str, Any]:
    """What pages show of a run. Its sums are made when it rests: they read all its bills."""
    one = session.get(BillingRun, run_id) or abort(404)
    moving = one.status in MOVING and not one.paused
    resting = one.status not in MOVING
    found = review(session, one) if resting else None
    unusual = found.outliers if found and one.status == "review" else []
    some = samples(session, one.id) if resting else []
    after = int(seen) if (seen := request.args.get("after", "")).isdecimal() else 0
    why = seen if (seen := request.args.get("why", "")) in REASONS else None
    unbilled = problems(session, one.id, after=after, limit=PROBLEMS + 1, reason=why)
    more, unbilled = len(unbilled) > PROBLEMS, unbilled[:PROBLEMS]
    ids = [bill.connection_id for bill in some] + [one.connection_id for one in unusual]
    ids += [problem.connection_id for problem in unbilled]
    sums = found.totals if found else None
    return {
        "run": one,
        "moving": moving,
        "count": sums.invoices if sums else one.done,
        "sums": sums,
        "summing": resting and found is None,
        "outliers": unusual,
        "samples": some,
        "problems": unbilled,
        "further": unbilled[-1].connection_id if more else None,
        "paged": bool(after),
        "why": why,
        "tally": (tally := found.reasons if found else []),
        "listed": dict(tally).get(why, 0) if why else one.failed,
        "accounts": account_numbers(session, ids),
        "reasons": REASONS,
    }


@page("/runs/<int:run_id>/issue", roles=BILLING, methods=("GET", "POST"))
def confirm_issue(session: Session, run_id: int) -> ResponseReturnValue:
    """Say what issuing does, then do it: invoices get numbers, accounts are charged, bills go out by SMS."""
    view = _view(session, run_id)
    if request.method == "GET":
        return render_template("office/run_issue.html", **view)
    done = issue_run(session, run_id, officer().actor)
    if isinstance(done, BillingRun):
        flash("The invoices are being issued.", "good")
    else:
        flash("This run is not waiting to be issued. Look at its state.", "bad")
    return redirect(url_for("office.run", run_id=run_id), 303)


@page("/runs/<int:run_id>/pause", roles=BILLING, methods=("POST",))
def pause(session: Session, run_id: int) -> ResponseReturnValue:
    """Have the run wait, or go on."""
    session.get(BillingRun, run_id) or abort(404)
    act = resume_run if request.form.get("do") == "resume" else pause_run
    if isinstance(act(session, run_id), BillingRun):
        flash("The run goes on." if act is resume_run else "The run waits. What is at work is finished first.", "good")
    else:
        flash("There was nothing to stop or to go on with.", "bad")
    return redirect(url_for("office.run", run_id=run_id), 303)


@page("/runs/<int:run_id>/cancel", roles=BILLING, methods=("GET", "POST"))
def confirm_cancel(session: Session, run_id: int) -> ResponseReturnValue:
    """Take a run back before it is issued: its drafts go, nothing else changes."""
    view = _view(session, run_id)
    if request.method == "GET":
        return render_template("office/run_cancel.html", **view)
    done = cancel_run(session, run_id, officer().actor)
    if isinstance(done, BillingRun):
        flash("The run is cancelled, its drafts are gone.", "good")
    else:
        flash("This run can no longer be cancelled.", "bad")
    return redirect(url_for("office.run", run_id=run_id), 303)
