"""A caller, as each gateway carries her."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from secrets import token_hex
from typing import Any, ClassVar

from flask.testing import FlaskClient
from werkzeug.test import Client, TestResponse


@dataclass
class Handset:
    """One session as Africa's Talking would carry it: the whole input so far goes along each time."""

    client: FlaskClient
    phone: str
    secret: str
    session_id: str = field(default_factory=lambda: f"ATUid_{token_hex(8)}")
    network: str = "63902"
    service_code: str = "*384*7#"
    inputs: list[str] = field(default_factory=list)

    def dial(self, *inputs: str) -> str:
        self.inputs = list(inputs)
        return self.again()

    def say(self, *said: str) -> str:
        self.inputs.extend(said)
        return self.again()

    def again(self, inputs: list[str] | None = None) -> str:
        """Send the hop as it stands (or an older one); the same hop twice is what a gateway's retry is."""
        answer = self.send("*".join(self.inputs if inputs is None else inputs))
        assert answer.status_code == 200, answer.data
        return answer.get_data(as_text=True)

    def send(self, text: str, **changed: str) -> TestResponse:
        form = {
            "sessionId": self.session_id, "phoneNumber": self.phone, "networkCode": self.network,
            "serviceCode": self.service_code, "text": text, **changed,
        }  # fmt: skip
        return self.client.post(f"/ussd/{self.secret}/africastalking", data=form)


Dial = Callable[..., Handset]


@dataclass
class Carrier:
    """One session at any gateway. What was sent is kept, so that the very same bytes can be sent again."""

    gateway: ClassVar[str]
    required: ClassVar[tuple[str, ...]]
    identity: ClassVar[tuple[str, str]]
    """The fields of the session and of the caller."""
    words: ClassVar[str]
    """The field of what was typed."""

    client: Client
    phone: str
    secret: str
    session_id: str = field(default_factory=lambda: token_hex(16))
    code: str = "*384*7#"
    typed: list[str] = field(default_factory=list)
    sent: list[dict[str, Any]] = field(default_factory=list)

    def dial(self, *inputs: str) -> str:
        self.typed = list(inputs)
        return self.step(self.fields("*".join([self.code.removesuffix("#"), *inputs]) + "#", new=True))

    def say(self, said: str) -> str:
        self.typed.append(said)
        return self.step(self.fields(said, new=False))

    def step(self, fields: dict[str, Any]) -> str:
        self.sent.append(fields)
        return self.again()

    def again(self, place: int = -1) -> str:
        """Send a step again as it was, and read the answer as CON or END and the text."""
        answer = self.post(self.sent[place])
        assert answer.status_code == 200, answer.data
        return self.line(answer)

    def as_phone(self, phone: str) -> "Carrier":
        """The same session id, brought by another number."""
        _session, caller = self.identity
        return replace(self, phone=phone, sent=[{**fields, caller: phone} for fields in self.sent])

    def fields(self, said: str, *, new: bool) -> dict[str, Any]:
        raise NotImplementedError

    def post(self, fields: dict[str, Any]) -> TestResponse:
        raise NotImplementedError

    def hang_up(self) -> TestResponse | None:
        """Send the notice that the session is over; None at a gateway that has none."""
        return None

    def line(self, answer: TestResponse) -> str:
        return answer.get_data(as_text=True)

    @property
    def url(self) -> str:
        return f"/ussd/{self.secret}/{self.gateway}"


@dataclass
class AfricasTalking(Carrier):
    gateway = "africastalking"
    required = ("sessionId", "phoneNumber", "serviceCode", "text")
    identity = ("sessionId", "phoneNumber")
    words = "text"

    def fields(self, said: str, *, new: bool) -> dict[str, Any]:
        return {
            "sessionId": self.session_id, "phoneNumber": self.phone, "networkCode": "63902",
            "serviceCode": self.code, "text": "*".join(self.typed),
        }  # fmt: skip

    def post(self, fields: dict[str, Any]) -> TestResponse:
        return self.client.post(self.url, data=fields)

    def hang_up(self) -> TestResponse:
        notice = {
            "date": "2026-11-21 06:00:00", "sessionId": self.session_id, "phoneNumber": self.phone,
            "serviceCode": self.code, "networkCode": "63902", "status": "Incomplete", "cost": "KES 0.10",
            "durationInMillis": "9000", "hopsCount": "4", "hopsMetadata": "", "input": "*".join(self.typed),
            "lastAppResponse": "CON You typed " + "*".join(self.typed),
        }  # fmt: skip
        return self.client.post(f"{self.url}/events", data=notice)


@dataclass
class Advanta(Carrier):
    gateway = "advanta"
    required = ("SESSIONID", "USSDCODE", "MSISDN", "INPUT")
    identity = ("SESSIONID", "MSISDN")
    words = "INPUT"

    def fields(self, said: str, *, new: bool) -> dict[str, Any]:
        whole = "*".join([self.code.removesuffix("#"), *self.typed]) + "#"
        return {
            "SESSIONID": self.session_id, "USSDCODE": self.code, "MSISDN": self.phone.removeprefix("+"), "INPUT": whole,
        }  # fmt: skip

    def post(self, fields: dict[str, Any]) -> TestResponse:
        return self.client.get(self.url, query_string=fields)


@dataclass
class Hubtel(Carrier):
    gateway = "hubtel"
    required = ("SessionId", "Mobile", "Type", "Message")
    identity = ("SessionId", "Mobile")
    words = "Message"

    def fields(self, said: str, *, new: bool) -> dict[str, Any]:
        return {
            "Type": "Initiation" if new else "Response", "Mobile": self.phone.removeprefix("+"),
            "SessionId": self.session_id, "ServiceCode": self.code.strip("*#"), "Message": said, "Operator": "mtn",
            "Sequence": len(self.sent) + 1, "ClientState": "", "Platform": "USSD",
        }  # fmt: skip

    def post(self, fields: dict[str, Any]) -> TestResponse:
        return self.client.post(self.url, json=fields)

    def hang_up(self) -> TestResponse:
        last = self.typed[-1] if self.typed else ""
        return self.post({**self.fields(last, new=False), "Type": "Release", "ClientState": last})

    def line(self, answer: TestResponse) -> str:
        told = json.loads(answer.data)
        assert told["SessionId"] == self.session_id
        return {"Response": "CON ", "Release": "END "}[told["Type"]] + str(told["Message"])


CARRIERS: tuple[type[Carrier], ...] = (AfricasTalking, Hubtel, Advanta)
