"""The world as a conversation meets it: its calls reach the books here, each write once, and all are put on tape."""

import json

from core.database import transaction
from core.phone import Phone
from flows.codec import read_result, write_result
from flows.talk import Call
from ussd_app.actions import BookActions
from ussd_app.effects import last_of, once


class World:
    """One conversation's calls, one at a time.

    `tape` is what it has heard so far: a line of JSON, [name, result], for each call. Where the books hold a longer
    tape of the same conversation (it is being replayed, or its last turn was made but not stored), the calls are
    answered from that first. `new` says that there can be none.
    """

    def __init__(self, phone: Phone, channel: str, conversation: str, tape: str = "", *, new: bool = False) -> None:
        self.tape = tape
        self._phone, self._channel, self._conversation = phone, channel, conversation
        self._recorded: list[str] | None = [] if new else None

    def perform(self, call: Call, key: str) -> object:
        """The result of a call. A write is made under `key`; made before, its recorded result is given."""
        line = self._heard(call)
        if line is None:
            result = self._write(call, key) if call.writes else self._read(call)
            line = f'["{call.name}",{result}]'
        self.tape += line + "\n"
        return read_result(call, json.loads(line)[1])

    def _heard(self, call: Call) -> str | None:
        """The line that the recorded tape has at this place, where it is about the same call."""
        if self._recorded is None:
            last = last_of(self._conversation)
            self._recorded = [] if last is None else [*last.tape.splitlines(), f'["{last.action}",{last.result}]']
        place = self.tape.count("\n")
        if place >= len(self._recorded):
            return None
        line = self._recorded[place]
        if json.loads(line)[0] != call.name:
            self._recorded = []  # it goes another way now; from here on the keys alone keep its writes from doubling
            return None
        return line

    def _read(self, call: Call) -> str:
        with transaction() as session:
            return _json(BookActions(session, self._phone, self._channel).do(call))

    def _write(self, call: Call, key: str) -> str:
        place = f"{self._conversation} {key}"
        return once(
            self._conversation,
            key,
            call.name,
            self.tape,
            lambda session: _json(BookActions(session, self._phone, self._channel, place).do(call)),
        )


def _json(result: object) -> str:
    return json.dumps(write_result(result), separators=(",", ":"))
