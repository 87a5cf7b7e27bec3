"""What Infobip posts to us about SMS: incoming messages and delivery reports, several in one JSON body.

Sources: Infobip's "Receive inbound SMS messages" (format MO_JSON_2) and "Receive outbound SMS message reports". A
report names the status group (2 undeliverable, 3 delivered, 4 expired, 5 rejected) and the error with its name.
"""

import json
from typing import Any

from flask import Blueprint, Response, request
from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

from core.config import settings
from core.database import transaction
from core.phone import Phone, parse_phone
from ussd_app import delivery, inbound
from ussd_app.gateways.africastalking_forms import LONGEST_TEXT, Typed
from ussd_app.gateways.dialect import IDENTIFIER
from ussd_app.gateways.secret import behind_secret_of

LARGEST_BODY = 256 * 1024
MOST = 1000
STATES = {2: "Failed", 3: "Success", 4: "Expired", 5: "Rejected"}
NO_ERROR = "NO_ERROR"

callbacks = Blueprint("infobip_sms", __name__)


class _Open(Schema):
    class Meta:
        unknown = EXCLUDE


class _Inbound(_Open):
    gateway_id = fields.String(data_key="messageId", required=True, validate=validate.Regexp(IDENTIFIER))
    sender = Typed(data_key="from", required=True, validate=validate.Length(min=1, max=40))
    text = Typed(required=True)


class _Status(_Open):
    group = fields.Integer(data_key="groupId", required=True)
    name = fields.String(load_default="", validate=validate.Length(max=80))


class _Error(_Open):
    name = fields.String(load_default="", validate=validate.Length(max=80))


class _Report(_Open):
    gateway_id = fields.String(data_key="messageId", required=True, validate=validate.Regexp(IDENTIFIER))
    to = fields.String(load_default="")
    status = fields.Nested(_Status, required=True)
    error = fields.Nested(_Error, load_default=dict, allow_none=True)


@callbacks.before_request
def bound_body() -> None:
    request.max_content_length = LARGEST_BODY


@callbacks.errorhandler(ValidationError)
def malformed(error: ValidationError) -> Response:
    names = sorted(map(str, error.messages)) if isinstance(error.messages, dict) else []
    return Response("Wrong or missing: " + ", ".join(names), 400, content_type="text/plain; charset=utf-8")


@callbacks.post("/sms/<secret>/infobip/inbound")
@behind_secret_of("infobip")
def messages_came() -> Response:
    """Messages to us; each is a row before this is answered 200."""
    came = _results(_Inbound)
    with transaction() as session:
        for one in came:
            phone = _phone(one["sender"])
            sender = phone or Phone(one["sender"])
            inbound.receive(
                session, one["gateway_id"], sender, one["text"][:LONGEST_TEXT], answerable=phone is not None
            )
    return Response(status=200)


@callbacks.post("/sms/<secret>/infobip/delivery")
@behind_secret_of("infobip")
def messages_reported() -> Response:
    """What became of messages of ours."""
    for one in _results(_Report):
        error = (one["error"] or {}).get("name", "")
        reason = error if error and error != NO_ERROR else one["status"]["name"]
        state = STATES.get(one["status"]["group"], "Sent")
        with transaction() as session:  # one row at a time: a sender may hold the rows of many in another order
            delivery.report(session, one["gateway_id"], _phone(one["to"]), state, reason)
    return Response(status=200)


def _phone(raw: str) -> Phone | None:
    """A number as Infobip writes it, with its country but without the plus."""
    digits = raw.strip().removeprefix("+")
    return parse_phone("+" + digits, settings().region) if digits.isdecimal() else None


def _results(schema: type[Schema]) -> list[dict[str, Any]]:
    """The body's results. Raises ValidationError, which becomes a 400 for the whole body, with no effect."""
    try:
        body = json.loads(request.get_data())
    except (ValueError, RecursionError) as error:
        raise ValidationError({"body": ["is not JSON"]}) from error
    if not isinstance(body, dict) or not isinstance(body.get("results"), list) or len(body["results"]) > MOST:
        raise ValidationError({"results": ["is not a list"]})
    read: list[dict[str, Any]] = schema(many=True).load(body["results"])
    return read
