"""Which instance a command is about: the servers in the environment, else those of the data folder."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from getpass import getuser
from pathlib import Path

import click

from core.config import settings
from ussd_app.embedded.folder import ROOT, DataFolder, InUse

data_option = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default=ROOT / ".mita",
    show_default=".mita",
    help="Folder of the instance's data.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object as the last line.")


class Failure(click.ClickException):
    """Something is wrong that the person at the terminal can do something about. Exit code 1."""

    def show(self, file: object = None) -> None:
        click.echo(self.message, err=True)


def data_folder(path: Path) -> DataFolder:
    return DataFolder(path.resolve())


def print_json(value: object) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, default=str))


def say(line: str) -> None:
    """A word on the way; standard output is for what is found."""
    click.echo(line, err=True)


def print_found(found: Mapping[str, object], as_json: bool) -> None:
    """What was measured: one JSON object in a line, or a name and its value on each."""
    if as_json:
        print_json(found)
        return
    for name, value in found.items():
        click.echo(f"{name:<30} {value}")


def use_instance(data: Path) -> None:
    """Put the settings of the instance in `data` into the environment; what is set there already wins.

    An environment with its own SECRET_KEY is complete: a production's settings must not mix with those of a
    data folder that happens to lie here.
    """
    folder = data_folder(data)
    if folder.exists and not os.environ.get("SECRET_KEY"):
        from ussd_app.embedded.instance import Instance
        from ussd_app.embedded.servers import known

        instance = Instance(folder, known(folder, os.environ), folder.remembered().get("port", 8000), os.environ)
        os.environ.update({name: value for name, value in instance.settings().items() if value})
    if not os.environ.get("DATABASE_URL"):
        raise Failure(f"There is no instance in {folder.path}. Start one with ./mita up, or set DATABASE_URL.")
    settings.cache_clear()


@contextmanager
def with_database(data: Path) -> Iterator[None]:
    """The same for the length of a block, with the database running: that of `up`, or started for this block."""
    folder = data_folder(data)
    with ExitStack() as stack:
        if not os.environ.get("DATABASE_URL") and folder.exists and not folder.running():
            stack.enter_context(_awake(folder))
        use_instance(data)
        from core.audit import acting
        from core.database import configure

        configure(os.environ["DATABASE_URL"])  # all that this needs; the other settings may be missing
        with acting(f"console {_person()}", _command()):
            yield


def _person() -> str:
    """Who sits at the terminal, for the audit; a container may have no name for its user."""
    try:
        return getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def _command() -> str:
    context = click.get_current_context(silent=True)
    return context.command_path if context is not None else "mita"


@contextmanager
def _awake(folder: DataFolder) -> Iterator[None]:
    """The folder's own PostgreSQL, which nobody runs at the moment."""
    from ussd_app.embedded.binaries import ServerMissing
    from ussd_app.embedded.running import NotReady, running
    from ussd_app.embedded.servers import embedded_postgres

    with ExitStack() as stack:
        try:
            stack.enter_context(folder.locked())
            postgres = embedded_postgres(folder)
            stack.enter_context(running(postgres.program(), folder.logs / "postgres.log"))
        except (InUse, NotReady, ServerMissing) as error:
            raise Failure(str(error)) from None
        yield
