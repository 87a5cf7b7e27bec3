"""The callbacks' edge: the secret, the size, and the answer after the notice is kept."""

from dataclasses import replace

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

import payments.web
from core.config import Settings
from core.database import transaction
from payments.models import Notice
from payments.urls import callback_urls
from tests.payments.paying import callback, house, paybill
from ussd_app.app import create_app


@pytest.fixture
def client(settings: Settings) -> FlaskClient:
    return create_app(settings).test_client()


def kept() -> int:
    with transaction() as session:
        return session.scalar(select(func.count()).select_from(Notice)) or 0


def test_kept_and_accepted(client: FlaskClient, settings: Settings) -> None:
    answer = client.post(f"/callbacks/{settings.gateway_secret}/stk/abc", data=callback())
    assert answer.json == {"ResultCode": 0, "ResultDesc": "Accepted"}
    assert kept() == 1


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b"\xff\x00", b"null", b"[" * 50_000])
def test_what_is_no_json_is_refused_and_kept_even_so(client: FlaskClient, settings: Settings, body: bytes) -> None:
    assert client.post(f"/callbacks/{settings.gateway_secret}/stk/abc", data=body).status_code == 400
    assert kept() == 1


def test_an_old_secret_is_accepted_until_it_is_removed(
    client: FlaskClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    rotated = replace(settings, gateway_secrets="mpesa:the-new-secret-000,the-old-secret-000")
    monkeypatch.setattr(payments.web, "settings", lambda: rotated)
    for secret, status in (("the-new-secret-000", 200), ("the-old-secret-000", 200), (settings.gateway_secret, 404)):
        assert client.post(f"/callbacks/{secret}/stk/abc", data=callback()).status_code == status
    assert "the-new-secret-000" in callback_urls(rotated)["mpesa_stk"]


@pytest.mark.parametrize("secret", ["wrong", "ü", "%00"])
def test_a_wrong_secret_learns_nothing(client: FlaskClient, secret: str) -> None:
    for path in ("stk/abc", "paybill/confirmation", "paybill/validation"):
        assert client.post(f"/callbacks/{secret}/{path}", data=callback()).status_code == 404
    assert kept() == 0


def test_too_large_is_refused(client: FlaskClient, settings: Settings) -> None:
    url = f"/callbacks/{settings.gateway_secret}/stk/abc"
    assert client.post(url, data=b"x" * 70_000).status_code == 413
    assert client.get(url).status_code == 405


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({}, "0"),
        ({"account": "404"}, "C2B00012"),
        ({"amount": "0"}, "C2B00013"),
        ({"amount": "nine"}, "C2B00013"),
        ({"amount": "250001"}, "C2B00013"),
        ({"shortcode": "1"}, "C2B00015"),
    ],
)
def test_validation(client: FlaskClient, settings: Settings, change: dict[str, str], code: str) -> None:
    account = change.pop("account", None) or house().account_no
    url = f"/callbacks/{settings.gateway_secret}/paybill/validation"
    answer = client.post(url, data=paybill(account, **change))
    assert answer.json is not None
    assert answer.json["ResultCode"] == code


def test_validation_of_garbage(client: FlaskClient, settings: Settings) -> None:
    answer = client.post(f"/callbacks/{settings.gateway_secret}/paybill/validation", data=b"\xff{")
    assert answer.json == {"ResultCode": "C2B00016", "ResultDesc": "Rejected"}
