"""A conversation by SMS: a keyword opens it, and its next step may come within fifteen minutes.

Its memory is one entry in Redis for each phone. The entry holds the last replies as well, so a message that is
worked on again after a crash gets the same reply and moves nothing. A keyword in the middle of a conversation
begins another; the first one waits beneath it.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from json import dumps, loads
from time import perf_counter
from typing import Any

from redis.exceptions import LockError

from core.clock import now
from core.config import settings
from core.database import transaction
from core.i18n import _, say
from core.phone import Phone
from flows import codec, keywords, player
from flows.pages import SMS, Budget, Keys
from ussd_app import metrics
from ussd_app.archive import text_step
from ussd_app.jobs import TryLater
from ussd_app.stores import patient
from ussd_app.world import World

OPEN_S = 15 * 60
MEMORY_S = 24 * 60 * 60  # so that a late answer can be told what it was too late for
LOCK_S = 60
WAIT_S = 5
REPLIES_KEPT = 8
LONGEST_STEP = 160


def budget() -> Budget:
    """What one reply may take."""
    return replace(SMS, keys=Keys(*settings().navigation()))


@dataclass(frozen=True, slots=True)
class Said:
    """The reply to a message, in the language it is written in."""

    text: str
    language: str


@dataclass(frozen=True, slots=True)
class Memory:
    """How far a conversation by SMS has come; the last replies: (message id, text, language); what waits beneath it.

    `at` is when its question was asked, in seconds since 1970.
    """

    conversation: str
    opening: str
    position: int
    state: str
    tape: str
    screen: str
    ends: bool
    at: float
    replies: list[tuple[int, str, str]]
    beneath: dict[str, Any] | None = None

    @property
    def open(self) -> bool:
        return not self.ends and now().timestamp() - self.at <= OPEN_S

    @classmethod
    def of(cls, raw: dict[str, Any]) -> "Memory":
        return cls(**raw)


def answer(phone: Phone, message_id: int, body: str) -> Said:
    """The reply to a message. Messages of one phone are taken one after the other."""
    with _alone(phone):
        memory, began = _recall(phone), perf_counter()
        for answered, text, language in memory.replies if memory else ():
            if answered == message_id:
                metrics.turn("repeat", "sms", "", perf_counter() - began)
                return Said(text, language)
        step = _step(phone, _topmost(memory), message_id, body)
        patient().set(_key(phone), dumps(asdict(step)), ex=MEMORY_S)
        metrics.turn("next" if step.position else "first", "sms", step.screen, perf_counter() - began)
        _id, text, language = step.replies[-1]
        return Said(text, language)


def _topmost(memory: Memory | None) -> Memory | None:
    """The conversation that waits for her: the last one, or the one beneath it where that has ended."""
    if memory is not None and memory.ends and memory.beneath is not None:
        beneath = Memory.of(memory.beneath)
        return replace(beneath, replies=memory.replies) if beneath.open else memory
    return memory


def _step(phone: Phone, memory: Memory | None, message_id: int, body: str) -> Memory:
    """Play one message: as the answer to an open question, or as the beginning of a conversation."""
    if memory is not None and memory.open and not keywords.interrupts(body, memory.screen):
        return _go_on(phone, memory, message_id, body)
    beneath = memory if memory is not None and memory.open and not keywords.ends_all(body) else None
    late = memory is not None and not memory.ends and not memory.open and keywords.is_late_answer(body)
    door = keywords.closed(memory.opening) if memory is not None and late else keywords.door(body)
    conversation, started = f"sms:{message_id}:{phone}", perf_counter()
    world = World(phone, "sms", conversation)
    reply = player.open_conversation(door, world, budget(), settings().default_language)
    waiting = asdict(replace(beneath, replies=[], beneath=None)) if beneath else None
    begun = Memory(conversation, body, 0, "", "", "", True, 0.0, memory.replies if memory else [], waiting)
    return _remembered(phone, begun, message_id, body, reply, world.tape, started)


def _go_on(phone: Phone, memory: Memory, message_id: int, body: str) -> Memory:
    """The next step of the open conversation."""
    world, started = World(phone, "sms", memory.conversation, memory.tape), perf_counter()
    state, position, said = codec.loads(memory.state), memory.position + 1, body.strip()[:LONGEST_STEP]
    reply = player.answer(keywords.door(memory.opening), state, said, position, world, budget())
    return _remembered(phone, replace(memory, position=position), message_id, said, reply, world.tape, started)


def _remembered(
    phone: Phone, memory: Memory, message_id: int, said: str, reply: player.Reply, tape: str, started: float
) -> Memory:
    """The memory after a step, which is put into the archive first."""
    moment, language, text = now(), reply.state.language, reply.text
    if reply.ends and memory.beneath is not None:
        text = _reminded(reply, Memory.of(memory.beneath))
    with transaction() as session:
        text_step(
            session, conversation=memory.conversation, phone=phone, position=memory.position, said=said,
            reply=text, screen=reply.screen, language=language, ends=reply.ends, started_at=moment,
            ms=round((perf_counter() - started) * 1000), flow=keywords.task_of(memory.opening),
        )  # fmt: skip
    return replace(
        memory, state=codec.dumps(reply.state), tape=tape, screen=reply.screen, ends=reply.ends,
        at=moment.timestamp(), replies=[*memory.replies, (message_id, text, language)][-REPLIES_KEPT:],
    )  # fmt: skip


def _reminded(reply: player.Reply, beneath: Memory) -> str:
    """The reply, and that another question is still open, where there is room for that."""
    language = reply.state.language
    word = keywords.advertised(beneath.opening, language)
    reminder = say(_("We still wait for your answer to {word}.", word=word), language)
    longer = f"{reply.text}\n{reminder}"
    return longer if word and beneath.open and SMS.cut(longer) == longer else reply.text


def _recall(phone: Phone) -> Memory | None:
    stored = patient().get(_key(phone))
    try:
        return Memory.of(loads(stored)) if stored else None
    except (TypeError, ValueError):  # an older release wrote it in another form
        return None


def _key(phone: Phone) -> str:
    return f"mita:texting:{{{phone}}}"


@contextmanager
def _alone(phone: Phone) -> Iterator[None]:
    """Two messages of one phone at once, at two workers, wait for each other."""
    lock = patient().lock(f"mita:texting-lock:{{{phone}}}", timeout=LOCK_S, blocking_timeout=WAIT_S)
    if not lock.acquire():
        raise TryLater("another message of this phone is being answered")
    try:
        yield
    finally:
        with suppress(LockError):  # it ran out by itself: then somebody else may hold it
            lock.release()
