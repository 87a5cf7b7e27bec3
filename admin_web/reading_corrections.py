"""A reading in the books put right: what it said before is kept, and the bills that no longer agree are named."""

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from admin_web.access import BILLING, EVERYONE, READINGS, officer, page
from admin_web.forms import FormSchema, Number, filled, read, word
from admin_web.lists_meters import SOURCES
from billing.corrections import CorrectionRefusal, correct_reading, corrections_of, stale_invoices
from billing.models import Connection, Meter, Reading
from billing.runs import REASONS
from billing.stale_bills import RebillRefusal, rebill_stale

REFUSALS = {
    "same": "This is what the reading says already.",
    "too_many_digits": "The meter has not so many dials.",
    "below": "This is below the reading before it. Correct that one first.",
    "beyond": "This is more than the reading after it shows. Correct that one first.",
    "duplicate": "Another reading of that day says this already.",
    "not_accepted": "Only a reading in the books can be corrected. Decide about it in the review.",
}


NOT_REBILLED = {
    "nothing": "Every bill says what its readings say.",
    "second_person": "It changes the debt by more than your limit. Make them void one by one: somebody else approves.",
}


class CorrectionForm(FormSchema):
    value = Number()
    reason = word(200)


@page("/readings/<int:reading_id>", roles=EVERYONE)
def reading(session: Session, reading_id: int) -> ResponseReturnValue:
    """One reading: what it says, what it said, and a form to put it right."""
    one = session.get(Reading, reading_id) or abort(404)
    return _page(session, one, filled(value=f"{one.value.normalize():f}"))


@page("/readings/<int:reading_id>", roles=READINGS, methods=("POST",))
def correct(session: Session, reading_id: int) -> ResponseReturnValue:
    """Correct it; the bills that it makes wrong are shown then."""
    one = session.get(Reading, reading_id) or abort(404)
    form = read(CorrectionForm(), request.form)
    if form.fine:
        done = correct_reading(session, one.id, form.values["value"], officer().actor, form.values["reason"])
        if not isinstance(done, CorrectionRefusal):
            flash("The reading is corrected. What it said before is kept below.", "good")
            return redirect(url_for("office.reading", reading_id=one.id), 303)
        form.refuse("value", REFUSALS[done.kind])
    return _page(session, one, form), 422


@page("/connections/<int:connection_id>/rebill", roles=BILLING, methods=("POST",))
def rebill(session: Session, connection_id: int) -> ResponseReturnValue:
    """Make the bills void that a correction has made wrong, and bill their months again."""
    place = session.get(Connection, connection_id) or abort(404)
    done = rebill_stale(session, place.id, officer().actor)
    if isinstance(done, RebillRefusal):
        flash(NOT_REBILLED.get(done.kind) or REASONS.get(done.kind, "A run is open: issue or cancel it first."), "bad")
    else:
        flash(f"Billed again: {', '.join(str(one.number) for one in done)}.", "good")
    return redirect(url_for("office.account", connection_id=place.id), 303)


def _page(session: Session, one: Reading, form: object) -> str:
    return render_template(
        "office/reading.html",
        reading=one,
        place=session.get_one(Connection, one.connection_id),
        meter=session.get_one(Meter, one.meter_id),
        kept=corrections_of(session, one.id),
        stale=stale_invoices(session, one.connection_id),
        form=form,
        sources=SOURCES,
    )
