"""What the documentation says of the rules about usage, on fewer households."""

import json

from click.testing import CliRunner

from benchmarks import anomalies, forecast
from ussd_app.cli.bench import bench


def test_the_robust_rule_finds_leaks_whatever_went_before() -> None:
    found = anomalies.measure(400, 7)
    for history, rules in found["histories"].items():
        mine = rules["robust_zone"]
        assert mine["recall"] > 0.8, history
        assert mine["false_alarms"] < 0.04, history
    plain = {history: rules["plain"] for history, rules in found["histories"].items()}
    assert plain["in the driest month"]["false_alarms"] > 0.1
    assert plain["in the wettest month"]["recall"] < 0.6
    assert found["standstill"]["stuck"] > 0.95
    assert anomalies.measure(50, 7) == anomalies.measure(50, 7)


def test_the_forecast_is_better_than_the_year_before() -> None:
    found = forecast.measure(240, 7)
    rows = found["rows"]
    assert isinstance(rows, list)
    for row in rows:
        assert row["mase"] < 0.9, row
        assert row["width"] == 0 or row["coverage"] > 0.78, row


def test_both_are_commands() -> None:
    for name in ("anomalies", "forecast"):
        done = CliRunner().invoke(bench, [name, "--households", "40", "--json"])
        assert done.exit_code == 0, done.output
        assert json.loads(done.stdout)["households"] == 40
    assert "| rule |" in CliRunner().invoke(bench, ["anomalies", "--households", "40"]).stdout
