"""Money, moments, states and charts as pages write them; forms as people fill them in."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from marshmallow import Schema

from admin_web import bars, looks
from admin_web.forms import FormSchema, Number, PhoneNumber, calendar_day, read, whole, word
from core.clock import frozen
from core.config import Settings
from core.money import Money


def test_money_lines_up(settings: Settings) -> None:
    assert looks.money(Money.of("1250.5")).striptags() == "KES 1,250.50"
    assert looks.money(-500).striptags() == "KES −5.00"
    assert looks.money(Money.of(1250, "UGX")).striptags() == "UGX 1,250"


def test_moments_name_the_utilitys_zone_and_keep_utc(settings: Settings) -> None:
    at = datetime(2026, 11, 20, 22, 30, tzinfo=UTC)
    with frozen(at):
        shown = looks.moment(at)
    assert shown.striptags() == "21 Nov, 01:30 EAT"
    assert 'title="2026-11-20T22:30:00Z"' in shown
    with frozen(datetime(2027, 1, 1, tzinfo=UTC)):
        assert looks.moment(at).striptags() == "21 Nov 2026, 01:30 EAT"


def test_states_are_words() -> None:
    assert looks.badge("review").striptags() == "To review"
    assert looks.badge("some_new_state").striptags() == "Some new state"


def test_what_people_write_cannot_become_markup(settings: Settings) -> None:
    assert "<b>" not in looks.badge("<b>")
    assert "<b>" not in looks.phone("<b>")


def test_bars_fit_and_say_what_they_show() -> None:
    months = [(date(2026, month, 1), Decimal(month * 3)) for month in range(1, 13)]
    chart = bars.by_month(months, "m³")
    assert chart is not None
    assert len(chart.bars) == 12
    assert all(
        bar.y >= 0 and bar.y + bar.height <= chart.height and bar.x + bar.width <= chart.width for bar in chart.bars
    )
    assert chart.bars[-1].last
    assert "36 m³ in the last month" in chart.says
    assert [line.label for line in chart.lines] == ["0", "20", "40"]
    assert bars.by_month([], "m³") is None
    nothing_used = bars.by_month([(date(2026, 1, 1), Decimal(0))], "m³")
    assert nothing_used is not None
    assert nothing_used.bars[0].height == 0


class Sample(FormSchema):
    name = word(10)
    count = whole(1, 5)
    amount = Number(required=False)
    day = calendar_day(required=False)
    phone = PhoneNumber(load_default=None)


@pytest.mark.parametrize(
    ("sent", "wrong"),
    [
        ({"name": " Amina ", "count": "3", "amount": "1,234.5", "phone": "0700 000 001", "more": "x"}, set()),
        ({"name": "  ", "count": ""}, {"name", "count"}),
        ({"name": "A", "count": "6"}, {"count"}),
        ({"name": "A", "count": "x"}, {"count"}),
        ({"name": "A", "count": "1", "amount": "-1"}, {"amount"}),
        ({"name": "A", "count": "1", "amount": "NaN"}, {"amount"}),
        ({"name": "A", "count": "1", "amount": "1.23456"}, {"amount"}),
        ({"name": "A", "count": "1", "day": "21.11.2026", "phone": "abc"}, {"day", "phone"}),
        ({"name": "A much too long name", "count": "1"}, {"name"}),
    ],
)
def test_forms_say_what_is_wrong_field_by_field(settings: Settings, sent: dict[str, str], wrong: set[str]) -> None:
    schema: Schema = Sample()
    form = read(schema, sent)
    assert set(form.errors) == wrong
    if form.fine:
        assert form.values["name"] == "Amina"
        assert form.values["amount"] == Decimal("1234.5")
        assert form.values["phone"] == "+254700000001"
        assert "more" not in form.values
