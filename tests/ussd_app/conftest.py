"""The service under test: its application over the suite's own servers, and who calls it."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis
from sqlalchemy.orm import Session

from core.config import Settings
from tests.ussd_app.handset import Dial, Handset
from tests.ussd_app.town import Household, settle_town
from tests.ussd_app.walking import WALKS, plain, walk
from ussd_app import stores
from ussd_app.app import create_app


@pytest.fixture(scope="session")
def app(settings: Settings) -> Flask:
    return create_app(settings)


@pytest.fixture
def client(app: Flask, redis: "Redis") -> FlaskClient:
    return app.test_client()


@pytest.fixture(autouse=True)
def _fresh_clients(settings: Settings) -> Iterator[None]:
    stores.quick.cache_clear()
    stores.patient.cache_clear()
    yield
    for store in (stores.quick, stores.patient):
        if store.cache_info().currsize:
            store().close()
        store.cache_clear()


@pytest.fixture
def handset(client: FlaskClient, settings: Settings) -> Dial:
    def pick_up(phone: str = "+254700000001", **changed: str) -> Handset:
        return Handset(client, phone, settings.gateway_secret, **changed)  # type: ignore[arg-type]

    return pick_up


@pytest.fixture
def homes(session: Session) -> list[Household]:
    return settle_town(session, 12)


@pytest.fixture
def undisturbed(homes: list[Household], handset: Dial) -> Callable[[str], list[str]]:
    """The screens of a walk in calm weather, by the last household of the town."""
    home = homes[-1]
    return lambda name: plain(walk(handset(home.phone), WALKS[name]), home)
