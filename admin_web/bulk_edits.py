"""One change to many connections: chosen in their list, confirmed with who and how many, made, taken back."""

from typing import Any

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from admin_web.access import BILLING, EVERYONE, SUPPORT, officer, page
from admin_web.lists import address
from admin_web.lists_connections import CONNECTIONS
from admin_web.paging import listed
from billing import bulk_edits as edits
from billing.models import BulkEdit, BulkEditRow, Connection, Customer, Tariff, Zone

SHOWN = 15
STATES = {
    "draft": ("warn", "Waits for your word"), "changing": ("busy", "Being changed"), "done": ("good", "Done"),
    "dropped": ("off", "Not done"), "undoing": ("busy", "Being taken back"), "undone": ("off", "Taken back"),
}  # fmt: skip
ROW_STATES = {
    "waiting": ("busy", "Waits"), "changed": ("good", "Changed"), "same": ("off", "Was so before"),
    "refused": ("bad", "Not changed"), "undone": ("off", "Taken back"), "kept": ("warn", "Kept"),
}  # fmt: skip
TARGETS = ("tariff", "zone")
NOTHING = "Nothing is chosen. Tick some connections, or choose all that match."
TOO_MANY = f"More than {edits.MOST:,} are chosen. Narrow the list first."
SETTLED = "Somebody has decided about this already. This is how it stands."


@page("/connections/chosen", roles=SUPPORT, methods=("POST",))
def choose_many(session: Session) -> ResponseReturnValue:
    """Write down which connections are meant; nothing is changed before it is confirmed."""
    asked = CONNECTIONS.asked()
    back = redirect(url_for("office.connections", **address(asked)), 303)
    action, _, target = request.form.get("action", "").partition(":")
    target_id = _target(session, action, target)
    if action not in edits.COLUMN or (action in TARGETS) != (target_id is not None):
        flash("Choose what to do with them.", "bad")
        return back
    if action == "tariff" and officer().role not in BILLING:
        abort(403, "Tariffs are given by those who bill.")
    if request.form.get("all"):
        chosen = CONNECTIONS.chosen(session, asked).with_only_columns(Connection.id)
        said = _said(session, asked)
    else:
        ids = [int(one) for one in request.form.getlist("id") if one.isdecimal() and len(one) < 18][:1_000]
        chosen, said = select(Connection.id).where(Connection.id.in_(ids)), "ticked one by one"
        if not ids:
            flash(NOTHING, "bad")
            return back
    edit = edits.draft(session, action, target_id, chosen, officer().actor, said)
    if edit is None:
        flash(TOO_MANY if request.form.get("all") else NOTHING, "bad")
        return back
    return redirect(url_for("office.bulk_edit", edit_id=edit.id), 303)


@page("/changes", roles=EVERYONE)
def bulk_edits(session: Session) -> ResponseReturnValue:
    """The latest first."""
    found = listed(session, select(BulkEdit), [BulkEdit.id], newest_first=True)
    told = {edit.id: what(session, edit) for edit in found.rows}
    return render_template("office/bulk_edits.html", found=found, states=STATES, told=told)


@page("/changes/<int:edit_id>", roles=EVERYONE)
def bulk_edit(session: Session, edit_id: int) -> ResponseReturnValue:
    """Before: who, what and how many. Afterwards: what became of each."""
    return render_template("office/bulk_edit.html", **_view(session, edit_id))


@page("/changes/<int:edit_id>/progress", roles=EVERYONE)
def bulk_edit_progress(session: Session, edit_id: int) -> ResponseReturnValue:
    """The part that changes while a worker is at it; when it rests, the whole page is loaded again."""
    view = _view(session, edit_id)
    answer = make_response(render_template("office/_bulk_edit_progress.html", **view))
    if not view["moving"]:
        answer.headers["HX-Refresh"] = "true"
    return answer


@page("/changes/<int:edit_id>/start", roles=SUPPORT, methods=("POST",))
def start_many(session: Session, edit_id: int) -> ResponseReturnValue:
    """It was read and is meant."""
    if not edits.start(session, _edit(session, edit_id).id):
        flash(SETTLED, "note")
    return redirect(url_for("office.bulk_edit", edit_id=edit_id), 303)


@page("/changes/<int:edit_id>/drop", roles=SUPPORT, methods=("POST",))
def drop_many(session: Session, edit_id: int) -> ResponseReturnValue:
    """Nothing is changed."""
    flash("Nothing is changed." if edits.drop(session, _edit(session, edit_id).id) else SETTLED, "good")
    return redirect(url_for("office.connections"), 303)


@page("/changes/<int:edit_id>/undo", roles=SUPPORT, methods=("POST",))
def undo_many(session: Session, edit_id: int) -> ResponseReturnValue:
    """Each becomes what it was, unless somebody has changed it since."""
    if not edits.undo(session, _edit(session, edit_id).id, officer().actor):
        flash(SETTLED, "note")
    return redirect(url_for("office.bulk_edit", edit_id=edit_id), 303)


def what(session: Session, edit: BulkEdit) -> str:
    """What it does, in words."""
    if edit.action == "activate":
        return "Activate the supply"
    if edit.action == "suspend":
        return "Suspend the supply"
    target = _thing(session, edit.action, edit.target_id or 0)
    name = target.name if target is not None else "?"
    return f"Give the tariff {name}" if edit.action == "tariff" else f"Move to zone {name}"


def _thing(session: Session, action: str, target_id: int) -> Tariff | Zone | None:
    return session.get(Tariff, target_id) if action == "tariff" else session.get(Zone, target_id)


def _target(session: Session, action: str, target: str) -> int | None:
    if action not in TARGETS or not target.isdecimal() or len(target) > 17:
        return None
    found = _thing(session, action, int(target))
    return found.id if found is not None else None


def _said(session: Session, asked: dict[str, str]) -> str:
    """How they were chosen, for those who look at it later."""
    chips = [
        f"{one.title}: {one.choices(session)[asked[one.name]]}"
        for one in CONNECTIONS.filters
        if asked.get(one.name) in one.choices(session)
    ]
    return ", ".join([*chips, *([f"account {asked['q']}…"] if asked.get("q") else [])]) or "all connections"


def _edit(session: Session, edit_id: int) -> BulkEdit:
    edit = session.get(BulkEdit, edit_id) or abort(404)
    if edit.action == "tariff" and officer().role not in BILLING:
        abort(403)
    return edit


def _view(session: Session, edit_id: int) -> dict[str, Any]:
    edit = session.get(BulkEdit, edit_id) or abort(404)
    done = edits.progress(session, edit.id)
    waiting = done.get("changed" if edit.status == "undoing" else "waiting", 0)
    rows = session.execute(
        select(BulkEditRow, Connection, Customer.name)
        .join(Connection, Connection.id == BulkEditRow.connection_id)
        .outerjoin(Customer, Customer.id == Connection.customer_id)
        .where(BulkEditRow.edit_id == edit.id)
        .order_by(BulkEditRow.state.in_(("refused", "kept")).desc(), BulkEditRow.connection_id)
        .limit(SHOWN)
    ).all()
    return {
        "edit": edit, "what": what(session, edit), "done": done, "left": waiting, "rows": rows, "states": STATES,
        "row_states": ROW_STATES, "moving": edit.status in ("changing", "undoing"),
        "may_change": officer().role in (BILLING if edit.action == "tariff" else SUPPORT),
    }  # fmt: skip
