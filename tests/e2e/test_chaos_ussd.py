"""Sessions survive the loss of their store: `mita chaos ussd`, small."""

import json
import subprocess
import sys

from tests.e2e.conftest import ROOT, clean_environment


def test_nothing_is_wrong_doubled_lost_or_crossed() -> None:
    command = [sys.executable, "-m", "ussd_app.cli", "chaos", "ussd", "--sessions", "60", "--seed", "7", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, env=clean_environment())
    assert done.returncode == 0, done.stderr + done.stdout
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["sessions"] == 60
    assert report["steps"] >= 150
    assert min(report["restarted"], report["emptied"], report["stopped"]) >= 1
    assert {report[name] for name in ("wrong", "doubled", "lost", "crossed", "gave_up", "books_violations")} == {0}
