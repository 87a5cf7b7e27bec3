"""Sending SMS by Africa's Talking. The package builds the request; the transport and its dangers are ours.

The package's own transport knows one fixed address, hides the HTTP status, gives a str where the content type
carries a charset, and does not tell a request that was never sent from an answer that was lost.
"""

import json
from collections.abc import Mapping
from typing import Any

import requests
from africastalking.SMS import SMSService
from marshmallow import EXCLUDE, Schema, ValidationError, fields

from core.config import Settings
from core.phone import Phone, parse_phone
from ussd_app.gateways.any_sms import (
    TIMEOUT_S,
    Accepted,
    HttpRefusal,
    NotSent,
    Outcome,
    Refused,
    Unclear,
    all_of,
    outcome_of,
)

ACCEPTED = {100, 101, 102}  # processed, sent, queued
NO_CREDIT = 405
PASSING = {500, 501, 502}  # trouble at the gateway: refused for now
REFUSALS = {
    401: "RiskHold", 402: "InvalidSenderId", 403: "InvalidPhoneNumber", 404: "UnsupportedNumberType",
    405: "InsufficientBalance", 406: "UserInBlacklist", 407: "CouldNotRoute", 409: "DoNotDisturbRejection",
    500: "InternalServerError", 501: "GatewayError", 502: "RejectedByGateway",
}  # fmt: skip


class _Recipient(Schema):
    class Meta:
        unknown = EXCLUDE

    status_code = fields.Integer(data_key="statusCode", required=True)
    number = fields.String(load_default="")
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


class _Service(SMSService):  # type: ignore[misc]
    """The package's SMS service, at our address and with the HTTP status kept."""

    def _make_request(self, url: str, method: str, headers: Any, data: Any, params: Any, **_: Any) -> str:
        answer = requests.request(
            method, url, headers=headers, data=data, params=params, timeout=TIMEOUT_S, allow_redirects=False
        )
        if not 200 <= answer.status_code < 300:
            raise HttpRefusal(answer.status_code, answer.text)
        return answer.text


class AfricasTalkingSms:
    """One call carries one text to up to 500 phones, in its field `to`, parted by commas."""

    name = "africastalking"
    most = 500
    takes_references = False

    def __init__(self, settings: Settings) -> None:
        self._service = _Service(settings.at_username, settings.at_api_key)
        if settings.at_base_url:
            self._service._baseUrl = settings.at_base_url.rstrip("/")
        self._sender = settings.sms_sender or None
        self._region = settings.region

    def send(self, recipients: Mapping[Phone, str], body: str) -> dict[Phone, Outcome]:
        """As any_sms.SmsGateway says; the references are not used, the gateway names messages itself."""
        phones = list(recipients)
        try:
            answer = self._service.send(body, phones, sender_id=self._sender)
        except ValueError:  # the package refuses one of the numbers, and so the whole call
            if len(phones) == 1:
                return {phones[0]: Refused("InvalidPhoneNumber")}
            return {phone: self.send({phone: ""}, body)[phone] for phone in phones}
        except (HttpRefusal, requests.RequestException) as error:
            return all_of(phones, outcome_of(error))
        return read_answer(answer, phones, self._region)


def read_answer(body: str, phones: list[Phone], region: str = "KE") -> dict[Phone, Outcome]:
    """The outcome for each recipient by its number; an answer that cannot be read leaves all of them unclear.

    A number that the answer does not name stays unclear, unless nobody else was asked for.
    """
    try:
        data = _Answer().load(json.loads(body))["data"]
    except (ValueError, ValidationError, RecursionError):
        return all_of(phones, Unclear("unreadable"))
    if not data["recipients"]:
        return all_of(phones, _refusal_of_all(data["message"][:200]))
    found: dict[Phone, Outcome] = {}
    for recipient in data["recipients"]:
        phone = parse_phone(recipient["number"], region)
        if len(phones) == len(data["recipients"]) == 1:
            phone = phones[0]
        if phone is not None:
            found[phone] = _outcome(recipient)
    return {phone: found.get(phone, Unclear("unreadable")) for phone in phones}


def _refusal_of_all(message: str) -> Outcome:
    """The answer for no recipient at all: its message is one of the refusals by name, or words."""
    if message == REFUSALS[NO_CREDIT]:
        return NotSent(message, "account")
    return NotSent(message) if message in {REFUSALS[code] for code in PASSING} else Refused(message or "no recipient")


def _outcome(recipient: Mapping[str, Any]) -> Outcome:
    code = recipient["status_code"]
    reason = recipient["status"] or REFUSALS.get(code, str(code))
    if code in ACCEPTED:
        return Accepted(recipient["message_id"] or "")
    if code == NO_CREDIT:
        return NotSent(reason, "account")
    return NotSent(reason) if code in PASSING else Refused(reason)
