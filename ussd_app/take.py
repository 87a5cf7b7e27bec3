"""Taking a turn: load the session, tell the turn apart, play it, commit, answer."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from time import sleep, time
from typing import Any

import structlog
from redis import RedisError

from core.config import settings
from core.i18n import Text, _, say
from core.phone import Phone, mask
from flows import codec
from flows.journal import State
from ussd_app import late, latest, limits, metrics
from ussd_app.deadline import Deadline
from ussd_app.effects import Contradiction
from ussd_app.gateways.dialect import Latest
from ussd_app.play import Lost, dropped_at, played
from ussd_app.session import About, Commit, First, Hop, SessionStore, Stored
from ussd_app.stores import quick
from ussd_app.turn import Answer, Kind, Turn, tell
from ussd_app.turn_books import AWAY, TurnBooks

MOST_INPUTS = 60  # nobody types more within the three minutes of a session
SAID_KEPT = 160
HIDDEN = "****"
NEARLY_UP_S = 140  # a network ends a session after 180 s at the latest
PAUSES_S = (0.0, 0.2, 0.5, 1.0)  # a lost connection is replaced at once, a restart waited out
NO_MORE_TRIES_S = 1.0
MOVING = (Kind.FIRST, Kind.NEXT, Kind.GAP)
AGAIN = _("Please dial again.")

log = structlog.get_logger("turn")


class Late(Exception):
    """Time is up and there is no answer."""


def take_step(step: Turn | Latest) -> Answer:
    """Answer a step as either kind of gateway brings it."""
    if isinstance(step, Turn):
        return take(step)
    return take_latest(
        step.provider, step.session_id, step.phone, step.network, step.said, new=step.new, request_id=step.request_id
    )


def take(turn: Turn) -> Answer:
    """Answer a turn. Whatever goes wrong inside, she gets a sentence in her language and never a trace."""
    deadline, store = Deadline(), SessionStore(quick())
    try:
        if turn.position == 0:
            found = store.load_first(turn.key, turn.phone, limits.counting(turn.phone))
        else:
            found = First(store.load(turn.key, turn.position), "")
    except RedisError as error:
        log.warning("turn.without_store", error=type(error).__name__)
        return _Taking(turn, None, None, deadline).answer()
    return _Taking(turn, store, found.stored, deadline, found.left, counted=found.replies).answer()


def take_latest(
    provider: str, session_id: str, phone: Phone, network: str, said: str, *, new: bool, request_id: str
) -> Answer:
    """Answer a turn of a gateway that sends only what was typed last.

    Where the session is `new`, `said` is what was dialled behind our code, joined by `*`. `request_id` is the gateway's
    own number of the step, the same when it sends it again; "" where it has none. Without the store there is no answer.
    """
    deadline, store = Deadline(), SessionStore(quick())
    step = latest.Step(provider, session_id, phone, network, said, new, request_id)
    try:
        placed = latest.place(store, step)
    except RedisError as error:
        log.warning("turn.without_store", error=type(error).__name__)
        return _sorry(None, _("Sorry, something went wrong. Please try again in a moment."))
    if isinstance(placed, Answer):
        return placed
    if placed is None:
        return _sorry(None, AGAIN)
    return _Taking(placed.turn, store, placed.stored, deadline, placed.left, step.mark(), placed.instead_of).answer()


@dataclass(slots=True)
class _Taking:
    """One turn on its way to its answer. `instead_of` is the revision of an old session whose place it takes;
    `counted` says what the limits have counted of it already."""

    turn: Turn
    store: SessionStore | None
    stored: Stored | None
    deadline: Deadline
    left: str = ""
    last: str = ""
    instead_of: str = ""
    counted: Sequence[Any] = ()
    started: float = field(default_factory=time)
    kind: Kind = field(init=False)

    def __post_init__(self) -> None:
        self.kind = tell(self.turn, self.stored)

    def answer(self) -> Answer:
        answer = self._safely()
        metrics.turn(self.kind.value, "ussd", answer.screen if self.kind in MOVING else "", time() - self.started)
        return answer

    def _safely(self) -> Answer:
        try:
            return self._known() or self._patiently()
        except Late:
            return self._promised()
        except Contradiction as error:
            log.warning("turn.contradiction", phone=mask(self.turn.phone), error=str(error))
            return _sorry(self.stored, _("This went another way than before. Please dial again."))
        except Lost:
            return _sorry(self.stored, AGAIN)
        except Exception:
            log.exception("turn.failed", phone=mask(self.turn.phone), position=self.turn.position)
            return _sorry(self.stored, _("Sorry, something went wrong. Please try again in a moment."))

    def _known(self) -> Answer | None:
        """The answer to a turn that moves nothing; None for one that is to be played."""
        kind, stored = self.kind, self.stored
        if self.counted and kind is not Kind.FIRST:
            limits.uncount(self.turn.phone)  # the gateway repeats itself
        if stored is not None and kind is Kind.REPEAT and stored.receipt is not None:
            return Answer.of(stored.receipt.reply, stored.receipt.screen)
        if stored is not None and kind is Kind.STALE:
            return Answer.of(stored.reply, stored.screen)
        if stored is not None and kind is Kind.CONFLICT:
            log.warning("turn.conflict", phone=mask(self.turn.phone), position=self.turn.position)
            return _sorry(stored if stored.bound == self.turn.bound else None, AGAIN)
        if self.turn.position > MOST_INPUTS:
            return _sorry(stored, _("This has become too long. Please dial again."))
        refused = self._refused() if kind is Kind.FIRST and self.store is not None else None
        return _sorry(None, refused.sentence) if refused is not None else None

    def _refused(self) -> limits.TooMany | None:
        """Whether this new session is one too many of its number's, or of everybody's."""
        phone = self.turn.phone
        return limits.judged(phone, "sessions", self.counted) if self.counted else limits.too_many(phone)

    def _patiently(self) -> Answer:
        """Try again while PostgreSQL restarts. A turn may be played twice: its writes are made once all the same."""
        for attempt in range(100):
            try:
                return self._played(first_try=attempt == 0)
            except AWAY as error:
                pause_s = PAUSES_S[min(attempt, len(PAUSES_S) - 1)]
                log.warning("turn.waits_for_database", error=type(error).__name__)
                if self.deadline.left_s - pause_s < NO_MORE_TRIES_S:
                    raise Late from error
                sleep(pause_s)
        raise Late

    def _played(self, *, first_try: bool) -> Answer:
        turn, stored = self.turn, self.stored
        state = _state(stored) if self.kind is Kind.NEXT else None
        old = stored is not None and state is not None
        first_try = first_try and (stored.tried == 1 if old and stored else turn.position == 0)
        note = _("Time is nearly up. Dial again to go on.") if old and self._nearly_up() else None
        with TurnBooks(self.deadline) as books:
            reply, tape = played(
                turn, state, stored.tape if old and stored else "", books, new=first_try, left=self.left, note=note
            )
        answer = Answer(reply.text, reply.ends, reply.screen)
        if self.store is None:
            return answer
        hop = self._hop(reply.screen, reply.state.language, HIDDEN if reply.secret else self._said())
        unfinished = dropped_at(turn, reply)
        return self._committed(answer, self._left_behind(answer, codec.dumps(reply.state), tape, hop, unfinished))

    def _nearly_up(self) -> bool:
        return self.stored is not None and 0 < self.stored.began < self.started - NEARLY_UP_S

    def _left_behind(self, answer: Answer, state: str, tape: str, hop: Hop, unfinished: str) -> Commit:
        turn, stored = self.turn, self.stored
        was_dropped = bool(self.left) or (stored is not None and stored.dropped)
        forget = was_dropped and not unfinished and (turn.position > 0 or answer.ends)
        return Commit(
            revision=stored.revision if stored is not None else self.instead_of,
            position=turn.position,
            digest=turn.digest,
            bound=turn.bound,
            state=state,
            tape=tape,
            ended=answer.ends,
            reply=answer.line,
            about=About(turn.provider, turn.name, turn.phone, turn.service_code, turn.network, self.started),
            hop=hop,
            last=self.last,
            run=turn.run,
            anew=bool(self.instead_of),
            unfinished=unfinished or ("" if forget else None),
            dropped=bool(unfinished) or (was_dropped and not forget),
        )

    def _committed(self, answer: Answer, commit: Commit) -> Answer:
        """Store the turn and answer it; where its twin was first, answer what the twin answered."""
        assert self.store is not None
        turn = self.turn
        try:
            won, receipt = self.store.commit(turn.key, commit)
        except RedisError as error:
            log.warning("turn.not_stored", error=type(error).__name__)
            return answer
        if won or receipt is None:
            return answer
        if receipt.digest == commit.digest:
            return Answer.of(receipt.reply, receipt.screen)
        log.warning("turn.conflict", phone=mask(turn.phone), position=turn.position)
        return _sorry(None, AGAIN)

    def _promised(self) -> Answer:
        """An END that promises the answer by SMS; a mere regret where the store that would remember it is away too."""
        turn, state = self.turn, _state(self.stored)
        speak = _language(self.stored)
        old, tape = (self.stored.state, self.stored.tape) if self.stored is not None and state is not None else ("", "")
        log.warning("turn.late", phone=mask(turn.phone), position=turn.position)
        answer = Answer(say(_("This takes longer than usual. We will SMS you the answer."), speak), True, "late")
        if self.store is None:
            return _sorry(self.stored, _("Sorry, something went wrong. Please try again in a moment."))
        try:
            promised = late.promise(self.store.redis, turn, old, tape)
        except RedisError:
            return _sorry(self.stored, _("Sorry, something went wrong. Please try again in a moment."))
        # Whether it was meant for a PIN question is known only where it follows the screen that is stored.
        plain = self.kind is Kind.NEXT and self.stored is not None and not self.stored.screen.startswith("secret:")
        said = self._said() if plain or not turn.inputs else HIDDEN
        hop = self._hop("late", speak, said)
        state_kept = old or codec.dumps(State(language=speak))
        given = self._committed(answer, self._left_behind(answer, state_kept, tape, hop, ""))
        if given != answer:  # its twin had an answer in time
            late.forget(self.store.redis, promised)
        return given

    def _said(self) -> str:
        return self.turn.inputs[-1][:SAID_KEPT] if self.turn.inputs else ""

    def _hop(self, screen: str, language: str, said: str) -> Hop:
        return Hop(said, screen, language, self.started, round((time() - self.started) * 1000))


def _state(stored: Stored | None) -> State | None:
    """The stored state; None where there is none, or one that an older release wrote in another form."""
    try:
        return codec.loads(stored.state) if stored is not None else None
    except ValueError:
        return None


def _language(stored: Stored | None) -> str:
    state = _state(stored)
    return state.language if state is not None else settings().default_language


def _sorry(stored: Stored | None, text: Text) -> Answer:
    """An END in her language where it is known."""
    return Answer(say(text, _language(stored)), ends=True)
