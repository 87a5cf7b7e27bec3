"""What was typed and shown at a handset, as a transcript: a file in the form of those in tests/transcripts.

A line of what happens (#), who it happens to (given WHO, LANGUAGE, NETWORK or sms), then `>` for what was typed and a
screen for each answer. Who it is stands there as a phone number, for a handset knows no more.
"""

from dataclasses import dataclass, field
from itertools import count
from pathlib import Path


@dataclass(slots=True)
class Recording:
    """Each conversation becomes a file: the first one `file`, the next ones with a number in their name.

    The file is written anew with each screen, so it is whole whenever the handset is laid down.
    """

    file: Path
    phone: str
    language: str
    network: str
    service_code: str
    into: Path | None = None
    lines: list[str] = field(default_factory=list)
    by_sms: bool = False
    heard: set[str] = field(default_factory=set)

    def steps(self, code: str) -> list[str]:
        """What was dialled, as the code and the answers behind it: each shall show its screen."""
        stem = self.service_code.removesuffix("#")
        if not (code.startswith(f"{stem}*") and code.endswith("#")):
            return [code]
        return [self.service_code, *code.removeprefix(f"{stem}*").removesuffix("#").split("*")]

    def dialled(self, code: str) -> None:
        """A session begins."""
        self._begin(f"# {code} is dialled.", self.network)
        self.by_sms = False

    def showed(self, said: str, text: str, *, ends: bool) -> None:
        """A screen after `said`, which is "" for the first one."""
        self._write(*([f"> {said}"] if said else []), f"{'END' if ends else 'CON'} {text}")

    def texted(self, text: str) -> None:
        """A message to the short code; several in a row are one conversation."""
        if not self.by_sms:
            self._begin(f"# {text} is texted.", "sms")
        self.by_sms = True
        self._write(f"> {text}")

    def received(self, message: str, text: str) -> None:
        """A message from the short code with the id `message`; within a session it is no part of that."""
        if self.by_sms and message not in self.heard:
            self._write(f"SMS {text}")
        self.heard.add(message)

    def _begin(self, what: str, network: str) -> None:
        self.into = _free(self.file)
        self.lines = [what, f"given {self.phone}, {self.language}, {network}"]

    def _write(self, *lines: str) -> None:
        if self.into is not None:
            self.lines += lines
            self.into.write_text("\n".join(self.lines) + "\n")


def _free(file: Path) -> Path:
    """`file`, or where it is there already, pay-2.en.txt for pay.en.txt, and so on."""
    stem, dot, suffixes = file.name.partition(".")
    names = (file.with_name(f"{stem}-{number}{dot}{suffixes}") for number in count(2))
    return file if not file.exists() else next(name for name in names if not name.exists())
