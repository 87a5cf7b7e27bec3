"""What Africa's Talking posts to us, checked at the edge. Every value is text on the wire."""

import re
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

from core.config import settings
from core.phone import Phone, parse_phone

CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
IDENTIFIER = validate.Regexp(r"\A[\x21-\x7e]{1,128}\Z")
SERVICE_CODE = validate.Regexp(r"\A\*[0-9*]{1,60}#\Z")
LONGEST_TEXT = 2000  # a whole session, or ten parts of SMS


class Typed(fields.String):
    """What a person typed: any characters, but the control characters that no handset sends become spaces."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        return CONTROL.sub(" ", super()._deserialize(value, attr, data, **kwargs) or "")


class Caller(fields.String):
    """A phone number, as E.164."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        phone = parse_phone(super()._deserialize(value, attr, data, **kwargs) or "", settings().region)
        if phone is None:
            raise ValidationError("not a phone number")
        return phone


class _Form(Schema):
    class Meta:
        unknown = EXCLUDE


class UssdForm(_Form):
    """A hop. `text` is all she typed since she dialled, joined by `*`."""

    session_id = fields.String(data_key="sessionId", required=True, validate=IDENTIFIER)
    phone = Caller(data_key="phoneNumber", required=True)
    network = fields.String(data_key="networkCode", load_default="", validate=validate.Regexp(r"\A[0-9]{0,10}\Z"))
    service_code = fields.String(data_key="serviceCode", required=True, validate=SERVICE_CODE)
    text = Typed(required=True, validate=validate.Length(max=LONGEST_TEXT))


class EndForm(_Form):
    """The notice that a session is over. What was typed stands in it too and is left behind here."""

    session_id = fields.String(data_key="sessionId", required=True, validate=IDENTIFIER)
    phone = Caller(data_key="phoneNumber", required=True)
    network = fields.String(data_key="networkCode", load_default="", validate=validate.Regexp(r"\A[0-9]{0,10}\Z"))
    service_code = fields.String(data_key="serviceCode", load_default="", validate=validate.Length(max=60))
    status = fields.String(required=True, validate=validate.OneOf(("Success", "Incomplete", "Failed")))
    error = Typed(data_key="errorMessage", load_default="")


class InboundForm(_Form):
    """A message to our short code. `id` is the same each time the gateway tries again."""

    gateway_id = fields.String(data_key="id", required=True, validate=IDENTIFIER)
    sender = Typed(data_key="from", required=True, validate=validate.Length(min=1, max=40))
    text = Typed(required=True)


class DeliveryForm(_Form):
    """What became of a message of ours; `id` is the one the gateway gave it."""

    gateway_id = fields.String(data_key="id", required=True, validate=IDENTIFIER)
    status = fields.String(required=True, validate=validate.Regexp(r"\A[A-Za-z]{1,40}\Z"))
    phone = fields.String(data_key="phoneNumber", load_default="")
    reason = Typed(data_key="failureReason", load_default="", validate=validate.Length(max=200))


def sender_of(raw: str) -> tuple[Phone, bool]:
    """Who sent a message, and whether that is a number one can answer; a name such as "Safaricom" is not."""
    phone = parse_phone(raw, settings().region)
    return (phone, True) if phone is not None else (Phone(raw), False)
