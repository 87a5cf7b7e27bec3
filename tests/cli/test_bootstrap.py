"""The executable `mita`: sets itself up once, repairs what was broken off, explains what it cannot do."""

import hashlib
import importlib.machinery
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import threading
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
WHEEL = "pebble-1.0-py3-none-any.whl"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A small project with the real bootstrap, one package to install, and a command line that tells what it sees."""
    clone = tmp_path / "clone"
    (clone / "ussd_app/cli").mkdir(parents=True)
    shutil.copy(ROOT / "mita", clone)
    shutil.copytree(ROOT / "vendor", clone / "vendor")  # the pip for a Python that has none, as this one may be
    for package in ("ussd_app", "ussd_app/cli"):
        (clone / package / "__init__.py").touch()
    (clone / "ussd_app/cli/__main__.py").write_text(
        "import json, sys, pebble\nprint(json.dumps([sys.prefix, pebble.colour, sys.argv[1:]]))\n"
    )
    with zipfile.ZipFile(tmp_path / WHEEL, "w") as wheel:
        wheel.writestr("pebble.py", "colour = 'grey'\n")
        wheel.writestr("pebble-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: pebble\nVersion: 1.0\n")
        wheel.writestr("pebble-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("pebble-1.0.dist-info/RECORD", "pebble.py,,\n")
    digest = hashlib.sha256((tmp_path / WHEEL).read_bytes()).hexdigest()
    (clone / "requirements.txt").write_text(f"pebble==1.0 --hash=sha256:{digest}\n")
    (clone / "requirements-dev.txt").write_text(f"pebble==1.0 --hash=sha256:{digest}\n# and tools\n")
    return clone


def mita(clone: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    environ = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(clone.parent),
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(clone.parent),
    }
    environ |= {
        name: value for name, value in os.environ.items() if name in ("PIP_INDEX_URL", "PIP_CERT", "HTTPS_PROXY")
    }
    command = [sys.executable, str(clone / "mita"), *words]
    return subprocess.run(command, cwd="/", env=environ, capture_output=True, text=True, timeout=120)


def seen(done: "subprocess.CompletedProcess[str]") -> list[object]:
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert isinstance(found, list)
    return found


def test_the_first_start_sets_up_and_the_second_does_not(clone: Path) -> None:
    first = mita(clone, "up", "--port", "9000")
    assert seen(first) == [str(clone / ".venv"), "grey", ["up", "--port", "9000"]]
    assert "Setting up" in first.stderr
    second = mita(clone, "status")
    assert seen(second)[2] == ["status"]
    assert second.stderr == ""


def test_tests_bring_their_own_tools_and_a_new_lock_is_installed(clone: Path) -> None:
    seen(mita(clone, "up"))
    assert "requirements-dev.txt" not in json.loads((clone / ".venv/mita.json").read_text())
    assert "Setting up" in mita(clone, "test").stderr
    assert "Setting up" not in mita(clone, "test").stderr
    with (clone / "requirements.txt").open("a") as lock:
        lock.write("# newer\n")
    assert "Setting up" in mita(clone, "up").stderr


def test_what_was_broken_off_is_repaired(clone: Path) -> None:
    seen(mita(clone, "up"))
    (clone / ".venv/mita.json").unlink()
    (clone / ".venv/mita.installing").touch()
    next((clone / ".venv").rglob("pebble.py")).unlink()
    assert seen(mita(clone, "up"))[1] == "grey"
    assert not (clone / ".venv/mita.installing").exists()


def test_a_clone_that_has_moved_sets_up_anew(clone: Path) -> None:
    seen(mita(clone, "up"))
    moved = clone.rename(clone.with_name("moved"))
    assert seen(mita(moved, "up"))[0] == str(moved / ".venv")


def test_two_first_starts_at_once_do_not_harm_each_other(clone: Path) -> None:
    answers: list[subprocess.CompletedProcess[str]] = []
    starts = [threading.Thread(target=lambda: answers.append(mita(clone, "up"))) for _ in range(3)]
    for start in starts:
        start.start()
    for start in starts:
        start.join()
    assert [seen(answer)[1] for answer in answers] == ["grey"] * 3
    assert sum("Setting up" in answer.stderr for answer in answers) == 1


def test_a_wrong_hash_installs_nothing(clone: Path) -> None:
    (clone / "requirements.txt").write_text(f"pebble==1.0 --hash=sha256:{'0' * 64}\n")
    done = mita(clone, "up")
    assert done.returncode == 1
    assert "could not be installed" in done.stderr
    assert "Setting up" in mita(clone, "up").stderr


@pytest.fixture
def bootstrap(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The executable as a module, to ask its parts."""
    loader = importlib.machinery.SourceFileLoader("mita_bootstrap", str(ROOT / "mita"))
    spec = importlib.util.spec_from_loader("mita_bootstrap", loader)
    assert spec
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def test_an_old_python_is_told_what_is_needed(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bootstrap, "NEEDS", (3, 99))
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SystemExit):
        bootstrap.insist_on_python()
    assert "needs Python 3.11 or newer" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_is_explained(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(SystemExit):
        bootstrap.set_up(["requirements.txt"])
    assert "is not writable for you" in capsys.readouterr().err


def test_a_strange_pip_is_refused(
    bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pip.whl").write_bytes(b"another pip")
    monkeypatch.setattr(bootstrap, "PIP", str(tmp_path / "pip.whl"))
    monkeypatch.setattr(bootstrap.subprocess, "call", lambda *_, **__: 1)
    with pytest.raises(SystemExit):
        bootstrap.pip()
    assert "is not the file that it should be" in capsys.readouterr().err


def test_a_python_without_pip_gets_the_one_that_lies_here(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap.subprocess, "call", lambda *_, **__: 1)
    command = bootstrap.pip()
    monkeypatch.undo()
    assert subprocess.run([*command, "--version"], capture_output=True, text=True, check=True).stdout.startswith("pip ")
