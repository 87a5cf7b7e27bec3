"""`mita user`: who may enter the office. A password is generated and printed once."""

from pathlib import Path

import click

from ussd_app.cli.place import Failure, data_option, with_database


@click.group()
def user() -> None:
    """The office's users."""


@user.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice(["administrator", "clerk", "read-only"]), default="clerk", show_default=True)
@data_option
def add(name: str, role: str, data: Path) -> None:
    """Add the user NAME; prints her password, this once."""
    with with_database(data):
        from admin_web.passwords import new_password
        from admin_web.users import create_user
        from core.database import transaction

        password = new_password()
        with transaction() as session:
            if create_user(session, name, password, role) is None:
                raise Failure(f"There is a user {name} already. A new password: ./mita user reset {name}")
    click.echo(f"{name} ({role}) has the password {password}")


@user.command("reset")
@click.argument("name")
@data_option
def reset(name: str, data: Path) -> None:
    """Give the user NAME a new password, printed this once, and log her out everywhere."""
    with with_database(data):
        from sqlalchemy import select

        from admin_web.logins import close_all
        from admin_web.models import OfficeUser
        from admin_web.passwords import digest, new_password
        from core.database import transaction

        password = new_password()
        with transaction() as session:
            known = session.scalar(select(OfficeUser).where(OfficeUser.username == name.lower()))
            if known is None:
                raise Failure(f"There is no user {name}. Add one: ./mita user add {name}")
            known.password_hash, known.active = digest(password), True
            close_all(session, known.id)
    click.echo(f"{name} has the new password {password}")
