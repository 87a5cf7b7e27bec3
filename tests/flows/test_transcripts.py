"""Conversations as customers see them. `MITA_APPROVE=1 ./mita test tests/flows` writes the files anew: read the diff.

A file begins with what happens (#) and who it happens to (given KIND, LANGUAGE, NETWORK or sms). `>` is what she types,
`!` what was done; all else is her screen.
"""

import os
from dataclasses import dataclass, replace
from functools import partial
from itertools import takewhile
from pathlib import Path

import pytest

from core.i18n import LANGUAGES
from flows import codec, keywords
from flows.menu import ussd_menu
from flows.pages import SMS, Budget, budget_for
from flows.player import Door, Reply, answer, open_conversation, replay
from flows.sample_world import KINDS, SampleWorld

FOLDER = Path(__file__).parents[1] / "transcripts"
FILES = sorted(FOLDER.glob("*.txt"))
APPROVE = os.environ.get("MITA_APPROVE") == "1"


@dataclass(frozen=True)
class Script:
    head: list[str]
    kind: str
    language: str
    network: str
    inputs: list[str]

    @property
    def by_sms(self) -> bool:
        return self.network == "sms"

    @property
    def budget(self) -> Budget:
        return SMS if self.by_sms else budget_for(self.network)

    def world(self) -> SampleWorld:
        return SampleWorld(replace(KINDS[self.kind], language=self.language))


def read(file: Path) -> Script:
    lines = file.read_text().splitlines()
    head = list(takewhile(lambda line: not line.startswith("given "), lines))
    kind, language, network = lines[len(head)].removeprefix("given ").rsplit(", ", 2)
    inputs = [line[2:] for line in lines if line.startswith("> ")]
    return Script([*head, lines[len(head)]], kind, language, network, inputs)


def played(script: Script) -> str:
    """The whole transcript. The state goes through its JSON between any two steps, as it does in Redis."""
    world, shown = script.world(), list(script.head)
    inputs, door = script.inputs, ussd_menu
    if script.by_sms:
        door, inputs = keywords.door(inputs[0]), inputs[1:]
        shown.append(f"> {script.inputs[0]}")
    reply = step(
        partial(open_conversation, door, world, script.budget, script.language), reply_kind(script), world, shown
    )
    for position, said in enumerate(inputs, 1):
        shown.append(f"> {said}")
        state = codec.loads(codec.dumps(reply.state))
        reply = step(
            partial(answer, door, state, said, position, world, script.budget), reply_kind(script), world, shown
        )
    check_replay(door, inputs, script, reply)
    return "\n".join(shown) + "\n"


def step(play: "partial[Reply]", kind: str, world: SampleWorld, shown: list[str]) -> Reply:
    done = len(world.writes)
    reply = play()
    shown += [f"! {' '.join(map(str, write))}" for write in world.writes[done:]]
    shown.append(f"{kind or ('END' if reply.ends else 'CON')} {reply.text}")
    return reply


def reply_kind(script: Script) -> str:
    return "SMS" if script.by_sms else ""


def check_replay(door: Door, inputs: list[str], script: Script, reply: Reply) -> None:
    again = replay(door, inputs, script.world(), script.budget, script.language)
    assert codec.dumps(again.state) == codec.dumps(reply.state)
    assert again.text == reply.text


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_transcript(file: Path) -> None:
    now = played(read(file))
    if APPROVE:
        file.write_text(now)
    assert now == file.read_text()


def test_there_are_some_in_each_language() -> None:
    flows = {file.name.split(".")[0] for file in FILES}
    assert {file.name for file in FILES} == {f"{flow}.{language}.txt" for flow in flows for language in LANGUAGES}
    assert len(flows) >= 60
