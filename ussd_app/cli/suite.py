"""`mita test`: the whole suite, or the part that the arguments of pytest name."""

import os
import sys

import click

from ussd_app.embedded.folder import ROOT


@click.command(context_settings={"ignore_unknown_options": True}, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def test(arguments: tuple[str, ...]) -> None:
    """Run the tests, on servers of their own. ARGUMENTS are pytest's."""
    os.chdir(ROOT)
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *arguments])  # noqa: S606 - no shell is wanted
