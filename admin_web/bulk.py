"""A message to many: whom, what, what it costs; then a second look, and how far it is."""

from typing import Any

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from admin_web.access import DESK, SUPPORT, officer, page
from admin_web.forms import Form, FormSchema, Number, filled, read, whole, word
from admin_web.message_counter import counted, typed
from admin_web.paging import listed
from billing import bulk_messages
from billing.audiences import Audience, cost_of, estimate, owing
from billing.ledger import money
from billing.models import Zone
from core.clock import now
from core.config import settings
from core.i18n import LANGUAGES
from core.inbox import waiting
from core.message_bulk import BulkSend
from core.text import sms_parts

MOST_PARTS = 4
STATES = {
    "draft": ("off", "Draft"), "filling": ("busy", "Being queued"), "sending": ("busy", "Being sent"),
    "done": ("good", "Done"), "cancelled": ("off", "Stopped"),
}  # fmt: skip


class BulkForm(FormSchema):
    title = word(60)
    zone = whole(1, required=False)
    language = word(8, required=False)
    owing = Number(places=2, required=False)


@page("/bulk", roles=DESK)
def bulk_sends(session: Session) -> ResponseReturnValue:
    """The latest first."""
    found = listed(session, select(BulkSend), [BulkSend.id], newest_first=True)
    return render_template(
        "office/bulk_sends.html", found=found, states=STATES, cost_of=cost_of, waiting=waiting(session)
    )


@page("/bulk/new", roles=SUPPORT, methods=("GET", "POST"))
def new_bulk(session: Session) -> ResponseReturnValue:
    """Write it. Nothing is sent before what it costs has been seen and confirmed."""
    form = filled()
    if request.method == "POST":
        form, texts = _read()
        if form.fine:
            chosen = form.values
            audience = Audience(
                chosen["zone"], chosen["language"], None if chosen["owing"] is None else owing(chosen["owing"])
            )
            bulk = bulk_messages.draft(session, chosen["title"], audience, texts, officer().actor)
            return redirect(url_for("office.bulk_send", bulk_id=bulk.id), 303)
    zones = {zone.id: zone.name for zone in session.scalars(select(Zone).order_by(Zone.name))}
    return render_template(
        "office/bulk_new.html",
        form=form,
        zones=zones,
        languages=LANGUAGES,
        counts={language: counted(str(form.raw.get(f"text_{language}", ""))) for language in LANGUAGES},
    ), 200 if form.fine else 422


def _read() -> tuple[Form, dict[str, str]]:
    form = read(BulkForm(), request.form)
    texts = {language: typed(f"text_{language}") for language in LANGUAGES}
    if not any(texts.values()):
        form.refuse(f"text_{next(iter(LANGUAGES))}", "Write the text in one language at least.")
    for language, text in texts.items():
        if sms_parts(text).parts > MOST_PARTS:
            form.refuse(f"text_{language}", f"At most {MOST_PARTS} SMS long.")
    if form.values.get("language") not in (None, *LANGUAGES):
        form.refuse("language", "Choose one of the list.")
    return form, texts


@page("/bulk/<int:bulk_id>", roles=DESK)
def bulk_send(session: Session, bulk_id: int) -> ResponseReturnValue:
    """One message to many: before it is sent what it takes, afterwards how far it is."""
    return render_template("office/bulk_send.html", **_view(session, bulk_id))


@page("/bulk/<int:bulk_id>/progress", roles=DESK)
def bulk_progress(session: Session, bulk_id: int) -> ResponseReturnValue:
    """The part that changes while it is sent; when it rests, the whole page is loaded again."""
    view = _view(session, bulk_id)
    answer = make_response(render_template("office/_bulk_progress.html", **view))
    if not view["moving"]:
        answer.headers["HX-Refresh"] = "true"
    return answer


@page("/bulk/<int:bulk_id>/send", roles=SUPPORT, methods=("POST",))
def send_bulk(session: Session, bulk_id: int) -> ResponseReturnValue:
    """It was read, counted and meant."""
    if session.get(BulkSend, bulk_id) is None:
        abort(404)
    if bulk_messages.confirm(session, bulk_id, officer().actor) is not None:
        flash("It is being sent.", "good")
    else:
        flash("This message is no draft any more. Look at its state.", "bad")
    return redirect(url_for("office.bulk_send", bulk_id=bulk_id), 303)


@page("/bulk/<int:bulk_id>/stop", roles=SUPPORT, methods=("POST",))
def stop_bulk(session: Session, bulk_id: int) -> ResponseReturnValue:
    """What is not sent yet is not sent."""
    bulk = session.get(BulkSend, bulk_id) or abort(404)
    drafted = bulk.status == "draft"
    if bulk_messages.cancel(session, bulk_id):
        flash("Thrown away." if drafted else "Stopped. What is with the gateway cannot be called back.", "good")
    return redirect(url_for("office.bulk_send", bulk_id=bulk_id), 303)


def _view(session: Session, bulk_id: int) -> dict[str, Any]:
    bulk = session.get(BulkSend, bulk_id) or abort(404)
    audience = Audience.of(bulk.audience)
    done = bulk_messages.progress(session, bulk.id)
    left = done.get("queued", 0) + done.get("sending", 0)
    zone = session.get(Zone, audience.zone_id) if audience.zone_id is not None else None
    return {
        "bulk": bulk,
        "audience": audience,
        "zone": zone,
        "owing": money(audience.owing_minor) if audience.owing_minor is not None else None,
        "languages": LANGUAGES,
        "counts": {language: counted(text) for language, text in bulk.texts.items()},
        "estimate": estimate(session, audience, bulk.texts) if bulk.status == "draft" else None,
        "cost": cost_of(bulk.parts, bulk.price),
        "price": settings().sms_price,
        "done": done,
        "left": left,
        "queued": sum(done.values()),
        "state": "done" if bulk.status == "sending" and not left else bulk.status,
        "states": STATES,
        "moving": bulk.status == "filling" or (bulk.status == "sending" and left > 0),
        "hours": settings().sms_window if not settings().sending_hours().open_at(now()) else "",
    }
