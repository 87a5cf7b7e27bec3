"""`mita up`: everything on this machine, until Ctrl-C."""

import json
import os
from contextlib import ExitStack
from pathlib import Path

import click

from core.config import SettingsError
from ussd_app.cli.place import Failure, data_folder, data_option
from ussd_app.embedded.binaries import ServerMissing
from ussd_app.embedded.console import Console
from ussd_app.embedded.folder import DataFolder, InUse, is_free
from ussd_app.embedded.instance import SERVERS, SERVICE, SIMULATORS, Instance
from ussd_app.embedded.servers import choose
from ussd_app.embedded.supervisor import StartFailed, Stopped, Supervisor, end_leftovers

LOGIN = "first-login.json"


@click.command()
@click.option("--port", type=click.IntRange(1, 65532), help="Port of the service; it takes the next three as well.")
@click.option("--empty", is_flag=True, help="Without demonstration data.")
@click.option("--verbose", is_flag=True, help="Show what every process logs.")
@data_option
def up(port: int | None, empty: bool, verbose: bool, data: Path) -> None:
    """Start everything: databases, service, simulated phones. Sets up on first use. Ctrl-C stops it."""
    folder, console = data_folder(data), Console(verbose=verbose)
    with ExitStack() as stack:
        try:
            folder.create()
            stack.enter_context(folder.locked())
            end_leftovers(folder, console.say)
            instance = _settle(folder, port, empty)
        except (InUse, ServerMissing, SettingsError) as error:
            raise Failure(str(error)) from None
        except PermissionError as error:
            raise Failure(f"{error.filename} is not writable for you. Choose another folder with --data.") from None
        _serve(instance, Supervisor(folder, console), console)


def _settle(folder: DataFolder, port: int | None, empty: bool) -> Instance:
    """The instance with its ports and servers; what is decided at the first start is remembered."""
    known = folder.remembered()
    port = port or int(known.get("port", 8000))
    demo = known.get("demo", "never" if empty else "wanted")
    instance = Instance(folder, choose(folder, os.environ), port, os.environ)
    for name, number in instance.ports.items():
        if not is_free(number):
            raise InUse(f"Port {number} ({name}) is in use. Choose another with ./mita up --port {port + 10}")
    instance.product()
    folder.remember(port=port, demo=demo)
    return instance


def _serve(instance: Instance, supervisor: Supervisor, console: Console) -> None:
    supervisor.listen()
    console.say(f"Mita starts, with {instance.servers.line}")
    try:
        login = _start(instance, supervisor)
        _announce(instance, login, console)
        supervisor.run()
        console.say("Mita stops …")
    except Stopped:
        console.say("Stopped before everything had started.")
    except StartFailed as error:
        raise Failure(str(error)) from None
    finally:
        supervisor.stop((*SERVICE, *SIMULATORS), ("valkey",), ("postgres",))


def _start(instance: Instance, supervisor: Supervisor) -> dict[str, str]:
    """Start all, each thing after what it needs; the office's first login where this start made it, else {}."""
    from ussd_app.urls import callback_urls

    folder, servers = instance.folder, instance.servers
    for server in (servers.postgres, servers.valkey):
        if server:
            supervisor.start(server.program())
    supervisor.wait_ready([name for name in SERVERS if name in supervisor.children], 120)
    login = _prepare(instance, supervisor)
    supervisor.start(*instance.service())
    supervisor.start(*instance.simulators(callback_urls(instance.product())))
    supervisor.wait_ready(["web", "ussd"], 60)
    folder.remember(demo="never" if folder.remembered().get("demo") == "never" else "done")
    return login


def _prepare(instance: Instance, supervisor: Supervisor) -> dict[str, str]:
    wanted = instance.development and instance.folder.remembered().get("demo") == "wanted"
    note = instance.folder.path / LOGIN
    demo = ["--demo"] if wanted else []
    supervisor.complete(instance.command("prepare", "prepare", "--login", str(note), *demo))
    if not note.exists():
        return {}
    login: dict[str, str] = json.loads(note.read_text())
    note.unlink()  # it is shown once and kept nowhere
    return login


def _announce(instance: Instance, login: dict[str, str], console: Console) -> None:
    who = (
        f"user {login['username']}, password {login['password']} (shown only now)"
        if login
        else "the password was shown at the first start; a new one: ./mita user reset admin"
    )
    lines = [("Office", f"{instance.url()}/office  {who}")]
    if instance.development:
        lines.insert(0, ("Handset", f"{instance.url('phone_network')}/  dial {instance.product().service_code}"))
    lines += [
        ("Data", f"{instance.folder.path}  (logs in its folder logs)"),
        ("Stop", "Ctrl-C"),
        ("Test", "./mita test"),
    ]
    console.say("\n".join(["Mita is up.", *(f"  {name:<8} {value}" for name, value in lines)]))
