"""`mita bench payments`: how fast money that comes in is credited on this machine, in a folder of its own."""

import click

from ussd_app.cli.place import Failure, json_option, print_found, say


@click.command()
@json_option
@click.option("--credits", "wanted", default=4_000, show_default=True, help="Payments that come in.")
@click.option("--callers", default=8, show_default=True, help="Callbacks that are under way at once.")
def payments(as_json: bool, wanted: int, callers: int) -> None:
    """Callbacks over HTTP to settled credits, beside the same rows from a bare script in the same run."""
    from benchmarks.payments import Wrong, measure

    try:
        found = measure(wanted, callers, say)
    except (Wrong, RuntimeError) as error:
        raise Failure(str(error)) from None
    print_found(found, as_json)
