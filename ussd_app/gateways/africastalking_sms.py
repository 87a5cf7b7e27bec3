"""Sending SMS by Africa's Talking. The package builds the request; the transport and its dangers are ours.

The package's own transport knows one fixed address, hides the HTTP status, gives a str where the content type
carries a charset, and does not tell a request that was never sent from an answer that was lost. Sending has no
idempotency key: what may have been sent must not be sent again.
"""

import json
from dataclasses import dataclass
from typing import Any

import requests
from africastalking.SMS import SMSService
from marshmallow import EXCLUDE, Schema, ValidationError, fields
from urllib3.exceptions import NewConnectionError

from core.config import Settings
from core.phone import Phone

TIMEOUT_S = (3.05, 12)
ACCEPTED = {100, 101, 102}  # processed, sent, queued
PASSING = {405, 500, 501, 502}  # no credit, or trouble at the gateway: refused for now
REFUSALS = {
    401: "RiskHold", 402: "InvalidSenderId", 403: "InvalidPhoneNumber", 404: "UnsupportedNumberType",
    405: "InsufficientBalance", 406: "UserInBlacklist", 407: "CouldNotRoute", 409: "DoNotDisturbRejection",
    500: "InternalServerError", 501: "GatewayError", 502: "RejectedByGateway",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Accepted:
    """The gateway has it, under `gateway_id`."""

    gateway_id: str


@dataclass(frozen=True, slots=True)
class Refused:
    """It was not sent and will not be: the number, the sender or the text is at fault."""

    reason: str


@dataclass(frozen=True, slots=True)
class NotSent:
    """It was surely not sent, and may be another time."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unclear:
    """It may have been sent; nobody can say yet."""

    reason: str


Outcome = Accepted | Refused | NotSent | Unclear


class _Recipient(Schema):
    class Meta:
        unknown = EXCLUDE

    status_code = fields.Integer(data_key="statusCode", required=True)
    status = fields.String(load_default="")
    message_id = fields.String(data_key="messageId", load_default="", allow_none=True)


class _Data(Schema):
    class Meta:
        unknown = EXCLUDE

    message = fields.String(data_key="Message", load_default="")
    recipients = fields.List(fields.Nested(_Recipient), data_key="Recipients", load_default=list)


class _Answer(Schema):
    class Meta:
        unknown = EXCLUDE

    data = fields.Nested(_Data, data_key="SMSMessageData", required=True)


class _Http(Exception):
    """An answer that is not a success."""

    def __init__(self, status: int, body: str) -> None:
        super().__init__(f"HTTP {status}: {body[:200]}")
        self.status = status


class _Service(SMSService):  # type: ignore[misc]
    """The package's SMS service, at our address and with the HTTP status kept."""

    def _make_request(self, url: str, method: str, headers: Any, data: Any, params: Any, **_: Any) -> str:
        answer = requests.request(method, url, headers=headers, data=data, params=params, timeout=TIMEOUT_S)
        if not answer.ok:
            raise _Http(answer.status_code, answer.text)
        return answer.text


class SmsGateway:
    """Sends one message at a time. Knows no database."""

    def __init__(self, settings: Settings) -> None:
        self._service = _Service(settings.at_username, settings.at_api_key)
        if settings.at_base_url:
            self._service._baseUrl = settings.at_base_url.rstrip("/")
        self._sender = settings.sms_sender or None

    def send(self, phone: Phone, body: str) -> Outcome:
        """Hand one message to the gateway and tell what is known of it afterwards."""
        try:
            answer = self._service.send(body, [phone], sender_id=self._sender)
        except ValueError:
            return Refused("InvalidPhoneNumber")
        except _Http as error:
            return _refusal(error)
        except requests.ConnectionError as error:
            return NotSent("gateway cannot be reached") if _never_left(error) else Unclear("the answer was lost")
        except requests.RequestException:
            return Unclear("the answer was lost")
        return read_answer(answer)


def _refusal(error: _Http) -> Outcome:
    """A client error was not acted on; a wrong key or pace can be put right. A server error may follow a sending."""
    if error.status in (401, 403, 429):
        return NotSent(str(error))
    return Refused(str(error)) if error.status < 500 else Unclear(str(error))


def _never_left(error: requests.ConnectionError) -> bool:
    """True where there was no connection to send the request on."""
    if isinstance(error, requests.ConnectTimeout):
        return True
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, NewConnectionError)


def read_answer(body: str) -> Outcome:
    """The outcome for the one recipient of a message; an answer that cannot be read leaves it unclear."""
    try:
        data = _Answer().load(json.loads(body))["data"]
    except (ValueError, ValidationError):
        return Unclear("the answer could not be read")
    if not data["recipients"]:
        return Refused(data["message"][:200] or "no recipient")
    recipient = data["recipients"][0]
    code = recipient["status_code"]
    reason = recipient["status"] or REFUSALS.get(code, str(code))
    if code in ACCEPTED:
        return Accepted(recipient["message_id"] or "")
    return NotSent(reason) if code in PASSING else Refused(reason)
