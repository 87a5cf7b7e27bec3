"""The wire formats of Daraja's notices, read and checked here and nowhere else."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load, validate

NAIROBI = ZoneInfo("Africa/Nairobi")  # the zone of Daraja's own timestamps, whatever the utility's is
RECEIPT = validate.Regexp(r"^[A-Za-z0-9]{6,20}$")


class Unreadable(ValueError):
    """The body is not what the provider documents; the message says where, without its values."""


@dataclass(frozen=True, slots=True)
class PushOutcome:
    """A push's callback; `receipt` and `amount` (major units) come with success alone."""

    merchant_request_id: str
    checkout_request_id: str
    result_code: str
    result_text: str
    receipt: str | None
    amount: Decimal | None
    paid_at: datetime | None


@dataclass(frozen=True, slots=True)
class PaybillPayment:
    """A validation or confirmation of a payment that the customer began herself. `amount` is in major units."""

    receipt: str
    amount: Decimal
    shortcode: str
    account: str
    phone: str
    paid_at: datetime
    name: str = ""


def moment(raw: str) -> datetime | None:
    """Daraja's YYYYMMDDHHmmss, as UTC."""
    try:
        return datetime.strptime(raw, "%Y%m%d%H%M%S").replace(tzinfo=NAIROBI).astimezone(UTC)
    except ValueError:
        return None


class Loose(fields.Field[str]):
    """A string that arrives as a number as well; a NUL or half a character, which no table keeps, becomes "?"."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
            raise ValidationError("neither text nor a number")
        return "".join(sign if sign.isprintable() else "?" for sign in str(value).strip())


class Name(fields.Field[str]):
    """What a payer is called, if that is what it is: money is never turned away for a strange name."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = value if isinstance(value, str) else ""
        return "".join(sign if sign.isprintable() else "?" for sign in text.strip())[:60]

    def deserialize(self, value: Any, attr: str | None = None, data: Any = None, **kwargs: Any) -> str:
        """Null is no name either."""
        return "" if value is None else super().deserialize(value, attr, data, **kwargs) or ""


class Item(Schema):
    class Meta:
        unknown = EXCLUDE

    name = fields.String(required=True, data_key="Name")
    value = Loose(data_key="Value", load_default=None, allow_none=True)  # Balance comes without one


class Metadata(Schema):
    class Meta:
        unknown = EXCLUDE

    items = fields.List(fields.Nested(Item), required=True, data_key="Item")


class PushCallback(Schema):
    """Body.stkCallback of the callback (Daraja 3.0, M-Pesa Express)."""

    class Meta:
        unknown = EXCLUDE

    merchant_request_id = Loose(required=True, data_key="MerchantRequestID", validate=validate.Length(1, 100))
    checkout_request_id = Loose(required=True, data_key="CheckoutRequestID", validate=validate.Length(1, 100))
    result_code = Loose(required=True, data_key="ResultCode")
    result_text = Loose(data_key="ResultDesc", load_default="")
    metadata = fields.Nested(Metadata, data_key="CallbackMetadata", load_default=None, allow_none=True)

    @post_load
    def made(self, data: dict[str, Any], **_: Any) -> PushOutcome:
        metadata = data.pop("metadata")
        items = {item["name"]: item["value"] for item in metadata["items"]} if metadata else {}
        receipt = items.get("MpesaReceiptNumber")
        if data["result_code"] != "0":
            receipt = None  # nothing was paid, whatever else it carries
        elif receipt is None:
            raise ValidationError("success without MpesaReceiptNumber")
        else:
            RECEIPT(receipt)
        amount = exact(items["Amount"]) if items.get("Amount") else None
        return PushOutcome(**data, receipt=receipt, amount=amount, paid_at=moment(items.get("TransactionDate") or ""))


