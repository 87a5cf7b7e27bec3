"""What tests of the message queue share: a gateway that takes everything, and short ways to queue and to look."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from urllib.parse import parse_qs

import pytest

from core.config import Settings
from core.database import transaction
from core.messages import Message, queue_message
from core.phone import Phone
from tests.ussd_app.fake_gateway import FakeGateway, serving
from ussd_app import sms
from ussd_app.gateways.africastalking_sms import AfricasTalkingSms


def phone(number: int) -> Phone:
    return Phone(f"+2547000{number:05d}")


def answered(body: str) -> str:
    """Every number of a request is accepted."""
    to = parse_qs(body)["to"][0].split(",")
    rows = [{"statusCode": 101, "number": number, "status": "Success", "messageId": f"id{number}"} for number in to]
    return json.dumps({"SMSMessageData": {"Message": "Sent", "Recipients": rows}})


@contextmanager
def taking_everything(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGateway]:
    """Have messages sent to a gateway of this process that accepts every number."""
    with serving() as told:
        told.reply = answered
        made = AfricasTalkingSms(replace(settings, at_base_url=f"http://127.0.0.1:{told.port}/version1"))
        monkeypatch.setattr(sms, "gateway", lambda: made)
        yield told


def queue(number: int, kind: str, body: str = "Hello") -> int:
    with transaction() as session:
        message = queue_message(session, phone(number), body, kind)
        assert message
        return message.id


def status(message_id: int) -> tuple[str, str | None]:
    with transaction() as session:
        message = session.get_one(Message, message_id)
        return message.status, message.failure_reason
