"""`mita phone`: the simulated handset in the terminal."""

from pathlib import Path

import click

from ussd_app.cli.place import data_folder, data_option


@click.command()
@click.option("--phone", "number", default="+254700000001", show_default=True, help="Whose phone, as +254…")
@click.option("--network", default="63902", show_default=True, help="Network code; 63902 is Safaricom.")
@data_option
def phone(number: str, network: str, data: Path) -> None:
    """A phone in the terminal, beside a running `mita up`."""
    from simulators.terminal import main

    port = int(data_folder(data).remembered().get("port", 8000)) + 1
    main.main(["--phone", number, "--network", network, "--url", f"http://127.0.0.1:{port}"], prog_name="mita phone")
