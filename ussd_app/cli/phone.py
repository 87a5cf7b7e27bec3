"""`mita phone`: the simulated handset in the terminal."""

from pathlib import Path

import click

from ussd_app.cli.place import data_folder, data_option


@click.command()
@click.option("--phone", "number", default="+254700000001", show_default=True, help="Whose phone, as +254…")
@click.option("--network", default="63902", show_default=True, help="Network code; 63902 is Safaricom.")
@click.option(
    "--record",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the conversation as a transcript into this file.",
)
@data_option
def phone(number: str, network: str, record: Path | None, data: Path) -> None:
    """A phone in the terminal, beside a running `mita up`.

    With --record, each conversation becomes a transcript, in the form of the files in tests/transcripts; a second one
    has a number in its file's name. Digits dialled behind the code are typed one by one, so that every screen is seen.
    It is a conversation with the books of this instance, so the transcript is given the phone number: to keep it
    with the others, replace the number by a kind of caller of flows/sample_world.py, and run the tests of flows once
    with MITA_APPROVE=1.
    """
    from simulators.terminal import main

    port = int(data_folder(data).remembered().get("port", 8000)) + 1
    words = ["--phone", number, "--network", network, "--url", f"http://127.0.0.1:{port}"]
    main.main([*words, "--record", str(record)] if record else words, prog_name="mita phone")
