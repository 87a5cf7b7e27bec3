"""The wire format of what M-Pesa answers later: the results of status, reversal and balance."""

from dataclasses import dataclass
from typing import Any

from marshmallow import EXCLUDE, Schema, fields, post_load, pre_load, validate

from payments.forms import Loose, load, read_object


@dataclass(frozen=True, slots=True)
class OperationResult:
    """What became of an operation: Daraja's code and words, and what it was asked for, key by key."""

    code: str
    text: str
    conversation_id: str
    receipt: str
    parameters: dict[str, str]


class Parameter(Schema):
    class Meta:
        unknown = EXCLUDE

    key = fields.String(required=True, data_key="Key")
    value = Loose(data_key="Value", load_default="", allow_none=True)


class Parameters(Schema):
    class Meta:
        unknown = EXCLUDE

    listed = fields.List(fields.Nested(Parameter), data_key="ResultParameter", load_default=list)

    @pre_load
    def several(self, data: Any, **_: Any) -> Any:
        """One parameter alone comes without its list."""
        if isinstance(data, dict) and isinstance(data.get("ResultParameter"), dict):
            return {**data, "ResultParameter": [data["ResultParameter"]]}
        return data


class Operation(Schema):
    """Result of transaction status, reversal and account balance (Daraja 3.0); its code may be text or a number."""

    class Meta:
        unknown = EXCLUDE

    code = Loose(required=True, data_key="ResultCode", validate=validate.Length(1, 40))
    text = Loose(data_key="ResultDesc", load_default="")
    conversation_id = Loose(required=True, data_key="ConversationID", validate=validate.Length(1, 100))
    receipt = Loose(data_key="TransactionID", load_default="")
    told = fields.Nested(Parameters, data_key="ResultParameters", load_default=None, allow_none=True)

    @post_load
    def made(self, data: dict[str, Any], **_: Any) -> OperationResult:
        told = data.pop("told") or {"listed": []}
        parameters: dict[str, str] = {}
        for each in told["listed"]:
            parameters.setdefault(each["key"], each["value"] or "")  # DebitPartyName comes twice: the payer first
        return OperationResult(**data, parameters=parameters)


def read_operation(body: bytes) -> OperationResult:
    """The result of an operation. Raises Unreadable."""
    return load(Operation(), read_object(body).get("Result"))  # type: ignore[no-any-return]
