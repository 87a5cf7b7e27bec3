"""The list of commands. Each lives in a module that is imported when it is asked for, so that all start quickly."""

import importlib
import sys
from typing import Any

import click

from ussd_app.cli.place import Failure

COMMANDS = {
    "up": ("up", "up"),
    "status": ("status", "status"),
    "test": ("suite", "test"),
    "phone": ("phone", "phone"),
    "urls": ("urls", "urls"),
    "settings": ("urls", "settings"),
    "user": ("users", "user"),
    "import": ("imports", "import_file"),
    "export": ("exports", "export"),
    "bench": ("bench", "bench"),
    "books": ("checks", "books"),
    "flows": ("checks", "flows"),
    "tariff": ("checks", "tariff"),
    "chaos": ("chaos", "chaos"),
    "mpesa": ("mpesa", "mpesa"),
    "db": ("database", "db"),
    "seed": ("database", "seed"),
    "prepare": ("database", "prepare"),
    "ussd": ("processes", "ussd"),
    "worker": ("processes", "worker"),
    "relay": ("processes", "relay"),
    "clock": ("processes", "clock"),
}
"""Command -> the module under ussd_app.cli and the name in it."""

OUTAGES = {
    "sqlalchemy.exc": ("OperationalError", "PostgreSQL does not answer"),
    "redis.exceptions": ("ConnectionError", "Redis does not answer"),
    "core.config": ("SettingsError", "The settings do not fit"),
}
"""Module -> its exception that is no bug of ours, and what to say of it."""


class Commands(click.Group):
    """A group that imports a command's module only to run it or to list it, and explains an outage in words."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name]
        command = getattr(importlib.import_module(f"ussd_app.cli.{module}"), name)
        assert isinstance(command, click.Command)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except Exception as error:
            for module, (name, words) in OUTAGES.items():
                if module in sys.modules and isinstance(error, getattr(sys.modules[module], name)):
                    raise Failure(f"{words}: {str(error).splitlines()[0]}") from error
            raise


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def mita() -> None:
    """Meters, bills and payments for customers with a plain phone. Start with `mita up`."""
