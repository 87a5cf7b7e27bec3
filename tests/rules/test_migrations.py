"""The migrations make the very tables that the models describe, in one line of descent."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

ROOT = Path(__file__).parents[2]


def config() -> Config:
    return Config(ROOT / "alembic.ini")


def test_one_head() -> None:
    assert len(ScriptDirectory.from_config(config()).get_heads()) == 1


def test_models_and_migrations_agree(database: str) -> None:
    command.check(config())
