"""Tariffs and their versions in time."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from marshmallow import ValidationError
from sqlalchemy import exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from billing.models import Invoice, Reading, Tariff, TariffVersion
from billing.rules import TariffRules
from billing.tariff_form import canonical, read_tariff
from core.clock import now

EXAMPLE: dict[str, Any] = {
    "model": "graduated",
    "tiers": [
        {"from": "0", "to": "6", "rate": "45"},
        {"from": "6", "to": "20", "rate": "67"},
        {"from": "20", "to": "50", "rate": "70"},
        {"from": "50", "to": None, "rate": "76"},
    ],
    "fixed_charges": [{"name": "meter_rent", "amount": "50"}],
    "sewer": {
        "volume_factor": "0.75",
        "tiers": [
            {"from": "0", "to": "6", "rate": "43"},
            {"from": "6", "to": "20", "rate": "56"},
            {"from": "20", "to": "50", "rate": "63"},
            {"from": "50", "to": None, "rate": "65"},
        ],
    },
    "rounding": {"line": "0.01"},
}
"""A household's water tariff as Nairobi has had it since 2023, its blocks above 100 m3 left out."""


@dataclass(frozen=True, slots=True)
class TariffRefusal:
    """Why not: 'rules' (with marshmallow's `errors` by field), 'valid_from' (not after the newest), 'billed'."""

    kind: str
    errors: Mapping[str, Any] = field(default_factory=dict)


def add_tariff(session: Session, name: str, customer_class: str) -> Tariff | None:
    """A tariff without a version yet; None where the name is taken."""
    return session.scalar(
        insert(Tariff)
        .values(name=" ".join(name.split()), customer_class=customer_class)
        .on_conflict_do_nothing(index_elements=["name"])
        .returning(Tariff)
    )


def version_in_force(session: Session, tariff_id: int, on: date) -> TariffVersion | None:
    """The version that holds on a day."""
    return session.scalar(
        select(TariffVersion)
        .where(
            TariffVersion.tariff_id == tariff_id,
            TariffVersion.valid_from <= on,
            (TariffVersion.valid_to.is_(None)) | (TariffVersion.valid_to >= on),
        )
        .order_by(TariffVersion.valid_from.desc())
        .limit(1)
    )


def add_version(
    session: Session, tariff_id: int, valid_from: date, rules: Mapping[str, Any], by: str
) -> TariffVersion | TariffRefusal:
    """A new version from a day on; the one before it ends the day before. Versions are only added at the end.

    'billed': a month, or a reading, from that day on has been billed by the tariff already.
    """
    try:
        read_tariff(rules)
    except ValidationError as error:
        return TariffRefusal("rules", _by_field(error))
    session.get_one(Tariff, tariff_id, with_for_update=True)
    newest = session.scalar(
        select(TariffVersion)
        .where(TariffVersion.tariff_id == tariff_id)
        .order_by(TariffVersion.valid_from.desc())
        .limit(1)
    )
    if newest is not None and valid_from <= newest.valid_from:
        return TariffRefusal("valid_from")
    if newest is not None and _billed_since(session, tariff_id, valid_from):
        return TariffRefusal("billed")
    if newest is not None:
        newest.valid_to = valid_from - timedelta(days=1)
    version = TariffVersion(
        tariff_id=tariff_id, valid_from=valid_from, rules=canonical(rules), created_by=by, created_at=now()
    )
    session.add(version)
    session.flush()
    return version


def replace_rules(session: Session, version_id: int, rules: Mapping[str, Any]) -> TariffVersion | TariffRefusal:
    """Correct a version that no bill has used yet; 'billed' where one has: it is frozen."""
    try:
        read_tariff(rules)
    except ValidationError as error:
        return TariffRefusal("rules", _by_field(error))
    version = session.get_one(TariffVersion, version_id, with_for_update=True)
    if is_used(session, version_id):
        return TariffRefusal("billed")
    version.rules = canonical(rules)
    session.flush()
    return version


def is_used(session: Session, version_id: int) -> bool:
    """Whether a bill was made by this version, or has a part that was; then it is frozen."""
    own, later = aliased(TariffVersion), aliased(TariffVersion)
    used = exists().where(
        own.id == version_id,
        later.tariff_id == own.tariff_id,
        later.valid_from >= own.valid_from,
        Invoice.tariff_version_id == later.id,
        Invoice.opening_reading_id == Reading.id,
        (later.id == own.id) | own.valid_to.is_(None) | (Reading.taken_on <= own.valid_to),
    )
    return bool(session.scalar(select(used)))


def rules_of(version: TariffVersion) -> TariffRules:
    """The version's rules as values. They were checked when they were stored."""
    return read_tariff(version.rules)


@lru_cache(maxsize=128)
def rules_in(rules: str) -> TariffRules:
    """The rules in a version's JSON text. Each text is read once by a process."""
    return read_tariff(json.loads(rules))


def _billed_since(session: Session, tariff_id: int, valid_from: date) -> bool:
    used = exists().where(
        TariffVersion.tariff_id == tariff_id,
        Invoice.tariff_version_id == TariffVersion.id,
        Invoice.closing_reading_id == Reading.id,
        (Invoice.period_start >= valid_from) | (Reading.taken_on >= valid_from),
    )
    return bool(session.scalar(select(used)))


def _by_field(error: ValidationError) -> Mapping[str, Any]:
    return error.messages if isinstance(error.messages, dict) else {"": error.messages}
