"""Taking a turn: load the session, tell the turn apart, play it, commit, answer."""

from collections.abc import Callable
from time import sleep, time

import structlog
from redis import RedisError
from sqlalchemy.exc import OperationalError

from core.config import settings
from core.i18n import Text, _, say
from core.phone import mask
from flows import codec, player
from flows.journal import State
from flows.menu import ussd_menu
from flows.pages import budget_for
from ussd_app.effects import Contradiction
from ussd_app.session import About, Commit, Hop, SessionStore, Stored
from ussd_app.stores import quick
from ussd_app.turn import Answer, Kind, Turn, tell
from ussd_app.world import World

MOST_INPUTS = 60  # nobody types more within the three minutes of a session
SAID_KEPT = 160
PAUSES_S = (0.2, 0.5, 1.0)  # in all well below the ten seconds after which the gateway gives up

log = structlog.get_logger("turn")


def take(turn: Turn) -> Answer:
    """Answer a turn. Whatever goes wrong inside, she gets a sentence in her language and never a trace."""
    started = time()
    store, stored = _loaded(turn)
    try:
        known = _known(turn, stored)
        return known or _patiently(lambda: _played(turn, stored, store, started))
    except Contradiction as error:
        log.warning("turn.contradiction", phone=mask(turn.phone), error=str(error))
        return _sorry(stored, _("This went another way than before. Please dial again."))
    except Exception:
        log.exception("turn.failed", phone=mask(turn.phone), position=turn.position)
        return _sorry(stored, _("Sorry, something went wrong. Please try again in a moment."))


def _loaded(turn: Turn) -> tuple[SessionStore | None, Stored | None]:
    """The store where it answers, and the session in it where there is one."""
    store = SessionStore(quick())
    try:
        return store, store.load(turn.key, turn.position)
    except RedisError as error:
        log.warning("turn.without_store", error=type(error).__name__)
        return None, None


def _known(turn: Turn, stored: Stored | None) -> Answer | None:
    """The answer to a turn that moves nothing; None for one that is to be played."""
    kind = tell(turn, stored)
    if stored is not None and kind is Kind.REPEAT and stored.receipt is not None:
        return Answer.of(stored.receipt[1])
    if stored is not None and kind is Kind.STALE:
        return Answer.of(stored.reply)
    if stored is not None and kind is Kind.CONFLICT:
        log.warning("turn.conflict", phone=mask(turn.phone), position=turn.position)
        return _sorry(stored if stored.bound == turn.bound else None, _("Please dial again."))
    if turn.position > MOST_INPUTS:
        return _sorry(stored, _("This has become too long. Please dial again."))
    return None


def _patiently(answer: Callable[[], Answer]) -> Answer:
    """Try again while PostgreSQL restarts. A turn may be played twice: its writes are made once all the same."""
    for pause_s in PAUSES_S:
        try:
            return answer()
        except OperationalError as error:
            log.warning("turn.waits_for_database", error=str(error.orig))
            sleep(pause_s)
    return answer()


def _played(turn: Turn, stored: Stored | None, store: SessionStore | None, started: float) -> Answer:
    """Play the turn and store it, where there is a store."""
    state = _state(stored) if tell(turn, stored) is Kind.NEXT else None
    # Nothing was written in a conversation that has not been opened yet, so its first screen asks no further.
    tape = stored.tape if stored is not None and state is not None else ""
    world = World(turn.phone, "ussd", turn.conversation, tape, new=turn.position == 0)
    reply = _reply(turn, state, world)
    answer = Answer(reply.text, reply.ends)
    if store is None:
        return answer
    commit = Commit(
        revision=stored.revision if stored is not None else "",
        position=turn.position,
        digest=turn.digest,
        bound=turn.bound,
        state=codec.dumps(reply.state),
        tape=world.tape,
        ended=reply.ends,
        reply=answer.line,
        about=About(turn.provider, turn.session_id, turn.phone, turn.service_code, turn.network, started),
        hop=_hop(turn, reply, started),
    )
    return _committed(store, turn, commit)


def _reply(turn: Turn, state: State | None, world: World) -> player.Reply:
    """The reply to the latest input where the state is at hand, else to all of them from the beginning."""
    budget = budget_for(turn.network)
    if state is not None:
        return player.answer(ussd_menu, state, turn.inputs[-1], turn.position, world, budget)
    return player.replay(ussd_menu, turn.inputs, world, budget, settings().default_language)


def _hop(turn: Turn, reply: player.Reply, started: float) -> Hop:
    said = turn.inputs[-1][:SAID_KEPT] if turn.inputs else ""
    return Hop(said, reply.screen, reply.state.language, started, round((time() - started) * 1000))


def _committed(store: SessionStore, turn: Turn, commit: Commit) -> Answer:
    """Store the turn and answer it; where its twin was first, answer what the twin answered."""
    try:
        won, receipt = store.commit(turn.key, commit)
    except RedisError as error:
        log.warning("turn.not_stored", error=type(error).__name__)
        return Answer.of(commit.reply)
    if won or receipt is None:
        return Answer.of(commit.reply)
    digest, reply = receipt
    if digest == commit.digest:
        return Answer.of(reply)
    log.warning("turn.conflict", phone=mask(turn.phone), position=turn.position)
    return _sorry(None, _("Please dial again."))


def _state(stored: Stored | None) -> State | None:
    """The stored state; None where there is none, or one that an older release wrote in another form."""
    try:
        return codec.loads(stored.state) if stored is not None else None
    except ValueError:
        return None


def _sorry(stored: Stored | None, text: Text) -> Answer:
    """An END in her language where it is known."""
    state = _state(stored)
    return Answer(say(text, state.language if state is not None else settings().default_language), ends=True)
