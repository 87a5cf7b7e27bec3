"""The command line: exit codes, one JSON object as the last line, and which instance it speaks of."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from core.config import settings, table
from ussd_app.cli.commands import COMMANDS, mita
from ussd_app.embedded.folder import DataFolder

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    """The data folder of an instance that has been started once, on servers of its caller."""
    folder = DataFolder(tmp_path / "data")
    folder.create()
    folder.remember(port=8123)
    return folder


def run(*words: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    ours = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME")}
    command = [sys.executable, "-m", "ussd_app.cli", *words]
    return subprocess.run(command, cwd=ROOT, env={**ours, **environ}, capture_output=True, text=True, timeout=60)


def last(done: "subprocess.CompletedProcess[str]") -> Any:
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    assert mita.get_command(mita.make_context("mita", ["status"]), command)
    if command != "test":  # whose arguments are all pytest's
        said = CliRunner().invoke(mita, [command, "--help"])
        assert said.exit_code == 0
        assert "Usage: mita" in said.output


def test_usage_errors_exit_with_two() -> None:
    assert run("nonsense").returncode == 2
    assert run("up", "--port", "seventy").returncode == 2
    assert run("tariff", "check", str(ROOT / "README.md"), "--json").returncode == 2


def test_settings_are_the_documented_table() -> None:
    assert run("settings").stdout == table()


def test_urls_are_those_of_the_folder(folder: DataFolder) -> None:
    servers = {"DATABASE_URL": "postgresql://elsewhere/mita", "REDIS_URL": "redis://elsewhere/0"}
    found = last(run("urls", "--json", "--data", str(folder.path), **servers))
    assert {"ussd", "sms_inbound", "sms_delivery", "mpesa_validation", "mpesa_confirmation"} <= set(found)
    secret = folder.secrets()["gateway_secret"]
    assert found["ussd"].startswith("http://127.0.0.1:8126/"), "the pool for USSD has a port of its own"
    assert found["sms_inbound"].startswith("http://127.0.0.1:8123/")
    assert all(secret in url for url in found.values())


def test_a_production_environment_is_not_mixed_with_a_folder(folder: DataFolder) -> None:
    production = {
        "MITA_ENV": "production", "SECRET_KEY": "k" * 40, "GATEWAY_SECRET": "g" * 20, "PUBLIC_BASE_URL": "https://mita.example",
        "DATABASE_URL": "postgresql://elsewhere/mita", "REDIS_URL": "redis://elsewhere/0",
    }  # fmt: skip
    found = last(run("urls", "--json", "--data", str(folder.path), **production))
    assert found["ussd"].startswith("https://mita.example/")
    assert folder.secrets()["gateway_secret"] not in found["ussd"]


def test_nothing_running_is_said_in_words(tmp_path: Path) -> None:
    status = run("status", "--json", "--data", str(tmp_path / "none"))
    assert status.returncode == 1
    assert last(status)["running"] is False
    books = run("books", "check", "--json", "--data", str(tmp_path / "none"))
    assert books.returncode == 1
    assert "./mita up" in books.stderr
    assert not (tmp_path / "none").exists()


def test_a_database_that_does_not_answer_is_said_in_words() -> None:
    gone = run("books", "check", DATABASE_URL="postgresql://mita:x@127.0.0.1:1/mita", SECRET_KEY="k" * 40)
    assert gone.returncode == 1
    assert gone.stderr.startswith("PostgreSQL does not answer")
    assert "Traceback" not in gone.stderr


def test_books_of_an_empty_database_are_in_order(database: str) -> None:
    done = run("books", "check", "--json", **environment(database))
    assert done.returncode == 0, done.stderr
    assert last(done)["violations"] == 0


def test_office_users_are_added_once_and_reset(database: str) -> None:
    assert "has the password" in run("user", "add", "Mary", "--role", "billing", **environment(database)).stdout
    again = run("user", "add", "mary", **environment(database))
    assert again.returncode == 1
    assert "already" in again.stderr
    assert "new password" in run("user", "reset", "mary", **environment(database)).stdout
    assert run("user", "reset", "nobody", **environment(database)).returncode == 1


def environment(database: str) -> dict[str, str]:
    current = settings()
    return {
        "MITA_ENV": "development", "DATABASE_URL": database, "REDIS_URL": current.redis_url,
        "SECRET_KEY": current.secret_key, "GATEWAY_SECRET": current.gateway_secret,
    }  # fmt: skip
