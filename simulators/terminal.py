"""`./mita phone`: the handset in a terminal, over the same JSON API as the page."""

import os
import select
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import click
import requests

from simulators.recording import Recording
from simulators.wire import call

WIDTH = 34
HELP = """\
*384*7#              dial; while a session is open, type the answer
sms BAL              text BAL to the short code
pay 1000017 500      Lipa na M-Pesa: pay the paybill, with the demo PIN
inbox                all messages
quit                 or Ctrl-D

In a session an empty line hangs up. When a wallet asks for the PIN: type it, "cancel", or "ignore".
"""

Answer = dict[str, object]
PARTIES = ("MPESA", "MoMo", "AirtelMoney")
"""Who the wallets' own messages are from."""


class NetworkGone(Exception):
    """The simulator cannot be reached; the message is for the person at the terminal."""


@dataclass(slots=True)
class Handset:
    """One phone at the terminal; `say` prints."""

    base: str
    phone: str
    network: str
    say: Callable[[str], None]
    session: str = ""
    after: dict[str, str] = field(default_factory=dict)
    prompt: str = ""
    seen: set[str] = field(default_factory=set)
    ignored: set[str] = field(default_factory=set)
    recording: Recording | None = None

    def type(self, line: str) -> None:
        """Do what a typed line means where the phone is now."""
        word, _, rest = line.strip().partition(" ")
        if self.prompt:
            self._answer_prompt(line.strip())
        elif self.session:
            self._answer(line.strip())
        elif word.startswith("*"):
            self._dial(line.strip())
        elif word == "sms" and rest:
            self._text(rest)
        elif word == "pay":
            self._pay(rest.split())
        elif word == "inbox":
            self.seen.clear()
            self.after.pop("messages", None)
            for name in ("mpesa", "mtn", "airtel"):
                self.after.pop(f"{name}_messages", None)
            self.look()
        elif word:
            self.say(HELP)

    def record(self, file: Path) -> None:
        """Write each conversation from now on as a transcript."""
        told, settings = self._call("GET", "customers").get("customers"), self._call("GET", "settings")
        spoken = {str(row["phone"]): str(row["language"]) for row in _objects(told)}
        language = spoken.get(self.phone, "en")
        self.recording = Recording(file, self.phone, language, self.network, str(settings["service_code"]))

    def look(self) -> None:
        """Fetch what is new, and show messages and a PIN prompt that have arrived."""
        news = self._call("GET", "news", params={"phone": self.phone, **self.after})
        self.after = {k: str(v) for k, v in _object(news["after"]).items()}
        for message in _objects(news["messages"]):
            self._show_message(message)
        prompts = [p for p in _objects(news["prompts"]) if p["id"] not in self.ignored]
        if prompts and not self.session and prompts[0]["id"] != self.prompt:
            self.prompt = str(prompts[0]["id"])
            self.say(box(str(prompts[0]["title"]), f"{prompts[0]['text']}\nEnter PIN, cancel or ignore:", ""))
        elif not prompts and self.prompt:
            self.prompt = ""
            self.say("The request is gone.")

    @property
    def waits_for(self) -> str:
        """What the next line will be taken for."""
        return "PIN> " if self.prompt else "answer> " if self.session else "phone> "

    def _dial(self, code: str) -> None:
        first, *answers = self.recording.steps(code) if self.recording else [code]
        if self.recording:
            self.recording.dialled(code)
        self._show(self._post("dial", phone=self.phone, network=self.network, code=first))
        for said in answers:
            if self.session:
                self._answer(said)

    def _text(self, text: str) -> None:
        if self.recording:
            self.look()  # what came before is no answer to this
            self.recording.texted(text)
        self._post("messages", phone=self.phone, network=self.network, text=text)

    def _answer(self, said: str) -> None:
        if said:
            self._show(self._post("answer", session=self.session, said=said), said)
            return
        self._post("hangup", session=self.session)
        self.session = ""
        self.say("Hung up.")

    def _answer_prompt(self, said: str) -> None:
        if not said:
            return
        prompt, self.prompt = self.prompt, ""
        self.ignored.add(prompt)
        if said == "cancel":
            self._post(f"prompts/{prompt}", action="cancel")
        elif said != "ignore":
            self._post(f"prompts/{prompt}", pin=said)

    def _pay(self, words: list[str]) -> None:
        if len(words) != 2:
            self.say("pay ACCOUNT AMOUNT")
            return
        answer = self._post("paybill", phone=self.phone, account=words[0], amount=words[1], pin="1234")
        self.say(str(answer.get("text", "")))

    def _show(self, screen: Answer, said: str = "") -> None:
        if "text" not in screen:
            self.session = ""
            return
        if self.recording and screen["limit"]:  # else the phone itself says that there is no connection
            self.recording.showed(said, str(screen["text"]), ends=bool(screen["ends"]))
        self.session = "" if screen["ends"] else str(screen["session"])
        size = f"{screen['septets']}/{screen['limit']}" if screen["limit"] else ""
        self.say(box("USSD", str(screen["text"]), size))
        if screen["mistake"]:
            self.say(f"! {screen['mistake']}")

    def _show_message(self, message: Answer) -> None:
        key = f"{message['id']}"
        if key in self.seen:
            return
        self.seen.add(key)
        mine = message["direction"] == "from_phone"
        if self.recording and not mine and message["party"] not in PARTIES:
            self.recording.received(key, str(message["text"]))
        title = f"SMS to {message['party']}" if mine else f"SMS from {message['party']}"
        self.say(box(title, str(message["text"]), ""))

    def _post(self, path: str, **said: str) -> Answer:
        answer = self._call("POST", path, json=said)
        if "error" in answer:
            self.say(str(answer["error"]))
        return answer

    def _call(self, method: str, path: str, **more: object) -> Answer:
        params, json = more.get("params"), more.get("json")
        try:
            answer = call(
                method,
                f"{self.base}/api/{path}",
                params={k: str(v) for k, v in _object(params).items()} if params else None,
                json=json,
                timeout_s=20,
            )
            return _object(answer.json())
        except (requests.RequestException, ValueError) as error:
            raise NetworkGone(f"No phone network at {self.base}. Is `./mita up` running?") from error


