"""The calculator with dates, and a tariff's JSON out and in."""

import io
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from sqlalchemy.orm import Session

from billing.tariffs import add_version
from core.clock import frozen
from tests.admin_web.conftest import Browser
from tests.billing.estate import Estate

TWENTY = {"model": "graduated", "tiers": [{"from": 0, "to": None, "rate": 20}]}


@pytest.fixture(autouse=True)
def _today() -> Iterator[None]:
    with frozen(datetime(2026, 4, 2, 9, tzinfo=UTC)):
        yield


@pytest.fixture
def tariff_id(session: Session) -> int:
    """Ten a unit, twenty from 11 March on."""
    estate = Estate(session)
    add_version(session, estate.tariff_id, date(2026, 3, 11), TWENTY, "test")
    session.commit()
    return estate.tariff_id


def test_a_change_inside_the_days_is_shown_in_its_parts(clerk: Browser, tariff_id: int) -> None:
    text = clerk.get(f"/tariffs/{tariff_id}/calculate?usage=31&since=2026-03-01&until=2026-03-31").text
    assert "520.00" in text  # 10 days of 31 at 10, 21 at 20
    assert "10 days" in text
    assert "21 days" in text
    month = clerk.get(f"/tariffs/{tariff_id}/calculate?usage=31").text
    assert "620.00" in month
    assert "days" not in month
    whole_page = clerk.get(f"/tariffs/{tariff_id}?usage=31&since=2026-03-01&until=2026-03-31").text
    assert "520.00" in whole_page


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("usage=31&since=2026-03-01", "or neither"),
        ("usage=31&since=2026-03-31&until=2026-03-01", "comes after the first"),
        ("usage=x", "The usage"),
        ("usage=1&since=soon&until=later", "year-month-day"),
        ("usage=1&since=2024-01-01&until=2024-01-31", "No version is in force"),
    ],
)
def test_what_cannot_be_calculated_is_told(clerk: Browser, tariff_id: int, asked: str, said: str) -> None:
    assert said in clerk.get(f"/tariffs/{tariff_id}/calculate?{asked}").text


def test_a_draft_takes_its_part_among_the_versions(clerk: Browser, tariff_id: int) -> None:
    sheet = {
        "model": "graduated", "to": "", "rate": "100", "flat": "", "sewer_rate": "", "write": "sheet",
        "valid_from": "2026-03-22", "usage": "31", "since": "2026-03-01", "until": "2026-03-31",
    }  # fmt: skip
    path = f"/tariffs/{tariff_id}/versions/new"
    text = clerk.post(f"/tariffs/calculate?tariff={tariff_id}", form_on=path, **sheet).text
    assert "1,320.00" in text.replace("\u202f", "")  # 10 * 10 + 11 * 20 + 10 * 100
    assert "this version" in text


def test_a_version_goes_out_as_json_and_comes_in_again(session: Session, clerk: Browser, tariff_id: int) -> None:
    out = clerk.get("/tariffs/versions/2/json")
    assert out.mimetype == "application/json"
    rules = json.loads(out.text)
    assert rules["tiers"][0]["rate"] == 20
    page = f"/tariffs/{tariff_id}"
    rules["on_change"] = "next_cycle"
    sent = (io.BytesIO(json.dumps(rules).encode()), "tariff.json")
    text = clerk.post(f"{page}/import", form_on=page, file=sent).text
    assert "next_cycle" in text
    assert "340.00" in text  # what 17 would cost
    broken = clerk.post(f"{page}/import", form_on=page, file=(io.BytesIO(b"{"), "tariff.json"))
    assert broken.status_code == 422
    assert "This is not JSON" in broken.text
    saved = clerk.post(
        f"{page}/versions/new", write="json", rules=json.dumps(rules), valid_from="2026-05-01", usage="17"
    )
    assert saved.status_code == 303, saved.text


def test_a_levys_rates_are_entered_by_month(clerk: Browser, tariff_id: int) -> None:
    entered = {"series": "FCC", "month": "2026-03-15", "rate": "-3.59"}
    assert clerk.post("/levies", **entered).status_code == 303
    text = clerk.get("/levies").text
    assert "-3.59" in text
    assert "user-billing" in text
    again = clerk.post("/levies", **entered)
    assert again.status_code == 422
    assert "a rate for that month already" in again.text
    assert clerk.post("/levies", series="FCC", month="2026-04-01", rate="NaN").status_code == 422
