"""What the tests of payments share."""

from collections.abc import Iterator

import pytest

from payments.daraja import Daraja
from payments.wallets import mpesa
from tests.payments.answering import Server


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A Daraja that answers as the test says, and is the one that our client talks to."""
    server = Server()
    client = Daraja(server.url, "key", "secret", "600100", "passkey")
    monkeypatch.setattr(mpesa, "daraja", lambda: client)
    yield server
    server.close()
