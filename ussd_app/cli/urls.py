"""`mita urls` and `mita settings`: what to tell the gateways, and what to tell Mita."""

from pathlib import Path

import click

from ussd_app.cli.place import data_option, json_option, print_json, use_instance


@click.command()
@json_option
@data_option
def urls(as_json: bool, data: Path) -> None:
    """Every callback URL, to register at the gateways and providers. They hold a secret."""
    from core.config import settings as current
    from ussd_app.urls import callback_urls

    use_instance(data)
    found = callback_urls(current())
    if as_json:
        print_json(found)
    else:
        for name, url in found.items():
            click.echo(f"{name:<18} {url}")


@click.command()
def settings() -> None:
    """The table of all settings, as it stands in docs/settings.md."""
    from core.config import table

    click.echo(table(), nl=False)
