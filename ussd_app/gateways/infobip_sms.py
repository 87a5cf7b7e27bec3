"""Sending SMS by Infobip: POST /sms/2/text/advanced, JSON, the key in the header Authorization: App.

Source: Infobip's SMS API and its "message status and error codes". Status groups: 0 accepted, 1 pending,
2 undeliverable, 3 delivered, 4 expired, 5 rejected. The message id may be ours, so a report finds its message even
where the answer was lost.
"""

import json
from collections.abc import Mapping
from typing import Any

import requests
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

ACCEPTED = {0, 1, 3}
NO_CREDIT = "REJECTED_NOT_ENOUGH_CREDITS"
PASSING = {"REJECTED_SYSTEM_ERROR", "REJECTED_FLOODING_FILTER"}


class _Status(Schema):
    class Meta:
        unknown = EXCLUDE

    group = fields.Integer(data_key="groupId", required=True)
    name = fields.String(load_default="")


class _Message(Schema):
    class Meta:
        unknown = EXCLUDE

    to = fields.String(load_default="")
    message_id = fields.String(data_key="messageId", load_default="", allow_none=True)
    status = fields.Nested(_Status, required=True)


class _Answer(Schema):
    class Meta:
        unknown = EXCLUDE

    messages = fields.List(fields.Nested(_Message), required=True)


class InfobipSms:
    """One call carries one text to many destinations; each may have an id of ours."""

    name = "infobip"
    most = 500
    takes_references = True

    def __init__(self, settings: Settings) -> None:
        self._url = settings.infobip_base_url.rstrip("/") + "/sms/2/text/advanced"
        self._headers = {"Authorization": f"App {settings.infobip_api_key}", "Accept": "application/json"}
        self._sender = settings.sms_sender
        self._region = settings.region

    def send(self, recipients: Mapping[Phone, str], body: str) -> dict[Phone, Outcome]:
        """As any_sms.SmsGateway says; the references become the messages' ids."""
        destinations = [
            {"to": phone.removeprefix("+")} | ({"messageId": reference} if reference else {})
            for phone, reference in recipients.items()
        ]
        message: dict[str, Any] = {"destinations": destinations, "text": body}
        if self._sender:
            message["from"] = self._sender
        try:
            answer = requests.post(
                self._url, json={"messages": [message]}, headers=self._headers, timeout=TIMEOUT_S, allow_redirects=False
            )
            if not 200 <= answer.status_code < 300:
                raise HttpRefusal(answer.status_code, answer.text)
        except (HttpRefusal, requests.RequestException) as error:
            return _named(all_of(recipients, outcome_of(error)), recipients)
        return _named(read_answer(answer.text, list(recipients), self._region), recipients)


def _named(outcomes: dict[Phone, Outcome], recipients: Mapping[Phone, str]) -> dict[Phone, Outcome]:
    """An unclear one is known by our id all the same."""
    return {
        phone: Unclear(outcome.reason, recipients[phone]) if isinstance(outcome, Unclear) else outcome
        for phone, outcome in outcomes.items()
    }


def read_answer(body: str, phones: list[Phone], region: str = "KE") -> dict[Phone, Outcome]:
    """The outcome for each phone; one that the answer does not name, or an answer that is none, is unclear."""
    try:
        messages = _Answer().load(json.loads(body))["messages"]
    except (ValueError, ValidationError, RecursionError):
        return all_of(phones, Unclear("unreadable"))
    found: dict[Phone, Outcome] = {}
    for message in messages:
        phone = phones[0] if len(phones) == len(messages) == 1 else parse_phone("+" + message["to"].lstrip("+"), region)
        if phone is not None:
            found[phone] = _outcome(message)
    return {phone: found.get(phone, Unclear("unreadable")) for phone in phones}


def _outcome(message: Mapping[str, Any]) -> Outcome:
    group, name = message["status"]["group"], message["status"]["name"]
    if group in ACCEPTED:
        return Accepted(message["message_id"] or "")
    if name == NO_CREDIT:
        return NotSent(name, "account")
    return NotSent(name) if name in PASSING else Refused(name or f"status group {group}")
