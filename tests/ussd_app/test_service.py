"""What goes for the whole service: health, numbers for requests, masked logs, the demo's view, the clock."""

import json
from dataclasses import replace
from threading import Event, Thread
from time import sleep
from typing import NoReturn

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis
from redis.exceptions import ConnectionError
from sqlalchemy.orm import Session

from core.config import Settings
from core.conversations import recent
from core.database import engine
from tests.ussd_app.handset import Dial
from tests.ussd_app.test_turns import WALKS, walk
from tests.ussd_app.town import Household, settle_town
from ussd_app import archive, clock, health, logs
from ussd_app.app import create_app
from ussd_app.stores import patient
from ussd_app.urls import callback_urls


def test_it_lives_and_is_ready(client: FlaskClient) -> None:
    assert client.get("/healthz").data == b"ok\n"
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json) == (200, {"postgres": "ok", "migrations": "ok", "redis": "ok"})


def test_it_is_not_ready_without_redis(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> NoReturn:
        raise ConnectionError("away")

    monkeypatch.setattr(health, "quick", away)
    ready = client.get("/readyz")
    assert ready.status_code == 503
    assert ready.json == {"postgres": "ok", "migrations": "ok", "redis": "failed"}


def test_a_request_has_a_number_and_a_proxys_is_kept(client: FlaskClient) -> None:
    assert len(client.get("/healthz").headers["X-Request-Id"]) == 16
    assert client.get("/healthz", headers={"X-Request-Id": "abc-1"}).headers["X-Request-Id"] == "abc-1"
    assert "<" not in client.get("/healthz", headers={"X-Request-Id": "<script>"}).headers["X-Request-Id"]


def test_a_strange_address_gets_a_plain_answer(client: FlaskClient) -> None:
    answer = client.get("/nowhere")
    assert (answer.status_code, answer.data) == (404, b"Not Found\n")


def test_a_failure_is_a_number_and_never_a_trace(settings: Settings) -> None:
    app = create_app(settings)

    @app.get("/broken")
    def broken() -> NoReturn:
        raise RuntimeError("postgresql://user:secret@host")

    answer = app.test_client().get("/broken")
    assert answer.status_code == 500
    assert b"secret" not in answer.data
    assert answer.headers["X-Request-Id"].encode() in answer.data


def test_phone_numbers_are_masked_in_logs() -> None:
    event = logs.masked(None, "info", {"event": "sent to +254700000001", "phone": "254700000001", "n": 254700000001,
                                       "timestamp": "2026-11-21T04:00:00Z", "account": "1000017"})  # fmt: skip
    text = json.dumps({name: value for name, value in event.items() if name != "n"})
    assert "700000001" not in text
    assert "+2547****0001" in text
    assert "1000017" in text


def test_what_the_service_logs_names_nobody_and_no_secret(
    handset: Dial, session: Session, settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    [home] = settle_town(session, 1)
    walk(handset(home.phone), WALKS["reading"])
    written = capfd.readouterr().out
    assert '"rule": "/ussd/<secret>/africastalking"' in written
    assert home.phone[1:] not in written
    assert settings.gateway_secret not in written


def test_every_callback_has_an_address(app: Flask, settings: Settings) -> None:
    urls = callback_urls(settings)
    assert {"ussd", "ussd_events", "sms_inbound", "sms_delivery", "mpesa_validation", "mpesa_confirmation"} <= set(urls)
    adapter = app.url_map.bind("127.0.0.1:8000")
    for name, url in urls.items():
        path = url.removeprefix(settings.public_base_url).replace("{token}", "t" * 20)
        assert adapter.match(path, method="POST"), name


@pytest.fixture
def home(session: Session) -> Household:
    return settle_town(session, 1)[0]


def test_the_demo_shows_customers_and_what_happens_to_them(
    client: FlaskClient, handset: Dial, settings: Settings, home: Household
) -> None:
    base = f"/demo/{settings.gateway_secret}"
    customers = client.get(f"{base}/customers").json
    assert customers == [
        {"phone": home.phone, "name": "Amina Otieno", "language": "en", "account_no": home.account_no,
         "meter": home.serial, "balance": "KES 1,250"}
    ]  # fmt: skip
    before = client.get(f"{base}/effects", query_string={"phone": home.phone, "after": 0}).json
    last = before["effects"][-1]["id"] if before else 0
    walk(handset(home.phone), WALKS["reading"])
    walk(handset(home.phone), WALKS["pay part"])
    effects = client.get(f"{base}/effects", query_string={"phone": home.phone, "after": last}).json
    assert effects
    assert [effect["what"] for effect in effects["effects"]][:2] == ["reading", "payment"]
    assert "117 m3" in effects["effects"][0]["detail"]
    last = effects["effects"][-1]["id"]
    again = client.get(f"{base}/effects", query_string={"phone": home.phone, "after": last}).json
    assert again == {"effects": []}


def test_the_demo_is_closed_without_the_secret_and_in_production(client: FlaskClient, settings: Settings) -> None:
    assert client.get("/demo/wrong/customers").status_code == 404
    production = create_app(replace(settings, env="production", demo=False)).test_client()
    assert production.get(f"/demo/{settings.gateway_secret}/customers").status_code == 404


@pytest.mark.parametrize("query", [{}, {"phone": "x"}, {"phone": "+254700000001", "after": "x"}, {"after": "9" * 40}])
def test_a_strange_question_to_the_demo_gets_nothing(
    client: FlaskClient, settings: Settings, query: dict[str, str]
) -> None:
    answer = client.get(f"/demo/{settings.gateway_secret}/effects", query_string=query)
    assert (answer.status_code, answer.json) == (200, {"effects": []})


def test_the_office_sees_a_conversation_as_she_saw_it(
    handset: Dial, home: Household, session: Session, redis: "Redis", settings: Settings
) -> None:
    phone = handset(home.phone)
    walk(phone, WALKS["reading"])
    archive.drain(patient())
    end = {
        "date": "2026-11-21 06:00:00", "sessionId": phone.session_id, "serviceCode": "*384*7#", "networkCode": "63902",
        "phoneNumber": home.phone, "status": "Success", "cost": "KES 0.10", "durationInMillis": "9000",
        "hopsCount": "4", "hopsMetadata": "", "input": "1*12o*117", "lastAppResponse": "END",
    }  # fmt: skip
    for _ in range(2):
        answer = phone.client.post(f"/ussd/{settings.gateway_secret}/africastalking/events", data=end)
        assert answer.status_code == 200
    session.rollback()
    [conversation] = recent(session, phone=home.phone)
    assert (conversation.outcome, conversation.hops, conversation.gateway_status) == ("completed", 4, "Success")


@pytest.fixture
def ticks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Who ticked, each 10 ms, instead of the real chores."""
    ticked: list[str] = []
    monkeypatch.setattr(clock, "TICK_S", 0.01)
    monkeypatch.setattr(clock, "STANDBY_S", 0.05)
    monkeypatch.setattr(clock, "chores", lambda: [clock.Chore("tick", 0, lambda: ticked.append("tick"))])
    return ticked


def test_one_clock_acts_and_another_takes_over(database: str, ticks: list[str]) -> None:
    first, second = Event(), Event()
    acting = Thread(target=clock.run_forever, args=[first])
    acting.start()
    while not ticks:
        sleep(0.01)
    with engine().connect() as connection:
        assert not clock._mine(connection), "the lock is held"
    standing_by = Thread(target=clock.run_forever, args=[second])
    standing_by.start()
    first.set()
    acting.join()
    ticks.clear()
    while not ticks:
        sleep(0.01)
    second.set()
    standing_by.join()


def test_a_chore_that_fails_does_not_stop_the_others() -> None:
    done: list[str] = []

    def fail() -> NoReturn:
        raise ValueError("broken")

    for chore in (clock.Chore("one", 1, fail), clock.Chore("two", 1, lambda: done.append("two"))):
        clock.run(chore)
    assert done == ["two"]


def test_the_books_are_in_order(database: str, home: Household) -> None:
    assert clock.check_books() == 0
