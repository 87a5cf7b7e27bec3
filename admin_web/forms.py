"""What people type into forms: read by a schema, with a message beside each field that is wrong."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, missing, pre_load, validate

from core.config import settings
from core.phone import Phone, parse_phone

Told = dict[str, str | list[Any] | dict[Any, Any]]
NEEDED: Told = {"required": "Fill this in.", "null": "Fill this in."}


@dataclass(slots=True)
class Form:
    """A form as it was sent (`raw`), as it was understood (`values`), and what is wrong by field (`errors`)."""

    raw: Mapping[str, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def fine(self) -> bool:
        return not self.errors

    def refuse(self, name: str, why: str) -> None:
        """Say beside the field `name` why it cannot be so."""
        self.errors.setdefault(name, why)


def filled(**raw: object) -> Form:
    """A form to show first, with these values in its fields."""
    return Form(raw={name: "" if value is None else str(value) for name, value in raw.items()})


def read(schema: Schema, sent: Mapping[str, str]) -> Form:
    """Read what was sent. Never raises: look at `fine`."""
    raw = dict(sent)
    try:
        return Form(raw=raw, values=schema.load(raw))
    except ValidationError as error:
        messages: dict[str, object] = error.normalized_messages()  # type: ignore[no-untyped-call]
        return Form(raw=raw, errors={name: _first(told) for name, told in messages.items()})


def _first(told: object) -> str:
    while isinstance(told, list | dict):
        told = next(iter(told.values() if isinstance(told, dict) else told))
    return str(told)


class FormSchema(Schema):
    """A form: fields it does not know are left out, blanks around words are no part of them, empty is absent."""

    class Meta:
        unknown = EXCLUDE

    @pre_load
    def tidy(self, sent: Mapping[str, str], **_kwargs: object) -> dict[str, str]:
        return {name: value.strip() for name, value in sent.items() if value.strip()}


def word(longest: int = 80, *, required: bool = True) -> fields.String:
    """A line of text."""
    return fields.String(
        required=required,
        load_default=None if not required else missing,
        validate=validate.Length(max=longest, error=f"At most {longest} characters."),
        error_messages=NEEDED,
    )


def choice(choices: Mapping[str, str], *, default: str | None = None) -> fields.String:
    """One of the keys of `choices`; with a `default` it may be left out."""
    return fields.String(
        required=default is None,
        load_default=missing if default is None else default,
        validate=validate.OneOf(list(choices), error="Choose one of the list."),
        error_messages=NEEDED,
    )


def calendar_day(*, required: bool = True) -> fields.Date:
    """A calendar day as browsers send it."""
    return fields.Date(
        required=required,
        load_default=None if not required else missing,
        error_messages=NEEDED | {"invalid": "Write the day as year-month-day, such as 2026-11-21."},
    )


def whole(least: int = 0, most: int = 10**15, *, required: bool = True) -> fields.Integer:
    """A whole number."""
    return fields.Integer(
        required=required,
        load_default=None if not required else missing,
        validate=validate.Range(least, most, error=f"From {least:,} to {most:,}."),
        error_messages=NEEDED | {"invalid": "Write a whole number."},
    )


class Number(fields.Decimal):
    """An exact number that is not negative; thousands may be parted by commas."""

    def __init__(self, *, places: int = 3, most: int = 10**10, required: bool = True) -> None:
        self.digits = places
        self.most = most
        super().__init__(
            required=required,
            load_default=None if not required else missing,
            error_messages=NEEDED | {"invalid": "Write a number, such as 1234.5."},
        )

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Decimal:
        number: Decimal = super()._deserialize(str(value).replace(",", ""), attr, data, **kwargs)
        if not number.is_finite() or number < 0:
            raise ValidationError("Write a number that is not negative.")
        if number > self.most:
            raise ValidationError(f"At most {self.most:,}.")
        if number != round(number, self.digits):
            raise ValidationError(f"At most {self.digits} digits after the point.")
        return number


class PhoneNumber(fields.Field[Phone]):
    """A phone number in any way of writing it."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Phone:
        phone = parse_phone(str(value), settings().region)
        if phone is None:
            raise ValidationError("This is no phone number. Write it as 0700 000001 or +254700000001.")
        return phone
