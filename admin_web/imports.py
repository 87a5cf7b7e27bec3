"""Lists brought as files: uploaded, looked at, taken into the books, taken back."""

from typing import Any

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from admin_web.access import AUDITORS, BILLING, EVERYONE, IMPORTERS, MONEY, READINGS, SUPPORT, office, officer, page
from admin_web.import_view import STATES, kinds_for, view_of
from admin_web.paging import listed
from billing.importing import applying, reading
from billing.importing.kinds import KINDS
from billing.importing.models import ImportFile
from billing.importing.tables import LARGEST
from billing.importing.values import DAYS

MAY = {
    "tariffs": BILLING, "customers": SUPPORT, "connections": SUPPORT, "meters": READINGS, "balances": MONEY,
    "readings": READINGS, "payments": MONEY,
}  # fmt: skip
"""Who may bring a kind of file: those who may type the same in."""
GONE = "Somebody has decided about this file already. This is how it stands."


def is_one_of(roles: frozenset[str]) -> bool:
    """Whether the officer at this page has one of these roles."""
    return officer().role in roles


@office.before_request
def allow_a_file() -> None:
    """An upload is larger than any form; this is asked before the form's token is read."""
    if request.endpoint == "office.upload_import":
        request.max_content_length = LARGEST + 64 * 1024


@page("/imports", roles=EVERYONE)
def imports(session: Session) -> ResponseReturnValue:
    """What can be brought, and what was: the latest first."""
    seen = [name for name in KINDS if is_one_of(MAY[name] | AUDITORS)]
    found = listed(session, select(ImportFile).where(ImportFile.kind.in_(seen)), [ImportFile.id], newest_first=True)
    return render_template("office/imports.html", **_uploading(), found=found, states=STATES)


@page("/imports", roles=IMPORTERS, methods=("POST",))
def upload_import(session: Session) -> ResponseReturnValue:
    """Keep a file and look at it. Nothing of it is in the books before somebody says so."""
    kind, days, sent = request.form.get("kind", ""), request.form.get("days", "iso"), request.files.get("file")
    told = ""
    if kind not in KINDS or days not in DAYS:
        told = "Choose what is in the file."
    elif sent is None or not sent.filename:
        told = "Choose a file."
    elif not is_one_of(MAY[kind]):
        told = f"{KINDS[kind].title} are not for your role."
    if told or sent is None:
        return render_template("office/imports.html", **_uploading(), told=told, states=STATES), 422
    name = (sent.filename or "").replace("\\", "/").rsplit("/", 1)[-1]
    with sent.stream as stream:
        content = stream.read(LARGEST + 1)
    kept = reading.keep(session, kind, name, content, days=days, by=officer().actor)
    return redirect(url_for("office.import_file", file_id=kept.id), 303)


@page("/imports/<int:file_id>", roles=EVERYONE)
def import_file(session: Session, file_id: int) -> ResponseReturnValue:
    """One file: how far it is, what is wrong with it, what it made."""
    return render_template("office/import_file.html", **_view(session, file_id))


@page("/imports/<int:file_id>/progress", roles=EVERYONE)
def import_progress(session: Session, file_id: int) -> ResponseReturnValue:
    """The part that changes while a worker is at it; when it rests, the whole page is loaded again."""
    view = _view(session, file_id)
    answer = make_response(render_template("office/_import_progress.html", **view))
    if not view["moving"]:
        answer.headers["HX-Refresh"] = "true"
    return answer


@page("/imports/<int:file_id>/columns", roles=IMPORTERS, methods=("POST",))
def rename_columns(session: Session, file_id: int) -> ResponseReturnValue:
    """These headers mean those columns: read it anew."""
    file = _file(session, file_id, change=True)
    renamed = {
        header: request.form[f"column_{place}"]
        for place, header in enumerate(file.headers)
        if request.form.get(f"column_{place}")
    }
    if len(set(renamed.values())) < len(renamed):
        flash("Two headers cannot mean the same column.", "bad")
    elif not reading.rename(session, file, renamed):
        flash(GONE, "note")
    return redirect(url_for("office.import_file", file_id=file.id), 303)


@page("/imports/<int:file_id>/start", roles=IMPORTERS, methods=("POST",))
def start_import(session: Session, file_id: int) -> ResponseReturnValue:
    """Take the valid rows into the books."""
    file = _file(session, file_id, change=True)
    if not applying.start(session, file.id, officer().actor):
        flash(GONE, "note")
    return redirect(url_for("office.import_file", file_id=file.id), 303)


@page("/imports/<int:file_id>/drop", roles=IMPORTERS, methods=("POST",))
def drop_import(session: Session, file_id: int) -> ResponseReturnValue:
    """None of it."""
    file = _file(session, file_id, change=True)
    flash("Nothing of it is in the books." if applying.drop(session, file.id) else GONE, "good")
    return redirect(url_for("office.imports"), 303)


@page("/imports/<int:file_id>/undo", roles=IMPORTERS, methods=("GET", "POST"))
def undo_import(session: Session, file_id: int) -> ResponseReturnValue:
    """Take back what the file made: first asked, then done."""
    file = _file(session, file_id, change=True)
    if request.method == "GET":
        return render_template("office/import_undo.html", **_view(session, file_id))
    if not applying.undo(session, file.id, officer().actor):
        flash("There is nothing to take back.", "note")
    return redirect(url_for("office.import_file", file_id=file.id), 303)


def _uploading() -> dict[str, Any]:
    return {"kinds": kinds_for(lambda name: is_one_of(MAY[name])), "days": DAYS, "all_kinds": KINDS}


def _file(session: Session, file_id: int, *, change: bool = False) -> ImportFile:
    file = session.get(ImportFile, file_id) or abort(404)
    if not is_one_of(MAY[file.kind] if change else MAY[file.kind] | AUDITORS):
        abort(403)
    return file


def _view(session: Session, file_id: int) -> dict[str, Any]:
    file = _file(session, file_id)
    return view_of(session, file) | {"may_import": is_one_of(MAY[file.kind])}
