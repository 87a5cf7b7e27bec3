"""Conversations as the customer saw them, screen by screen."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import abort, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from admin_web.access import DESK, page
from admin_web.flow_map import screen_name
from admin_web.paging import listed
from core.config import settings
from core.conversations import Conversation, ConversationHop, find, hops_of
from core.phone import parse_phone

CHANNELS = {"ussd": "USSD", "sms": "SMS"}
OUTCOMES = {
    "open": ("busy", "Going on"),
    "completed": ("good", "Finished"),
    "dropped": ("warn", "Broken off"),
    "timed_out": ("warn", "Ran out of time"),
    "failed": ("bad", "Our answer failed"),
}
NETWORKS = {
    "63902": "Safaricom", "63903": "Airtel", "63907": "Telkom", "63999": "Equitel", "99999": "Sandbox",
}  # fmt: skip
"""Africa's Talking's codes of networks; any other network goes by what its gateway calls it."""
FLOWS = {
    "": "Nothing chosen", "read": "Read the meter", "bill": "Last bill", "bills": "Bills, nothing chosen there",
    "past": "Earlier bills", "next": "Forecast", "paid": "Last payment", "fault": "Report a fault", "pin": "PIN",
    "account": "Account, nothing chosen there", "link": "Another connection", "alert": "Warnings of usage",
    "stop": "No more messages", "start": "Messages again", "office": "To the office",
}  # fmt: skip
"""What conversations are about; the others go by the name of their option."""
GATEWAY_WORDS = {
    "Success": "It carried our last word.",
    "Incomplete": "It ended while an answer was waited for.",
    "Failed": "It could not use our answer.",
}
WORTH_TELLING_S = 3


@dataclass(frozen=True, slots=True)
class Bubble:
    """A turn on the page: how long she took before it, what she sent, what she then read."""

    pause: str
    said: str
    text: str
    at: datetime
    ms: int
    ends: bool


@page("/conversations", roles=DESK)
def conversations(session: Session) -> ResponseReturnValue:
    """The latest first; by channel, by how they ended, or of one phone."""
    query, asked = select(Conversation), request.args.get("q", "").strip()
    channel, ended = request.args.get("channel", ""), request.args.get("ended", "")
    if channel in CHANNELS:
        query = query.where(Conversation.channel == channel)
    if ended in OUTCOMES:
        query = query.where(Conversation.outcome == ended)
    if asked:
        query = query.where(Conversation.phone == (parse_phone(asked, settings().region) or ""))
    found = listed(session, query, [Conversation.id], newest_first=True)
    return render_template(
        "office/conversations.html",
        found=found,
        channel=channel,
        ended=ended,
        asked=asked,
        channels=CHANNELS,
        outcomes=OUTCOMES,
        endings={outcome: words for outcome, (_tone, words) in OUTCOMES.items()},
        took=took,
        flow_name=flow_name,
        where_it_ended=where_it_ended,
    )


@page("/conversations/<int:conversation_id>", roles=DESK)
def conversation(session: Session, conversation_id: int) -> ResponseReturnValue:
    """One conversation: what she pressed and what she read, how it ended, and how that is known."""
    talk = find(session, conversation_id) or abort(404)
    return render_template(
        "office/conversation.html",
        talk=talk,
        bubbles=list(bubbles(hops_of(session, talk.id))),
        channels=CHANNELS,
        outcomes=OUTCOMES,
        took=took,
        about=flow_name(talk.flow),
        network=network_name(talk.network),
        where_it_ended=where_it_ended(talk),
        gateway_words=GATEWAY_WORDS.get(talk.gateway_status or "", ""),
    )


def bubbles(hops: Sequence[ConversationHop]) -> Iterator[Bubble]:
    """The turns as a chat; a pause is told where it is long enough to mean something."""
    before: ConversationHop | None = None
    for hop in hops:
        paused = (hop.at - before.at).total_seconds() if before else 0.0
        pause = duration(paused) if paused >= WORTH_TELLING_S else ""
        yield Bubble(pause, hop.said, seen(hop.reply), hop.at, hop.ms, hop.reply.startswith("END "))
        before = hop


def seen(reply: str) -> str:
    """What stood on the phone: the reply without the gateway's word before it."""
    return reply[4:] if reply.startswith(("CON ", "END ")) else reply


def took(talk: Conversation) -> str:
    """How long it lasted: by the gateway's clock where it has told us, else from the first screen to the last."""
    if talk.gateway_duration_ms is not None:
        return duration(talk.gateway_duration_ms / 1000)
    return duration((talk.ended_at - talk.started_at).total_seconds())


def duration(seconds: float) -> str:
    """ "8 s", "2 min 5 s"."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def where_it_ended(talk: Conversation) -> str:
    """The screen that was left without an answer; "" for a conversation that came to its end."""
    return screen_name(talk.last_screen) if talk.last_screen and talk.outcome != "completed" else ""


def flow_name(flow: str) -> str:
    """What conversations were about, in words."""
    return FLOWS.get(flow) or flow.replace("_", " ").capitalize()


def network_name(network: str) -> str:
    return NETWORKS.get(network, network)
