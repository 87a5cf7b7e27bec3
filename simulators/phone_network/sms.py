"""SMS in both directions, and the reports about them."""

import re
import secrets
import threading
import uuid
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import count
from typing import Literal
from urllib.parse import urlencode

from simulators import gsm, journal
from simulators.journal import Journal
from simulators.later import Later
from simulators.phone_network.settings import Network, NetworkSettings

FORM = "application/x-www-form-urlencoded"
ATTEMPTS = 4
TIMEOUT_S = 10.0

Direction = Literal["to_phone", "from_phone"]


@dataclass(slots=True)
class Sms:
    """A message as the handset keeps it; `change` grows with each change of any message."""

    id: str
    phone: str
    party: str
    direction: Direction
    text: str
    at: str
    status: str
    change: int = 0

    def as_json(self) -> dict[str, object]:
        return {**asdict(self), "septets": gsm.septets(self.text), "parts": gsm.sms_parts(self.text)}


class Inbox:
    """Every handset's messages; safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._messages: dict[str, Sms] = {}
        self._changes = count(1)

    def put(self, sms: Sms) -> Sms:
        with self._lock:
            sms.change = next(self._changes)
            self._messages[sms.id] = sms
            return sms

    def mark(self, sms: Sms, status: str) -> None:
        with self._lock:
            sms.status, sms.change = status, next(self._changes)

    def since(self, change: int, phone: str) -> list[Sms]:
        """New and changed messages of a phone."""
        with self._lock:
            return [m for m in self._messages.values() if m.change > change and m.phone == phone]

    def clear(self) -> None:
        with self._lock:
            self._messages.clear()


class SmsCentre:
    """Carries messages between the service and the handsets."""

    def __init__(self, settings: NetworkSettings, log: Journal, later: Later) -> None:
        self._settings, self._log, self._later = settings, log, later
        self.inbox = Inbox()

    def to_phone(self, phone: str, sender: str, text: str) -> dict[str, object]:
        """Put a message of the service into a handset and report on it. The result is one of `Recipients`."""
        if not re.fullmatch(r"\+\d{9,15}", phone):
            return _recipient(phone, 403, "InvalidPhoneNumber", "0", "None", 0)
        message_id = f"ATXid_{secrets.token_hex(16)}"
        sms = Sms(message_id, phone, sender or self._settings.short_code, "to_phone", text, _now(), "sent")
        self.inbox.put(sms)
        for delay, status in ((1, "Sent"), (2, "Success")):
            self._later.do(delay * self._settings.report_delay_s, partial(self._report, sms, status))
        parts = gsm.sms_parts(text)
        return _recipient(phone, 101, "Success", f"KES {0.8 * parts:.4f}", message_id, parts)

    def from_phone(self, phone: str, network: Network, text: str) -> Sms:
        """Take a message that a subscriber sends to the short code, and bring it to the service."""
        sms = Sms(str(uuid.uuid4()), phone, self._settings.short_code, "from_phone", text, _now(), "sending")
        self.inbox.put(sms)
        form = {
            "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}",
            "from": phone,
            "id": sms.id,
            "linkId": str(uuid.uuid4()),
            "text": text,
            "to": self._settings.short_code,
            "networkCode": network.code,
        }
        self._later.do(0, lambda: self._bring(sms, urlencode(form), attempt=1))
        return sms

    def _bring(self, sms: Sms, body: str, attempt: int) -> None:
        """Until the service says 200; the real gateway goes on for 12 hours, this one gives up."""
        url = self._settings.sms_inbound_url
        if not url:
            return self.inbox.mark(sms, "failed")
        what = "SMS from the customer" if attempt == 1 else f"SMS from the customer, attempt {attempt}"
        if journal.post(self._log, what, sms.phone, url, body, FORM, TIMEOUT_S).status == 200:
            return self.inbox.mark(sms, "delivered")
        if attempt == ATTEMPTS:
            return self.inbox.mark(sms, "failed")
        wait = self._settings.retry_after_s * 2 ** (attempt - 1)
        return self._later.do(wait, lambda: self._bring(sms, body, attempt + 1))

    def _report(self, sms: Sms, status: str) -> None:
        if status == "Success":
            self.inbox.mark(sms, "delivered")
        url = self._settings.sms_delivery_url
        if url:
            form = {"id": sms.id, "status": status, "phoneNumber": sms.phone, "networkCode": "63902"}
            journal.post(self._log, f"Delivery: {status}", sms.phone, url, urlencode(form), FORM, TIMEOUT_S)


def _recipient(phone: str, code: int, status: str, cost: str, message_id: str, parts: int) -> dict[str, object]:
    return {
        "statusCode": code,
        "number": phone,
        "status": status,
        "cost": cost,
        "messageId": message_id,
        "messageParts": parts,
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
