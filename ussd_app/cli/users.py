"""`mita user`: who may enter the office. A password is generated and printed once."""

from pathlib import Path

import click

from ussd_app.cli.place import Failure, data_option, with_database

ROLES = ("administrator", "billing", "accountant", "field", "support", "auditor")
"""Those of admin_web/models.py, which a command that prints its help need not load."""


@click.group()
def user() -> None:
    """The office's users."""


@user.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), default="billing", show_default=True)
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
@click.option("--no-second-step", is_flag=True, help="Take her second step away as well: her phone is lost.")
@data_option
def reset(name: str, no_second_step: bool, data: Path) -> None:
    """Give the user NAME a new password, printed this once, and log her out everywhere."""
    with with_database(data):
        from sqlalchemy import select

        from admin_web.logins import close_all
        from admin_web.models import OfficeUser
        from admin_web.passwords import digest, new_password
        from admin_web.second_factor import take_away
        from core.database import transaction

        password = new_password()
        with transaction() as session:
            known = session.scalar(select(OfficeUser).where(OfficeUser.username == name.lower()))
            if known is None:
                raise Failure(f"There is no user {name}. Add one: ./mita user add {name}")
            known.password_hash, known.active = digest(password), True
            if no_second_step:
                take_away(session, known)
            close_all(session, known.id)
    click.echo(f"{name} has the new password {password}")
