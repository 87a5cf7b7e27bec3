"""SMS in and out, how far each has come, what holds the queue, and the numbers that are left alone."""

from collections.abc import Iterator

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from admin_web.access import DESK, SUPPORT, office, page
from admin_web.paging import listed
from core.clock import now
from core.config import settings
from core.inbox import waiting
from core.message_failures import FailingNumber, clear, in_words
from core.message_hold import SmsHold, release
from core.messages import LATER, Message, wake
from core.opt_outs import OptOut
from core.phone import parse_phone

KINDS = {
    "failed": "Not delivered", "waiting": "On their way", "skipped": "Not sent", "in": "From customers",
    "out": "To customers",
}  # fmt: skip
WAITING = ("queued", "sending", "sent")
NOT_DELIVERED = ("failed", "unknown")
KIND_WORDS = {
    "receipt": "Receipt", "bill": "Bill", "answer": "Answer", "registration": "Registration", "notice": "Notice",
    "inbound": "From the customer", "reply": "Reply of the office", "bulk": "To many", "alert": "Usage alert",
}  # fmt: skip

office.add_app_template_filter(in_words, "in_words")


@page("/messages", roles=DESK)
def messages(session: Session) -> ResponseReturnValue:
    """The latest first; filtered by what became of them, or by phone."""
    query, show, asked = select(Message), request.args.get("show", ""), request.args.get("q", "").strip()
    if show == "failed":
        query = query.where(Message.status.in_(NOT_DELIVERED))
    elif show == "waiting":
        query = query.where(Message.status.in_(WAITING))
    elif show == "skipped":
        query = query.where(Message.status == "skipped")
    elif show in ("in", "out"):
        query = query.where(Message.direction == show)
    if asked:
        query = query.where(Message.phone == (parse_phone(asked, settings().region) or ""))
    return render_template(
        "office/messages.html",
        found=listed(session, query, [Message.id], newest_first=True),
        show=show,
        asked=asked,
        shows=KINDS,
        kinds=KIND_WORDS,
        holds=session.scalars(select(SmsHold)).all(),
        waiting=waiting(session),
        now=now(),
    )


@page("/messages/resume", roles=SUPPORT, methods=("POST",))
def resume_sending(session: Session) -> ResponseReturnValue:
    """The office has put right what held the queue: try again at once."""
    gateways = session.scalars(select(SmsHold.gateway)).all()
    for gateway in gateways:
        release(session, gateway)
    session.execute(
        update(Message)
        .where(
            Message.status == "queued",
            Message.send_after > now(),
            or_(Message.priority < LATER, Message.failure_reason.is_not(None)),
        )
        .values(send_after=now())
    )
    wake(session, now())
    flash("Sending is tried again now." if gateways else "Nothing was held.", "good")
    return redirect(url_for("office.messages"), 303)


@page("/messages/numbers", roles=DESK)
def numbers(session: Session) -> ResponseReturnValue:
    """Numbers that failed again and again, and phones that said STOP."""
    failing = select(FailingNumber).where(FailingNumber.flagged_at.is_not(None))
    stopped = select(OptOut)
    show = request.args.get("show", "")
    return render_template(
        "office/message_numbers.html",
        show=show,
        failing=listed(session, failing, [FailingNumber.phone]) if show != "stopped" else None,
        stopped=listed(session, stopped, [OptOut.phone]) if show == "stopped" else None,
        waiting=waiting(session),
    )


@page("/messages/numbers/clear", roles=SUPPORT, methods=("POST",))
def clear_number(session: Session) -> ResponseReturnValue:
    """Bills and messages to many go to this number again."""
    phone = parse_phone(request.form.get("phone", ""), settings().region)
    if phone is not None and clear(session, phone):
        flash("This number is tried again with the next message.", "good")
    else:
        flash("This number was not left alone.", "note")
    return redirect(url_for("office.numbers"), 303)


def tasks(session: Session) -> Iterator[tuple[str, str, str, str, str, bool]]:
    """What waits for somebody: what, why, address, what to do, icon, urgent. The home page shows it."""
    for hold in session.scalars(select(SmsHold).where(SmsHold.fault == "account")):
        why = in_words(hold.reason)
        yield "Messages are held", why, url_for("office.messages"), "See why", "warn", True
    if count := waiting(session):
        what = f"{count:,} message{'' if count == 1 else 's'} to answer"
        yield what, "Customers wrote what no keyword understood.", url_for("office.inbox"), "Answer", "messages", False
