"""Tariffs as the documented JSON; every row is a version from a day on."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from marshmallow import ValidationError
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from billing.importing.columns import Column, Values
from billing.importing.kind import Kind, Made, Origin
from billing.importing.values import Wrong, choice, day, text
from billing.models import BulkEdit, Connection, Tariff, TariffVersion
from billing.tariff_form import read_tariff
from billing.tariffs import EXAMPLE, TariffRefusal, add_tariff, add_version, is_used

CLASSES = {"domestic": "Household", "commercial": "Business", "institution": "Institution"}
REFUSALS = {
    "valid_from": "The tariff has a version from that day or a later one on.",
    "billed": "The tariff has billed that day already.",
}


def _rules(said: str, _days: str) -> dict[str, Any] | Wrong:
    try:
        rules = json.loads(said)
        if not isinstance(rules, dict):
            return Wrong("must be an object of JSON, as docs/tariffs.md has it")
        read_tariff(rules)
    except ValidationError as error:
        return Wrong(f"is no tariff: {_first(error.messages)}"[:400].rstrip("."))
    except (ValueError, RecursionError):
        return Wrong("is no JSON")
    return rules


def _first(told: object, where: str = "") -> str:
    """The first thing that is wrong, with the way to it."""
    if isinstance(told, Mapping):
        name, inner = next(iter(told.items()))
        return _first(inner, f"{where}.{name}" if where else str(name))
    return f"{where}: {told[0] if isinstance(told, list) and told else told}"


COLUMNS = (
    Column("name", text(80), "The tariff; one that is there gets a new version", "Domestic 2026", required=True,
           alike=("tariff",)),
    Column("customer_class", choice(CLASSES), "domestic, commercial or institution; domestic where it is empty",
           "domestic", default="domestic", alike=("class", "kind")),
    Column("valid_from", day, "The first day", "2026-01-01", required=True, alike=("from", "since", "date")),
    Column("rules", _rules, "JSON as docs/tariffs.md has it", json.dumps(EXAMPLE), required=True, alike=("json",)),
)  # fmt: skip


def _names(values: Values) -> list[str]:
    return [f"tariff {values['name'].casefold()} {values['valid_from']}"]


def _check(session: Session, rows: Sequence[Values]) -> list[str]:
    refused: list[str] = []
    for values in rows:
        newest = session.scalar(
            select(TariffVersion.valid_from)
            .join(Tariff, Tariff.id == TariffVersion.tariff_id)
            .where(Tariff.name == values["name"])
            .order_by(TariffVersion.valid_from.desc())
            .limit(1)
        )
        refused.append(REFUSALS["valid_from"] if newest is not None and values["valid_from"] <= newest else "")
    return refused


def _make(session: Session, values: Values, origin: Origin) -> Made | str:
    tariff = add_tariff(session, values["name"], values["customer_class"])
    made: Made = {"tariff": tariff.id} if tariff is not None else {}
    tariff = tariff or session.scalars(select(Tariff).where(Tariff.name == values["name"])).one()
    version = add_version(session, tariff.id, values["valid_from"], values["rules"], origin.by)
    if isinstance(version, TariffRefusal):
        return REFUSALS.get(version.kind, "Its rules are not understood.")
    return made | {"version": version.id}


def _undo(session: Session, made: Made, _origin: Origin) -> str:
    version = session.get(TariffVersion, made["version"], with_for_update=True)
    if version is None:
        return "It is gone already."
    if version.valid_to is not None:
        return "A later version follows it."
    if is_used(session, version.id):
        return "It has billed."
    tariff_id = version.tariff_id
    if "tariff" in made and _wanted(session, tariff_id, version.id):
        return "Connections have this tariff."
    session.delete(version)
    session.flush()
    before = session.scalar(
        select(TariffVersion)
        .where(TariffVersion.tariff_id == tariff_id)
        .order_by(TariffVersion.valid_from.desc())
        .limit(1)
    )
    if before is not None:
        before.valid_to = None
    if "tariff" in made:
        session.delete(session.get_one(Tariff, tariff_id))
    return ""


def _wanted(session: Session, tariff_id: int, version_id: int) -> bool:
    return bool(
        session.scalar(
            select(
                exists().where(Connection.tariff_id == tariff_id)
                | exists().where(TariffVersion.tariff_id == tariff_id, TariffVersion.id != version_id)
                | exists().where(BulkEdit.action == "tariff", BulkEdit.target_id == tariff_id)
            )
        )
    )


TARIFFS = Kind(
    "tariffs", "Tariffs", "Price lists as the documented JSON, best as JSON Lines.", "rules", COLUMNS, _names, _check,
    _make, _undo,
)  # fmt: skip