class Paybill(Schema):
    """C2B validation and confirmation (Daraja 3.0, Customer to Business)."""

    class Meta:
        unknown = EXCLUDE

    receipt = Loose(required=True, data_key="TransID", validate=RECEIPT)
    amount = Loose(required=True, data_key="TransAmount")
    shortcode = Loose(required=True, data_key="BusinessShortCode")
    account = Loose(data_key="BillRefNumber", load_default="", validate=validate.Length(0, 100))
    phone = Loose(data_key="MSISDN", load_default="", validate=validate.Length(0, 100))
    time = Loose(data_key="TransTime", load_default="")
    first_name = Name(data_key="FirstName", load_default="")
    middle_name = Name(data_key="MiddleName", load_default="")
    last_name = Name(data_key="LastName", load_default="")

    @post_load
    def made(self, data: dict[str, Any], **_: Any) -> PaybillPayment:
        names = [data.pop(part) for part in ("first_name", "middle_name", "last_name")]
        data["name"] = " ".join(name for name in names if name)
        paid_at = moment(data.pop("time")) or datetime.now(UTC)
        return PaybillPayment(**{**data, "amount": exact(data["amount"])}, paid_at=paid_at)


def exact(raw: str) -> Decimal:
    """A positive amount in major units; ValidationError for anything else."""
    try:
        amount = Decimal(raw)
    except InvalidOperation:
        raise ValidationError("an amount that is no number") from None
    if not amount.is_finite() or not 0 < amount < 10**9:
        raise ValidationError("an amount that is not one")
    return amount


def read_push(body: bytes) -> PushOutcome:
    """The outcome in a push's callback. Raises Unreadable."""
    envelope = read_object(body)
    inner = envelope.get("Body")
    return load(PushCallback(), inner.get("stkCallback") if isinstance(inner, dict) else None)  # type: ignore[no-any-return]


class ListedRow(Schema):
    """A row of Pull Transactions (Daraja 3.0), or of the portal's statement.

    The time of a pulled row has a doubtful zone, so ours is used instead; that of a statement is `paidAt`.
    """

    class Meta:
        unknown = EXCLUDE

    receipt = Loose(required=True, data_key="transactionId", validate=RECEIPT)
    amount = Loose(required=True, data_key="amount")
    account = Loose(data_key="billreference", load_default="", validate=validate.Length(0, 100))
    phone = Loose(data_key="msisdn", load_default="", validate=validate.Length(0, 100))
    shortcode = fields.String(required=True)
    paid_at = fields.AwareDateTime(data_key="paidAt", load_default=None)
    name = Name(data_key="payer", load_default="")

    @post_load
    def made(self, data: dict[str, Any], **_: Any) -> PaybillPayment:
        paid_at = data.pop("paid_at") or datetime.now(UTC)
        return PaybillPayment(**{**data, "amount": exact(data["amount"])}, paid_at=paid_at)


def read_row(body: bytes) -> PaybillPayment:
    """The payment in a row that was listed, with the `shortcode` it was listed for. Raises Unreadable."""
    return load(ListedRow(), read_object(body))  # type: ignore[no-any-return]


def read_paybill(body: bytes) -> PaybillPayment:
    """The payment in a C2B validation or confirmation. Raises Unreadable."""
    return load(Paybill(), read_object(body))  # type: ignore[no-any-return]


def read_object(body: bytes) -> dict[str, Any]:
    """The JSON object in a body, its numbers exact. Raises Unreadable."""
    try:
        parsed = json.loads(body, parse_float=Decimal)
    except (ValueError, ArithmeticError, RecursionError):  # Arithmetic: an exponent beyond any number
        raise Unreadable("not JSON") from None
    if not isinstance(parsed, dict):
        raise Unreadable("not a JSON object")
    return parsed


def load(schema: Schema, data: Any) -> Any:
    """What a schema makes of an object. Raises Unreadable, naming the fields and not their values."""
    if not isinstance(data, dict):
        raise Unreadable("the notice lacks its body")
    try:
        return schema.load(data)
    except ValidationError as error:
        raise Unreadable(f"wrong or missing: {', '.join(sorted(map(str, error.messages)))}") from None
