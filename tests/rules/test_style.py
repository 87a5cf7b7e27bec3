"""The house rules, held by the tools that know them."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("core", "flows", "billing", "payments", "ussd_app", "admin_web", "simulators", "migrations")
VAGUE = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}


def sources() -> list[Path]:
    return [file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py"))]


def run(*command: str) -> None:
    tool = shutil.which(command[0], path=str(Path(sys.executable).parent))
    assert tool, f"{command[0]} is not installed beside {sys.executable}"
    done = subprocess.run([tool, *command[1:]], cwd=ROOT, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-4000:]


@pytest.mark.parametrize(
    "command",
    [
        ("ruff", "check", "."),
        ("ruff", "format", "--check", "."),
        ("mypy",),
        ("lint-imports",),
    ],
    ids=["ruff", "format", "mypy", "imports"],
)
def test_tool_is_content(command: tuple[str, ...]) -> None:
    run(*command)


def test_files_hold_one_idea() -> None:
    long = {str(f.relative_to(ROOT)): n for f in sources() if (n := len(f.read_text().splitlines())) > 300
            and "versions" not in f.parts}  # fmt: skip
    assert not long, f"split these: {long}"


def test_functions_fit_a_screen() -> None:
    long = [
        f"{file.relative_to(ROOT)}:{node.lineno} {node.name} ({node.end_lineno - node.lineno + 1} lines)"
        for file in sources()
        if "versions" not in file.parts
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.FunctionDef) and node.end_lineno and node.end_lineno - node.lineno >= 60
    ]
    assert not long, "\n".join(long)


def test_modules_have_a_name_and_say_what_they_are() -> None:
    for file in sources():
        assert file.stem not in VAGUE, file
        text = file.read_text()
        assert not text.strip() or ast.get_docstring(ast.parse(text)), f"{file} has no docstring"
