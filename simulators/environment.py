"""Reading a simulator's settings from the environment."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

S = TypeVar("S", bound="DataclassInstance")


def from_environment(defaults: S, environ: Mapping[str, str]) -> S:
    """`defaults` with what the environment says: field `ussd_url` is SIM_USSD_URL. ValueError for a bad number."""
    given = {}
    for field in fields(defaults):
        raw = environ.get(f"SIM_{field.name.upper()}")
        if raw is not None:
            given[field.name] = type(getattr(defaults, field.name))(raw)
    return replace(defaults, **given)
