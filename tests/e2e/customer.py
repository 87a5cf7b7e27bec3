"""A customer as the gateway carries her: USSD posts with all inputs so far, texts, her PIN at the prompt."""

import uuid
from typing import Any

import requests

from tests.e2e.conftest import House, eventually

PIN = "1234"


class Customer:
    """Speaks only the wire format of the gateway, and presses keys at the M-Pesa prompt."""

    def __init__(self, house: House, phone: str, urls: dict[str, str]) -> None:
        self.house, self.phone, self.urls = house, phone, urls
        self.session = ""
        self.inputs: list[str] = []

    def dial(self) -> str:
        self.session, self.inputs = f"ATUid_{uuid.uuid4().hex}", []
        return self._hop()

    def say(self, *words: str) -> str:
        """Answer screen after screen; the last one shown is returned."""
        shown = ""
        for word in words:
            self.inputs.append(word)
            shown = self._hop()
        return shown

    def dial_and_pick(self, key: str) -> str:
        """Dial, then press the number of the menu's line that begins with `key` ("3.")."""
        self.dial()
        return self.say(key.rstrip("."))

    def repeat(self) -> str:
        """The gateway sends the last request once more."""
        return self._hop()

    def _hop(self) -> str:
        form = {
            "sessionId": self.session, "phoneNumber": self.phone, "networkCode": "63902",
            "serviceCode": "*384*7#", "text": "*".join(self.inputs),
        }  # fmt: skip
        answer = eventually(lambda: self._post(form), 30, f"an answer to {self.inputs}")
        assert answer.text.startswith(("CON ", "END ")), answer.text
        return answer.text

    def _post(self, form: dict[str, str]) -> "requests.Response | None":
        """As a gateway repeats itself: while nobody answers, the same request again."""
        try:
            answer = requests.post(self.urls["ussd"], data=form, timeout=10)
        except requests.RequestException:
            return None
        return answer if answer.status_code == 200 else None

    def text(self, words: str) -> None:
        form = {"phone": self.phone, "text": words, "network": "63902"}
        answer = requests.post(f"{self.house.network}/api/messages", json=form, timeout=5)
        assert answer.ok, answer.text

    def news(self) -> dict[str, Any]:
        answer = requests.get(f"{self.house.network}/api/news", params={"phone": self.phone}, timeout=10)
        news: dict[str, Any] = answer.json()
        return news

    def inbox(self, containing: str) -> list[str]:
        """The texts on her phone, from the utility, in which `containing` stands."""
        messages = self.news()["messages"]
        return [m["text"] for m in messages if m["party"] != "MPESA" and m["direction"] == "to_phone"
                and containing in m["text"]]  # fmt: skip

    def enter_pin(self, pin: str = PIN) -> dict[str, Any]:
        """Wait for the prompt and answer it; the prompt is returned."""
        prompt: dict[str, Any] = eventually(lambda: (self.news()["prompts"] or [{}])[0], 60, "the M-Pesa prompt")
        answer = requests.post(f"{self.house.network}/api/prompts/{prompt['id']}", json={"pin": pin}, timeout=5)
        assert answer.ok, answer.text
        return prompt
