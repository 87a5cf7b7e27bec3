"""What Africa's Talking posts to us about SMS, checked at the edge. Every value is text on the wire."""

from typing import Any

from marshmallow import EXCLUDE, Schema, fields, validate

from core.config import settings
from core.phone import Phone, parse_phone
from ussd_app.gateways.dialect import CONTROL, IDENTIFIER

LONGEST_TEXT = 2000  # ten parts of SMS


class Typed(fields.String):
    """What a person typed: any characters, but the control characters that no handset sends become spaces."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        return CONTROL.sub(" ", super()._deserialize(value, attr, data, **kwargs) or "")


class _Form(Schema):
    class Meta:
        unknown = EXCLUDE


class InboundForm(_Form):
    """A message to our short code. `id` is the same each time the gateway tries again."""

    gateway_id = fields.String(data_key="id", required=True, validate=validate.Regexp(IDENTIFIER))
    sender = Typed(data_key="from", required=True, validate=validate.Length(min=1, max=40))
    text = Typed(required=True)


class DeliveryForm(_Form):
    """What became of a message of ours; `id` is the one the gateway gave it."""

    gateway_id = fields.String(data_key="id", required=True, validate=validate.Regexp(IDENTIFIER))
    status = fields.String(required=True, validate=validate.Regexp(r"\A[A-Za-z]{1,40}\Z"))
    phone = fields.String(data_key="phoneNumber", load_default="")
    reason = Typed(data_key="failureReason", load_default="", validate=validate.Length(max=200))


class OptOutForm(_Form):
    """A customer wants no more bulk messages from our sender id."""

    sender = Typed(data_key="phoneNumber", required=True, validate=validate.Length(min=1, max=40))


def sender_of(raw: str) -> tuple[Phone, bool]:
    """Who sent a message, and whether that is a number one can answer; a name such as "Safaricom" is not."""
    phone = parse_phone(raw, settings().region)
    return (phone, True) if phone is not None else (Phone(raw), False)
