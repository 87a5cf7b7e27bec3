"""A caller, as the gateway carries her."""

from collections.abc import Callable
from dataclasses import dataclass, field
from secrets import token_hex

from flask.testing import FlaskClient
from werkzeug.test import TestResponse


@dataclass
class Handset:
    """One session as the gateway would carry it: the whole input so far goes along each time."""

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
