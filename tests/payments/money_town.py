"""The town of the money machine: the line to M-Pesa, our web service, and a street."""

from datetime import UTC, datetime
from typing import TypeVar

import pytest
from flask.testing import FlaskClient

from core import config
from payments.wallets import mpesa, registry
from tests.payments.paying import house
from tests.payments.safaricom import Line
from ussd_app.app import create_app
from ussd_app.jobs import load

BEGUN = datetime(2026, 11, 2, 9, tzinfo=UTC)
T = TypeVar("T")


class Town:
    """What all machines share."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        load()
        self.line = Line()
        monkeypatch.setenv("DARAJA_BASE_URL", self.line.url)
        forget_settings()
        self.web: FlaskClient = create_app(config.settings()).test_client()
        self.street, self.day = house(), BEGUN


TOWN: list[Town] = []


def forget_settings() -> None:
    config.settings.cache_clear()
    mpesa.daraja.cache_clear()
    registry.wallets.cache_clear()


def path_of(url: str) -> str:
    return "/" + url.split("/", 3)[3]


def one_of(things: list[T], which: int) -> T:
    return things[which % len(things)]
