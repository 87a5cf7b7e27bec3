"""SMS in and out, and how far each has come."""

from flask import render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from admin_web.access import EVERYONE, page
from admin_web.paging import listed
from core.config import settings
from core.messages import Message
from core.phone import parse_phone

KINDS = {"failed": "Not delivered", "waiting": "On their way", "in": "From customers", "out": "To customers"}
WAITING = ("queued", "sending", "sent")
NOT_DELIVERED = ("failed", "unknown")
KIND_WORDS = {
    "receipt": "Receipt", "bill": "Bill", "answer": "Answer", "registration": "Registration", "notice": "Notice",
    "inbound": "From the customer",
}  # fmt: skip


@page("/messages", roles=EVERYONE)
def messages(session: Session) -> ResponseReturnValue:
    """The latest first; filtered by what became of them, or by phone."""
    query, show, asked = select(Message), request.args.get("show", ""), request.args.get("q", "").strip()
    if show == "failed":
        query = query.where(Message.status.in_(NOT_DELIVERED))
    elif show == "waiting":
        query = query.where(Message.status.in_(WAITING))
    elif show in ("in", "out"):
        query = query.where(Message.direction == show)
    if asked:
        query = query.where(Message.phone == (parse_phone(asked, settings().region) or ""))
    found = listed(session, query, [Message.id], newest_first=True)
    return render_template("office/messages.html", found=found, show=show, asked=asked, shows=KINDS, kinds=KIND_WORDS)
