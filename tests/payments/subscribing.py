"""The customer's side of a Daraja in its own process, and what reaches us from it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import requests
from sqlalchemy import select

from billing.models import Connection
from core.config import Settings
from core.database import transaction
from core.money import Money
from payments import jobs
from payments.daraja import Daraja
from payments.intents import Requested, request_payment
from payments.models import Notice, PaymentIntent
from payments.settlement import settle
from tests.payments.paying import PHONE, broken, state_of

MSISDN, PIN = PHONE.lstrip("+"), "1234"
Found = TypeVar("Found")


def eventually(look: Callable[[], Found], within_s: float = 20) -> Found:
    """What `look` finds, as soon as it finds something."""
    end = time.monotonic() + within_s
    while not (found := look()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)
    return found


@dataclass(frozen=True)
class Subscriber:
    """The customer's side of the simulator."""

    url: str

    def awake(self) -> bool:
        try:
            return requests.get(f"{self.url}/sim/faults", timeout=2).ok
        except requests.ConnectionError:
            return False

    def answers(self, **said: str) -> None:
        prompt = eventually(lambda: self.sees(f"prompts?phone={MSISDN}")["prompts"])[0]
        self.tells(f"prompts/{prompt['id']}", **said)

    def tells(self, path: str, **said: object) -> None:
        requests.post(f"{self.url}/sim/{path}", json=said, timeout=5).raise_for_status()

    def sees(self, path: str) -> Any:
        return requests.get(f"{self.url}/sim/{path}", timeout=5).json()


def client_of(utility: Settings, subscriber: Subscriber, *, secret: str = "") -> Daraja:
    secret = secret or utility.mpesa_consumer_secret
    return Daraja(subscriber.url, utility.mpesa_consumer_key, secret, utility.mpesa_shortcode, utility.mpesa_passkey)


def pushed(home: Connection, state: str | None = "sent", *, key: str = "one", amount: int = 500) -> PaymentIntent:
    """An attempt whose push has been sent, and is in this state then (None: whichever)."""
    with transaction() as session:
        asked = request_payment(session, home.id, Money.of(amount), PHONE, key)
        assert isinstance(asked, Requested)
    jobs.push(asked.intent.id)
    assert state in (None, state_of(asked.intent))
    return asked.intent


def settled(count: int) -> list[str | None]:
    """What became of the next `count` notices, once they are here."""

    def here() -> list[int]:
        with transaction() as session:
            found = list(session.scalars(select(Notice.id).order_by(Notice.id)))
        return found if len(found) >= count else []

    for notice_id in eventually(here):
        settle(notice_id)
    with transaction() as session:
        assert not broken(session)
        return list(session.scalars(select(Notice.outcome).order_by(Notice.id)))
