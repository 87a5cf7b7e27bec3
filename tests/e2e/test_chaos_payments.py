"""Money survives a storm: `mita chaos payments`, small."""

import json
import subprocess
import sys

import pytest

from tests.e2e.conftest import ROOT, clean_environment


@pytest.mark.timeout(900)
def test_every_payment_of_mpesas_own_book_is_credited_once() -> None:
    command = [sys.executable, "-m", "ussd_app.cli", "chaos", "payments", "--payments", "60", "--seed", "7", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900, env=clean_environment())
    assert done.returncode == 0, done.stderr + done.stdout
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["payments"] == report["asked"]["by_ussd"] + report["asked"]["by_paybill"] == 60
    assert report["paid"] == report["credited"] >= 10
    assert {report[name] for name in ("lost", "double", "phantom", "wrong", "books_violations")} == {0}
    assert report["converged_s"] <= report["cycle_s"]
    assert min(report["killed"][name] for name in ("web", "worker", "relay", "valkey", "postgres")) >= 1
