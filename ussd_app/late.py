"""Turns that we could not answer in time: the customer was promised an SMS, and here it is written.

What is needed to play such a turn again is kept in Redis, sealed, because PostgreSQL may be what did not answer. The
clock hands it to a worker until it is done. Writes are made once for their place, so playing again does no harm.
"""

import json
from time import time

import structlog
from redis import Redis

from core import seal
from core.config import settings
from core.database import transaction
from core.i18n import _, say
from core.messages import queue_message
from core.phone import Phone, mask
from flows import codec
from flows.player import Reply
from ussd_app.deadline import Deadline
from ussd_app.play import dropped_at, played
from ussd_app.queues import PROMPT, queue
from ussd_app.session import UNFINISHED_S, unfinished_key
from ussd_app.stores import as_text, exchange, patient
from ussd_app.turn import Turn
from ussd_app.turn_books import AWAY, TurnBooks

LATE = "mita:late"
AGAIN_S = 6  # a turn that was handed over and is not done by then is handed over again
KEPT_S = 24 * 3600
TOO_LATE_S = 900  # whoever asked has turned to other things: nothing is done in her name any more
BATCH = 50
FINISH = "ussd_app.late.finish"

log = structlog.get_logger("late")


def promise(redis: "Redis", turn: Turn, state: str, tape: str) -> str:
    """Keep a turn for later, with its session as it was; "" for a turn that begins one. Returns its name in the store.

    Raises redis.RedisError.
    """
    name = seal.digest("late", f"{turn.conversation}:{turn.position}")
    kept = seal.shut("late", json.dumps({"turn": turn._asdict(), "state": state, "tape": tape, "at": time()}))
    exchange(redis, (("SET", _key(name), kept, "EX", KEPT_S), ("ZADD", LATE, time(), name)))
    return name


def forget(redis: "Redis", name: str) -> None:
    """Take a promise back, or mark it as kept. Raises redis.RedisError."""
    exchange(redis, (("DEL", _key(name)), ("ZREM", LATE, name)))


def hand_over() -> int:
    """Hand the turns that are due to the workers. Returns how many. Raises redis.RedisError."""
    due = list(patient().zrangebyscore(LATE, "-inf", time(), 0, BATCH))
    for found in due:
        name = as_text(found)
        patient().zadd(LATE, {name: time() + AGAIN_S}, xx=True)
        queue(PROMPT).enqueue(FINISH, name, job_id=f"late-{name}", result_ttl=0, failure_ttl=3600)
    return len(due)


def finish(name: str) -> None:
    """Play a late turn and queue its answer. Where PostgreSQL still does not answer, it is left for another time."""
    sealed = patient().get(_key(name))
    if isinstance(sealed, bytes):
        kept = json.loads(seal.opened("late", sealed))
        turn = Turn(**{**kept["turn"], "inputs": tuple(kept["turn"]["inputs"])})
        try:
            _answered(turn, kept["state"], kept["tape"], time() - kept["at"])
        except AWAY as error:
            log.warning("late.waits", phone=mask(turn.phone), error=type(error).__name__)
            return
    forget(patient(), name)


def _answered(turn: Turn, state: str, tape: str, age_s: float) -> None:
    if age_s > TOO_LATE_S:
        _queue(turn, settings().default_language, say(
            _("Sorry, we could not do what you asked. Please dial {code} again.", code=settings().service_code),
            codec.loads(state).language if state else settings().default_language,
        ))  # fmt: skip
        return
    with TurnBooks(Deadline()) as books:
        reply, _tape = played(turn, codec.loads(state) if state else None, tape, books)
    _queue(turn, reply.state.language, words(reply))
    if left := dropped_at(turn, reply):
        patient().set(unfinished_key(turn.phone), left, ex=UNFINISHED_S)


def words(reply: Reply) -> str:
    """A screen as an SMS: an end as it is, a question without its options, for it is answered by dialling."""
    if reply.ends:
        return reply.text
    speak = reply.state.language
    again = _("Dial {code} to go on.", code=settings().service_code)
    return f"{say(reply.texts[0], speak)}\n{say(again, speak)}"


def _queue(turn: Turn, language: str, text: str) -> None:
    with transaction() as session:
        key = f"late:{turn.conversation}:{turn.position}"
        queue_message(session, Phone(turn.phone), text, "answer", key=key, language=language)


def _key(name: str) -> str:
    return f"mita:late:{name}"
