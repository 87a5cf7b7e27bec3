"""`mita db upgrade`, `mita seed demo`, and the preparation that `mita up` has done before it serves."""

from pathlib import Path

import click

from ussd_app.cli.place import data_option, with_database
from ussd_app.embedded.folder import ROOT, write_private


@click.group()
def db() -> None:
    """The database."""


@db.command("upgrade")
@data_option
def db_upgrade(data: Path) -> None:
    """Bring the database to the newest form. Safe to run twice, or from two machines at once."""
    with with_database(data):
        upgrade()
    click.echo("The database is up to date.")


@click.group()
def seed() -> None:
    """Data to begin with."""


@seed.command("demo")
@data_option
def seed_demo(data: Path) -> None:
    """Forty customers with thirteen months of readings and bills, where there is no customer yet."""
    with with_database(data):
        made = plant_demo()
    click.echo("Demonstration data is in." if made else "There are customers already; nothing was added.")


@click.command(hidden=True)
@click.option("--demo", is_flag=True, help="Seed demonstration data where there is no customer.")
@click.option("--login", type=click.Path(path_type=Path), help="File for the first administrator's password.")
@data_option
def prepare(demo: bool, login: Path | None, data: Path) -> None:
    """Upgrade the database, seed it, make the first administrator: what must be before the service starts."""
    with with_database(data):
        upgrade()
        if demo:
            plant_demo()
        if login:
            _first_administrator(login)


def upgrade() -> None:
    """Run the migrations. Alembic's environment holds a lock, so that a second upgrade waits."""
    from alembic import command
    from alembic.config import Config

    command.upgrade(Config(ROOT / "alembic.ini"), "head")


def plant_demo() -> bool:
    """Seed the demonstration data in one transaction; False where there are customers already."""
    from sqlalchemy import func, select

    from billing.demo import seed_demo as plant
    from billing.models import Customer
    from core.clock import today
    from core.config import settings
    from core.database import transaction

    with transaction() as session:
        if session.scalar(select(func.count()).select_from(Customer)):
            return False
        plant(session, today(settings().utility_zone))
    return True


def _first_administrator(login: Path) -> None:
    from admin_web.users import create_first_administrator
    from core.database import transaction

    with transaction() as session:
        password = create_first_administrator(session)
        if password:
            write_private(login, {"username": "admin", "password": password})
