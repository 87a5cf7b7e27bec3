"""Infobip's callbacks about SMS, in its own words: messages, reports, and whatever else may be posted there."""

import json
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.config import Settings
from core.messages import Message, queue_message
from core.outbox import Outbox
from core.phone import Phone
from ussd_app.gateways.infobip_callbacks_sms import callbacks

PHONE = Phone("+254700000001")
SECRET = "test-gateway-secret"


@pytest.fixture
def client(settings: Settings) -> FlaskClient:
    app = Flask("infobip-under-test")
    app.register_blueprint(callbacks)
    return app.test_client()


def came(**fields: Any) -> dict[str, Any]:
    return {
        "messageId": "817790313235066447", "from": "254700000001", "to": "20880", "text": "BILL", "cleanText": "",
        "keyword": "BILL", "receivedAt": "2026-11-21T09:28:39.220+0000", "smsCount": 1,
        "price": {"pricePerMessage": 0, "currency": "KES"}, "callbackData": "callbackData", **fields,
    }  # fmt: skip


def reported(message_id: str, group: int, name: str, error: str = "NO_ERROR") -> dict[str, Any]:
    return {
        "bulkId": "BULK-ID-123-xyz", "messageId": message_id, "to": "254700000001",
        "sentAt": "2026-11-21T09:28:39.220+0000", "doneAt": "2026-11-21T09:28:41.220+0000", "smsCount": 1,
        "price": {"pricePerMessage": 0.8, "currency": "KES"},
        "status": {"groupId": group, "groupName": "X", "id": 5, "name": name, "description": "As it says"},
        "error": {"groupId": 0, "groupName": "OK", "id": 0, "name": error, "description": "x", "permanent": False},
    }  # fmt: skip


def post(client: FlaskClient, what: str, *results: dict[str, Any], secret: str = SECRET) -> int:
    answer = client.post(f"/sms/{secret}/infobip/{what}", json={"results": list(results), "messageCount": len(results)})
    return answer.status_code


def test_messages_come_in_once_each(client: FlaskClient, session: Session) -> None:
    both = came(), came(messageId="817790313235066448", text="STOP", **{"from": "Safaricom"})
    assert post(client, "inbound", *both) == 200
    assert post(client, "inbound", *both) == 200
    rows = session.scalars(select(Message).order_by(Message.id)).all()
    assert [(row.phone, row.body, row.gateway_id) for row in rows] == [
        (PHONE, "BILL", "817790313235066447"), ("Safaricom", "STOP", "817790313235066448"),
    ]  # fmt: skip
    jobs = session.scalars(select(Outbox.subject_id).where(Outbox.job == "inbound.answer")).all()
    assert jobs == [rows[0].id], "a sender without a number gets no answer"


@pytest.mark.parametrize(
    ("group", "name", "error", "state", "reason"),
    [
        (3, "DELIVERED_TO_HANDSET", "NO_ERROR", "delivered", None),
        (1, "PENDING_ENROUTE", "NO_ERROR", "sent", None),
        (2, "UNDELIVERABLE_NOT_DELIVERED", "EC_UNKNOWN_SUBSCRIBER", "failed", "EC_UNKNOWN_SUBSCRIBER"),
        (4, "EXPIRED_EXPIRED", "EC_ABSENT_SUBSCRIBER", "failed", "EC_ABSENT_SUBSCRIBER"),
        (5, "REJECTED_DESTINATION", "NO_ERROR", "failed", "REJECTED_DESTINATION"),
    ],
)
def test_reports_find_their_message(
    client: FlaskClient, session: Session, group: int, name: str, error: str, state: str, reason: str | None
) -> None:
    lost = queue_message(session, PHONE, "Hello", "receipt")
    assert lost
    lost.status, lost.gateway_id = "unknown", "mita-1-abc"  # the id is ours: the answer to sending was lost
    session.commit()
    assert post(client, "delivery", reported("mita-9-zzz", 3, "x"), reported("mita-1-abc", group, name, error)) == 200
    session.expire_all()
    assert (lost.status, lost.failure_reason) == (state, reason)


def test_a_wrong_secret_finds_nothing(client: FlaskClient, session: Session) -> None:
    assert post(client, "inbound", came(), secret="wrong") == 404
    assert post(client, "delivery", reported("x", 3, "x"), secret="wrong") == 404
    assert session.scalars(select(Message)).all() == []


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b"{}", b'{"results": 5}', b"[" * 50_000, b"\xff\xfe", b'{"results": [5]}',
     json.dumps({"results": [came(), came(messageId="x y")]}).encode(),
     json.dumps({"results": [came()] * 1001}).encode(),
     json.dumps({"results": [{"messageId": "1", "status": "x"}]}).encode()],
)  # fmt: skip
@pytest.mark.parametrize("what", ["inbound", "delivery"])
def test_garbage_is_refused_whole(client: FlaskClient, session: Session, body: bytes, what: str) -> None:
    answer = client.post(f"/sms/{SECRET}/infobip/{what}", data=body, content_type="application/json")
    assert answer.status_code in (400, 413)
    assert session.scalars(select(Message)).all() == []
