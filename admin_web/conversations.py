"""Conversations as the customer saw them, screen by screen."""

from flask import abort, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from admin_web.access import EVERYONE, page
from admin_web.paging import listed
from core.config import settings
from core.conversations import Conversation, find, hops_of
from core.phone import parse_phone

CHANNELS = {"ussd": "USSD", "sms": "SMS"}
OUTCOMES = {
    "completed": ("good", "Finished"),
    "dropped": ("warn", "Broken off"),
    "failed": ("bad", "Our answer failed"),
}


@page("/conversations", roles=EVERYONE)
def conversations(session: Session) -> ResponseReturnValue:
    """The latest first; by channel, or of one phone."""
    query, channel, asked = select(Conversation), request.args.get("channel", ""), request.args.get("q", "").strip()
    if channel in CHANNELS:
        query = query.where(Conversation.channel == channel)
    if asked:
        query = query.where(Conversation.phone == (parse_phone(asked, settings().region) or ""))
    found = listed(session, query, [Conversation.id], newest_first=True)
    return render_template(
        "office/conversations.html",
        found=found,
        channel=channel,
        asked=asked,
        channels=CHANNELS,
        outcomes=OUTCOMES,
    )


@page("/conversations/<int:conversation_id>", roles=EVERYONE)
def conversation(session: Session, conversation_id: int) -> ResponseReturnValue:
    """One conversation: what she pressed and what she read."""
    talk = find(session, conversation_id) or abort(404)
    return render_template(
        "office/conversation.html", talk=talk, hops=hops_of(session, talk.id), channels=CHANNELS, outcomes=OUTCOMES
    )
