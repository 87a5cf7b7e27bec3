"""Reference bills from outside, rated by the engine and compared with their known totals."""

import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load

from billing.rating import rate
from billing.rules import Period
from billing.tariff_form import read_tariff
from billing.tariff_parts import NOT_NEGATIVE, Number


def check_file(path: Path) -> dict[str, Any]:
    """`{cases, matched, mismatched: [{id, why}]}` of a file of cases. ValueError where it is no such file."""
    try:
        cases = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)["cases"]
        named = [(str(case["id"]), case) for case in cases]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is no file of cases: {error!r}") from error
    mismatched = [{"id": name, "why": why} for name, case in named if (why := compare(case)) is not None]
    return {"cases": len(named), "matched": len(named) - len(mismatched), "mismatched": mismatched}


def compare(case: Mapping[str, Any]) -> str | None:
    """None where the engine's total is within the case's tolerance, else why it is not."""
    try:
        usage, expected, tolerance = (Decimal(str(case[name])) for name in ("usage", "expected_total", "tolerance"))
        bill = rate(read_tariff(case["tariff"]), usage, _read_period(case.get("period")))
    except ValidationError as error:
        return f"the tariff is not understood: {error.messages}"
    except (KeyError, ValueError, InvalidOperation) as error:
        return f"the case cannot be rated: {error!r}"
    if abs(bill.total - expected) <= tolerance:
        return None
    return f"{bill.total:f} instead of {expected:f}"


class _Period(Schema):
    class Meta:
        unknown = EXCLUDE

    days = Number(allow_none=True, validate=NOT_NEGATIVE)
    first = fields.Date(data_key="from", allow_none=True, load_default=None)
    last = fields.Date(data_key="to", allow_none=True, load_default=None)
    season = fields.String(allow_none=True)
    band_usage = Number(allow_none=True, validate=NOT_NEGATIVE)

    @post_load
    def made(self, data: dict[str, Any], **_: Any) -> Period:
        first, last = data.pop("first"), data.pop("last")
        if data.get("days") is None and first is not None and last is not None:
            data["days"] = Decimal((last - first).days + 1)  # both ends are days of service
        return Period(**data)


_PERIOD = _Period()


def _read_period(raw: object) -> Period:
    """The period of a reference case; names that rating does not use are let by."""
    loaded: Period = _PERIOD.load(raw if isinstance(raw, Mapping) else {})
    return loaded
