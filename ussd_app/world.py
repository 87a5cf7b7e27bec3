"""The world as a conversation meets it: its calls reach the books here, each write once, and all are put on tape."""

import orjson

from core.phone import Phone
from core.seal import digest
from flows.codec import write_result
from flows.talk import Call
from flows.values import Unfinished
from ussd_app.actions import BookActions
from ussd_app.effects import last_of, once
from ussd_app.turn_books import Books, PatientBooks

UNFINISHED = "unfinished"


class World:
    """One conversation's calls, one at a time.

    `tape` is what it has heard so far: a line of JSON, [name, result], for each call. Where the books hold a longer
    tape of the same conversation (it is being replayed, or its last turn was made but not stored), the calls are
    answered from that first. `new` says that there can be none. `left` is the dropped conversation of this phone that
    may be taken up, as `leave` has written it.
    """

    def __init__(
        self, phone: Phone, channel: str, conversation: str, tape: str = "", *, new: bool = False,
        books: Books | None = None, left: str = "",
    ) -> None:  # fmt: skip
        self.tape = tape
        self._phone, self._channel, self._conversation = phone, channel, conversation
        self._books, self._left = books or PatientBooks(), left
        self._recorded: list[str] | None = [] if new else None

    def perform(self, call: Call, key: str) -> str:
        """The result of a call, as JSON. A write is made under `key`; made before, its recorded result is given."""
        result = self._heard(call)
        if result is None:
            result = self._done(call, key)
        self.tape += f'["{call.name}",{result}]\n'
        return result

    def seal(self, text: str) -> str:
        """A keyed digest of a secret answer, the same for the same text in the same conversation."""
        return digest("secret", f"{self._conversation}\n{text}")

    def _heard(self, call: Call) -> str | None:
        """The result that the recorded tape has at this place, where it is about the same call."""
        if self._recorded is None:
            with self._books.reading() as session:
                self._recorded = last_of(session, self._conversation)
        place = self.tape.count("\n")
        if place >= len(self._recorded):
            return None
        name, _, result = self._recorded[place][2:-1].partition('",')
        if name != call.name:
            self._recorded = []  # it goes another way now; from here on the keys alone keep its writes from doubling
            return None
        return result

    def _done(self, call: Call, key: str) -> str:
        if call.name == UNFINISHED:
            return self._taken_up()
        if call.writes:
            return self._write(call, key)
        with self._books.reading() as session:
            return write_result(BookActions(session, self._phone, self._channel).do(call))

    def _write(self, call: Call, key: str) -> str:
        place = f"{self._conversation} {key}"
        with self._books.writing() as session:
            return once(
                session,
                self._conversation,
                key,
                call.name,
                self.tape,
                lambda: write_result(BookActions(session, self._phone, self._channel, place).do(call)),
            )

    def _taken_up(self) -> str:
        """The dropped conversation. It leaves the store soon, so it is recorded: a replay must hear of it as well.

        One that went on to write something, although the store did not learn of it, is not offered again.
        """
        whose, left = read_left(self._left)
        if left is None or whose == self._conversation:
            return "null"
        with self._books.writing() as session:
            told = last_of(session, whose)
            if told and not told[-1].startswith(f'["{UNFINISHED}",'):
                return "null"
            return once(session, self._conversation, UNFINISHED, UNFINISHED, self.tape, lambda: write_result(left))


def leave(conversation: str, how: str, answers: tuple[tuple[str, str], ...]) -> str:
    """What is stored of a conversation that may be dropped here."""
    return orjson.dumps({"conversation": conversation, "how": how, "answers": answers}).decode()


def read_left(stored: str) -> tuple[str, Unfinished | None]:
    """Which conversation was left, and what of it; None where nothing was."""
    try:
        left = orjson.loads(stored) if stored else {}
        if left.get("how") not in ("ask", "continue"):
            return "", None
        answers = tuple((str(screen), str(said)) for screen, said in left["answers"])
        return str(left["conversation"]), Unfinished(left["how"], answers)
    except (ValueError, TypeError, KeyError, AttributeError):  # an older release wrote it in another form
        return "", None
