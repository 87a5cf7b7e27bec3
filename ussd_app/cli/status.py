"""`mita status`: what runs, and whether it is well."""

from pathlib import Path

import click

from ussd_app.cli.place import data_folder, data_option, json_option, print_json
from ussd_app.embedded import processes
from ussd_app.embedded.instance import is_ready


@click.command()
@json_option
@data_option
def status(as_json: bool, data: Path) -> None:
    """The processes of a running instance. Exit code 1 where it does not run or is not ready."""
    folder = data_folder(data)
    found = folder.processes() if folder.running() else {}
    port = folder.remembered().get("port")
    ready = bool(found) and is_ready(int(port or 0))
    for process in found.values():
        process["alive"] = processes.alive(process["pid"])
    if as_json:
        print_json({"running": bool(found), "ready": ready, "port": port, "processes": found})
    elif not found:
        click.echo(f"Nothing runs with the data folder {folder.path}.")
    else:
        for name, process in found.items():
            again = f"  started again {process['restarts']} times" if process["restarts"] else ""
            click.echo(f"{name:<14} {process['pid']:>8} {'runs' if process['alive'] else 'dead'}{again}")
        click.echo("ready" if ready else "not ready; see the logs in " + str(folder.logs))
    raise click.exceptions.Exit(0 if ready else 1)
