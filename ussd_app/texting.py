"""A conversation by SMS: a keyword opens it, and its next step may come within fifteen minutes.

Its memory is one entry in Redis for each phone. The entry holds the last replies as well, so a message that is
worked on again after a crash gets the same reply and moves nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from json import dumps, loads

from redis.exceptions import LockError

from core.config import settings
from core.phone import Phone
from flows import codec, keywords, player
from flows.pages import SMS
from ussd_app.jobs import TryLater
from ussd_app.stores import patient
from ussd_app.world import World

MEMORY_S = 15 * 60
LOCK_S = 60
WAIT_S = 5
REPLIES_KEPT = 8
LONGEST_STEP = 160


@dataclass(frozen=True, slots=True)
class Said:
    """The reply to a message, in the language it is written in."""

    text: str
    language: str


@dataclass(frozen=True, slots=True)
class Memory:
    """How far a conversation by SMS has come, and the last replies: (message id, text, language)."""

    conversation: str
    opening: str
    position: int
    state: str
    tape: str
    ends: bool
    replies: list[tuple[int, str, str]]


def answer(phone: Phone, message_id: int, body: str) -> Said:
    """The reply to a message. Messages of one phone are taken one after the other."""
    with _alone(phone):
        memory = _recall(phone)
        for answered, text, language in memory.replies if memory else ():
            if answered == message_id:
                return Said(text, language)
        step = _step(phone, memory, message_id, body)
        patient().set(_key(phone), dumps(asdict(step)), ex=MEMORY_S)
        _, text, language = step.replies[-1]
        return Said(text, language)


def _step(phone: Phone, memory: Memory | None, message_id: int, body: str) -> Memory:
    """Play one message: as the answer to an open question, or as the beginning of a conversation."""
    if memory is not None and not memory.ends and not keywords.known(body):
        conversation, opening, position = memory.conversation, memory.opening, memory.position + 1
        world = World(phone, "sms", conversation, memory.tape)
        state = codec.loads(memory.state)
        said = body.strip()[:LONGEST_STEP]
        reply = player.answer(keywords.door(opening), state, said, position, world, SMS)
    else:
        conversation, opening, position = f"sms:{message_id}:{phone}", body, 0
        world = World(phone, "sms", conversation)
        reply = player.open_conversation(keywords.door(opening), world, SMS, settings().default_language)
    earlier = memory.replies if memory else []
    replies = [*earlier, (message_id, reply.text, reply.state.language)][-REPLIES_KEPT:]
    return Memory(conversation, opening, position, codec.dumps(reply.state), world.tape, reply.ends, replies)


def _recall(phone: Phone) -> Memory | None:
    stored = patient().get(_key(phone))
    try:
        return Memory(**loads(stored)) if stored else None
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
