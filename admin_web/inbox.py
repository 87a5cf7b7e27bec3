"""The inbox: what customers wrote and no keyword understood, each with its conversation and a box to answer."""

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from admin_web.access import DESK, SUPPORT, officer, page
from admin_web.forms import Form
from admin_web.message_counter import counted, typed
from admin_web.messages import KIND_WORDS
from admin_web.paging import listed
from billing.customers import find_customer
from core.config import settings
from core.inbox import settle, talk, waiting
from core.messages import Message, queue_message
from core.opt_outs import stopped
from core.text import sms_parts

MOST_PARTS = 4
SHOWS = {"answered": "Answered", "closed": "Closed"}


@page("/inbox", roles=DESK)
def inbox(session: Session) -> ResponseReturnValue:
    """Open ones, the oldest first; those that are settled, the latest first."""
    show = request.args.get("show", "")
    state = show if show in SHOWS else "open"
    query = select(Message).where(Message.inbox == state)
    return render_template(
        "office/inbox.html",
        found=listed(session, query, [Message.id], newest_first=state != "open"),
        show=show,
        shows=SHOWS,
        waiting=waiting(session),
    )


@page("/inbox/<int:message_id>", roles=DESK)
def inbox_talk(session: Session, message_id: int) -> ResponseReturnValue:
    """What this phone and we have said to each other."""
    return _shown(session, _message(session, message_id), Form())


@page("/inbox/<int:message_id>/reply", roles=SUPPORT, methods=("POST",))
def reply_to(session: Session, message_id: int) -> ResponseReturnValue:
    """Answer: it goes at once, and what was written up to here counts as answered."""
    message = _message(session, message_id)
    text = typed("text")
    form = Form(raw={"text": text})
    if not text:
        form.refuse("text", "Write the answer.")
    elif sms_parts(text).parts > MOST_PARTS:
        form.refuse("text", f"At most {MOST_PARTS} SMS long.")
    if not form.fine:
        return _shown(session, message, form)
    customer = find_customer(session, message.phone)
    language = customer.language if customer else settings().default_language
    queue_message(session, message.phone, text, "reply", language=language, verbatim=True)
    settle(session, message.phone, "answered", officer().actor, up_to=_seen(message))
    flash("The answer is on its way.", "good")
    return redirect(url_for("office.inbox"), 303)


@page("/inbox/<int:message_id>/close", roles=SUPPORT, methods=("POST",))
def close_talk(session: Session, message_id: int) -> ResponseReturnValue:
    """It needs no answer."""
    message = _message(session, message_id)
    settle(session, message.phone, "closed", officer().actor, up_to=_seen(message))
    flash("Closed without an answer.", "good")
    return redirect(url_for("office.inbox"), 303)


def _message(session: Session, message_id: int) -> Message:
    message = session.get(Message, message_id)
    if message is None or message.direction != "in":
        abort(404)
    return message


def _seen(message: Message) -> int:
    """The last message that was on the screen when the form was sent; a later one is not settled with it."""
    sent = request.form.get("up_to", "")
    return max(message.id, int(sent)) if sent.isdecimal() and len(sent) < 19 else message.id


def _shown(session: Session, message: Message, form: Form) -> ResponseReturnValue:
    said = talk(session, message.phone)
    return render_template(
        "office/inbox_talk.html",
        message=message,
        said=said,
        last=said[-1].id if said else message.id,
        customer=find_customer(session, message.phone),
        stopped=stopped(session, message.phone),
        kinds=KIND_WORDS,
        form=form,
        counted=counted(form.raw.get("text", "")),
    ), 200 if form.fine else 422