def box(title: str, text: str, size: str) -> str:
    """A screen drawn with lines: `title` in the top edge, `size` (septets of the limit) in the bottom one."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        lines += textwrap.wrap(paragraph, WIDTH) or [""]
    top = f"┌ {title} ".ljust(WIDTH + 3, "─") + "┐"
    bottom = "└" + f" {size} ".rjust(WIDTH + 1, "─") + "─┘" if size else "└" + "─" * (WIDTH + 2) + "┘"
    return "\n".join([top, *(f"│ {line.ljust(WIDTH)} │" for line in lines), bottom])


def _object(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _objects(value: object) -> list[dict[str, object]]:
    return [_object(item) for item in value] if isinstance(value, list) else []


class _Lines:
    """Typed lines, without ever blocking for more than a second."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor, self._buffer, self.closed = descriptor, b"", False

    def next(self) -> str | None:
        """A line, or None where none came within a second."""
        if b"\n" not in self._buffer and not self.closed and select.select([self._descriptor], [], [], 1.0)[0]:
            read = os.read(self._descriptor, 4096)
            self.closed = not read
            self._buffer += read
        line, newline, rest = self._buffer.partition(b"\n")
        if not newline:
            return None
        self._buffer = rest
        return line.decode("utf-8", "replace")


@click.command()
@click.option("--phone", default="+254700000001", show_default=True, help="Whose phone, as +254..")
@click.option("--network", default="63902", show_default=True, help="Network code; 63902 is Safaricom.")
@click.option("--url", default="http://127.0.0.1:8001", show_default=True, help="The simulated phone network.")
@click.option("--record", type=click.Path(path_type=Path, dir_okay=False), help="Write what is said and shown here.")
def main(phone: str, network: str, url: str, record: Path | None) -> None:
    """A phone in the terminal."""
    handset = Handset(url.rstrip("/"), phone, network, lambda text: click.echo(f"\r{text}"))
    lines = _Lines(sys.stdin.fileno())
    click.echo(f"{phone}\n{HELP}")
    try:
        if record is not None:
            handset.record(record)
        click.echo(handset.waits_for, nl=False)
        while not lines.closed:
            line, before = lines.next(), handset.waits_for
            if line is not None:
                if line.strip() == "quit" and not handset.session:
                    break
                handset.type(line)
            said = len(handset.seen)
            handset.look()
            if line is not None or handset.waits_for != before or len(handset.seen) != said:
                click.echo(handset.waits_for, nl=False)
    except NetworkGone as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        click.echo()


if __name__ == "__main__":
    main()
