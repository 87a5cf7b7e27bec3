"""The funnel's figures: how many conversations reached each screen, and what became of them there."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from core.conversations import Conversation, ConversationHop

END = "end"
LEFT = ("dropped", "timed_out")


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which conversations are looked at: begun from `since` until before `until`; "" is no filter."""

    since: datetime
    until: datetime
    channel: str = ""
    language: str = ""
    network: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """A screen in conversations about one thing. Every conversation that reached it is counted once in one of
    `went_on`, `ended`, `left`, `failed` and `waiting`. `median_s` is for how many seconds they thought about it."""

    flow: str
    screen: str
    reached: int
    ended: int
    dropped: int
    timed_out: int
    failed: int
    waiting: int
    median_s: int | None
    latest: int

    @property
    def left(self) -> int:
        return self.dropped + self.timed_out

    @property
    def went_on(self) -> int:
        return self.reached - self.ended - self.left - self.failed - self.waiting


@dataclass(frozen=True, slots=True)
class Funnel:
    """The screens of conversations about one thing, in the order in which people come to them."""

    flow: str
    steps: Sequence[Step]

    def _sum(self, what: str) -> int:
        return sum(int(getattr(step, what)) for step in self.steps)

    @property
    def conversations(self) -> int:
        """Each has one last screen."""
        return sum(step.reached - step.went_on for step in self.steps)

    @property
    def completed(self) -> int:
        return self._sum("ended")

    @property
    def dropped(self) -> int:
        return self._sum("dropped")

    @property
    def timed_out(self) -> int:
        return self._sum("timed_out")

    @property
    def failed(self) -> int:
        return self._sum("failed")


def funnels(session: Session, chosen: Chosen) -> list[Funnel]:
    """Every flow's funnel, the busiest first."""
    by_screen = groupby(session.execute(counts(chosen)).all(), key=lambda row: (row.flow, row.screen))
    placed = [_step(flow, screen, list(rows)) for (flow, screen), rows in by_screen]
    in_order = sorted(placed, key=lambda at: (at[1].flow, at[1].screen == END, at[0]))
    by_flow = groupby((step for _, step in in_order), key=lambda step: step.flow)
    found = [Funnel(flow, list(steps)) for flow, steps in by_flow]
    return sorted(found, key=lambda funnel: -funnel.conversations)


def counts(chosen: Chosen) -> Select[Any]:
    """One query, from two covering indexes. Counting by seconds spares the sort that a median takes."""
    talk, hop = Conversation, ConversationHop
    last = hop.waited_s.is_(None)
    return (
        select(
            talk.flow,
            hop.screen,
            hop.waited_s,
            func.count().label("turns"),
            func.count().filter(hop.first).label("reached"),
            func.count().filter(last, talk.outcome == "completed").label("ended"),
            func.count().filter(last, talk.outcome == "dropped").label("dropped"),
            func.count().filter(last, talk.outcome == "timed_out").label("timed_out"),
            func.count().filter(last, talk.outcome == "failed").label("failed"),
            func.count().filter(last, talk.outcome == "open").label("waiting"),
            func.coalesce(func.sum(hop.position).filter(hop.first), 0).label("places"),
            func.max(hop.conversation_id).label("latest"),
        )
        .join(hop, hop.conversation_id == talk.id)
        .where(*_chosen(chosen))
        .group_by(talk.flow, hop.screen, hop.waited_s)
        .order_by(talk.flow, hop.screen, hop.waited_s)
    )


def _step(flow: str, screen: str, rows: Sequence[Row[Any]]) -> tuple[float, Step]:
    """A screen, and at which place of a conversation people come to it on average."""

    def all_of(what: str) -> int:
        return sum(int(getattr(row, what)) for row in rows)

    reached = all_of("reached")
    step = Step(
        flow, screen, reached, all_of("ended"), all_of("dropped"), all_of("timed_out"), all_of("failed"),
        all_of("waiting"), _median([(row.waited_s, row.turns) for row in rows if row.waited_s is not None]),
        max(row.latest for row in rows),
    )  # fmt: skip
    return all_of("places") / max(reached, 1), step


def _median(counted: Sequence[tuple[int, int]]) -> int | None:
    """The middle of values that come in order with how often each was seen; None for no value at all."""
    left = (sum(times for _, times in counted) + 1) // 2
    for value, times in counted:
        left -= times
        if left <= 0:
            return value
    return None


def networks(session: Session, chosen: Chosen) -> list[str]:
    """The networks that the conversations of the period came by."""
    period = (Conversation.started_at >= chosen.since, Conversation.started_at < chosen.until)
    found = session.scalars(select(Conversation.network).where(*period).distinct().order_by(Conversation.network))
    return [network for network in found if network]


def replies(session: Session, steps: Iterable[Step]) -> dict[tuple[str, str], str]:
    """What the latest conversation saw on each of these screens, by flow and screen."""
    by_place = {(step.latest, step.screen): (step.flow, step.screen) for step in steps}
    if not by_place:
        return {}
    hop = ConversationHop
    places = [and_(hop.conversation_id == number, hop.screen == screen) for number, screen in by_place]
    rows = session.execute(select(hop.conversation_id, hop.screen, hop.reply).where(or_(*places)))
    return {by_place[number, screen]: reply for number, screen, reply in rows}


def _chosen(chosen: Chosen) -> list[ColumnElement[bool]]:
    talk = Conversation
    wanted = [talk.started_at >= chosen.since, talk.started_at < chosen.until]
    for column, value in ((talk.channel, chosen.channel), (talk.language, chosen.language)):
        if value:
            wanted.append(column == value)
    if chosen.network:
        wanted.append(talk.network == chosen.network)
    return wanted
