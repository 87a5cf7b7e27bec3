"""The simulators as processes, and their odds and ends."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from simulators import gsm
from simulators.daraja.settings import DarajaSettings
from simulators.environment import from_environment
from simulators.journal import Exchange

ROOT = Path(__file__).parents[2]


def run(module: str, **environ: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", module],
        cwd=ROOT,
        env={**os.environ, "SIM_PORT": "0", **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.parametrize("module", ["simulators.daraja", "simulators.phone_network"])
def test_not_in_production(module: str) -> None:
    process = run(module, MITA_ENV="production")
    said, _ = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "do not run with MITA_ENV=production" in said


@pytest.mark.parametrize(("module", "path"), [("simulators.daraja", "/sim/book"), ("simulators.phone_network", "/")])
def test_serves_and_stops_at_once_on_sigterm(module: str, path: str) -> None:
    with run(module, MITA_ENV="development") as process:
        try:
            address = process.stdout.readline().split()[-1]
            assert requests.get(address + path, timeout=5).status_code == 200
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=3) == 0
        finally:
            process.kill()


def test_settings_from_the_environment() -> None:
    settings = from_environment(DarajaSettings(), {"SIM_OPENING_BALANCE": "70", "SIM_PROMPT_S": "2.5", "SIM_PIN": "1"})
    assert (settings.opening_balance, settings.prompt_s, settings.pin) == (70, 2.5, "1")
    with pytest.raises(ValueError, match="many"):
        from_environment(DarajaSettings(), {"SIM_OPENING_BALANCE": "many"})


def test_the_page_allows_no_script_but_its_own(network: str) -> None:
    page = requests.get(network, timeout=5)
    policy = page.headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    for word in ("<style", " style=", " onclick=", "<script>", "https://"):
        assert word not in page.text
    assert requests.get(f"{network}/static/main.js", timeout=5).status_code == 200


@pytest.mark.parametrize(
    ("text", "septets", "parts"), [("", 0, 1), ("a€", 3, 1), ("‘", None, 1), ("a" * 307, 307, 3), ("é" * 160, 160, 1)]
)
def test_counting(text: str, septets: int | None, parts: int) -> None:
    assert (gsm.septets(text), gsm.sms_parts(text)) == (septets, parts)


def test_an_exchange_as_a_line_for_the_shell() -> None:
    said = Exchange("x", "+254", "out", "POST", "http://h/p?a=b&c", "text=it's", {"Content-Type": "a/b"})
    assert said.curl() == ("curl -sS -X POST 'http://h/p?a=b&c' -H 'Content-Type: a/b' --data 'text=it'\"'\"'s'")
