"""The log of what providers sent: each body as it came, what became of it, and Replay for what was quarantined."""

import json

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from admin_web.access import DESK, MONEY, officer, page
from admin_web.paging import listed
from payments.models import Notice, PaymentIntent
from payments.notices import replay
from payments.receipts import label_of

STATES = {
    "applied": ("good", "Applied"), "duplicate": ("off", "Known already"), "quarantined": ("bad", "Quarantined"),
    "waiting": ("busy", "Not worked on yet"),
}  # fmt: skip
KINDS = {
    "stk": "Outcome of a PIN prompt", "paybill": "Payment to the PayBill", "pull": "Pulled from the provider's list",
    "statement": "From a statement", "callback": "Outcome of a request", "result": "Result of an operation",
}  # fmt: skip
SHOWS = {
    "quarantined": "Quarantined",
    "waiting": "Not worked on yet",
    "applied": "Applied",
    "duplicate": "Known already",
}
LONGEST = 20_000


@page("/payments/notices", roles=DESK)
def notices(session: Session) -> ResponseReturnValue:
    """The latest first; those that were quarantined first of all where there are any."""
    show, query = request.args.get("show", ""), select(Notice)
    if show == "waiting":
        query = query.where(Notice.outcome.is_(None))
    elif show in SHOWS:
        query = query.where(Notice.outcome == show)
    found = listed(session, query, [Notice.id], newest_first=True)
    return render_template(
        "office/notices.html", found=found, show=show, shows=SHOWS, states=STATES, kinds=KINDS, label_of=label_of
    )


@page("/payments/notices/<int:notice_id>", roles=DESK)
def notice(session: Session, notice_id: int) -> ResponseReturnValue:
    """One notice whole: its body byte for byte, who sent it from where, what was made of it."""
    one = session.get(Notice, notice_id) or abort(404)
    attempt = session.scalar(select(PaymentIntent).where(PaymentIntent.token == one.token)) if one.token else None
    twins = select(Notice.id).where(Notice.digest == one.digest, Notice.id != one.id, Notice.token == one.token)
    return render_template(
        "office/notice.html", notice=one, body=readable(one.body), attempt=attempt, states=STATES, kinds=KINDS,
        twins=session.scalars(twins.limit(20)).all() if one.token else [], label_of=label_of,
    )  # fmt: skip


@page("/payments/notices/<int:notice_id>/replay", roles=MONEY, methods=("POST",))
def replay_notice(session: Session, notice_id: int) -> ResponseReturnValue:
    """Have it settled once more: what was wrong with the books may have been put right since."""
    one = session.get(Notice, notice_id) or abort(404)
    if replay(session, one.id, officer().actor):
        flash("It is being worked on again. What was credited before is never credited twice.", "good")
    else:
        flash("It was applied. There is nothing to do again.", "note")
    return redirect(url_for("office.notice", notice_id=one.id), 303)


def readable(body: bytes) -> str:
    """A body as people read it: JSON on several lines, anything else as it is."""
    text = body[:LONGEST].decode(errors="replace")
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text
