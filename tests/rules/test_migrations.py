"""The migrations make the very tables that the models describe, in one line of descent."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

ROOT = Path(__file__).parents[2]
MODELS = re.findall(r'"(\w+\.\w+)"', (ROOT / "migrations" / "env.py").read_text())


def config() -> Config:
    return Config(ROOT / "alembic.ini")


def test_one_head() -> None:
    assert len(ScriptDirectory.from_config(config()).get_heads()) == 1


@pytest.mark.parametrize("module", MODELS)
def test_models_stand_alone(module: str) -> None:
    """A process that imports one models module alone, as the clock does, knows every table it refers to."""
    resolve = (
        f"import {module}; from core.database import Base; from sqlalchemy.orm import configure_mappers; "
        "configure_mappers(); [key.column for table in Base.metadata.tables.values() for key in table.foreign_keys]"
    )
    subprocess.run([sys.executable, "-c", resolve], cwd=ROOT, check=True, timeout=60)


def test_models_and_migrations_agree(database: str) -> None:
    command.check(config())
