"""What Daraja refuses: keys, tokens, fields, credentials, paths."""

import pytest
import requests

from .conftest import Daraja

TWIN = {"PartyA": "254711000002", "PhoneNumber": "254711000002"}


def test_a_token_lives_for_an_hour_said_in_a_string(daraja: Daraja) -> None:
    grant = {"grant_type": "client_credentials"}
    keys = (daraja.settings.consumer_key, daraja.settings.consumer_secret)
    answer = requests.get(f"{daraja.url}/oauth/v1/generate", params=grant, auth=keys, timeout=5)
    assert answer.status_code == 200
    assert answer.json()["expires_in"] == "3599"


def test_wrong_keys_get_400_and_nothing_else(daraja: Daraja) -> None:
    grant = {"grant_type": "client_credentials"}
    answer = requests.get(f"{daraja.url}/oauth/v1/generate", params=grant, auth=("x", "y"), timeout=5)
    assert (answer.status_code, answer.content) == (400, b"")


@pytest.mark.parametrize(
    ("grant", "headers", "code"),
    [("password", {"Authorization": "Basic eDp5"}, "400.008.02"), ("client_credentials", {}, "400.008.01")],
)
def test_a_wrong_way_to_ask_for_a_token(daraja: Daraja, grant: str, headers: dict[str, str], code: str) -> None:
    params = {"grant_type": grant}
    answer = requests.get(f"{daraja.url}/oauth/v1/generate", params=params, headers=headers, timeout=5)
    assert (answer.status_code, answer.json()["errorCode"]) == (400, code)


def test_a_bad_or_revoked_token_is_404(daraja: Daraja) -> None:
    daraja.token = "made-up"
    answer = daraja.push()
    assert (answer.status_code, answer.json()["errorCode"]) == (404, "404.001.03")
    assert answer.json()["errorMessage"] == "Invalid Access Token"
    daraja.login()
    daraja.sim("tokens/revoke")
    assert daraja.push().status_code == 404


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("BusinessShortCode", "abc", "BusinessShortCode"),
        ("Timestamp", "2026", "Timestamp"),
        ("Timestamp", "20261399000000", "Timestamp"),
        ("TransactionType", "PayBill", "TransactionType"),
        ("Amount", "12.50", "Amount"),
        ("Amount", 12.5, "Amount"),
        ("Amount", "0", "Amount"),
        ("Amount", True, "Amount"),
        ("PhoneNumber", "0700000001", "PhoneNumber"),
        ("PhoneNumber", "+254700000001", "PhoneNumber"),
        ("PartyA", "", "PartyA"),
        ("PartyB", "999999", "PartyB"),
        ("AccountReference", "1234567890123", "AccountReference"),
        ("AccountReference", "", "AccountReference"),
        ("TransactionDesc", None, "Remarks"),
        ("TransactionDesc", "fourteen signs", "TransactionDesc"),
        ("CallBackURL", "http://example.com/x", "CallBackURL"),
        ("CallBackURL", "https://example.com/mpesa/x", "CallBackURL"),
        ("CallBackURL", "https://example.com/EXECutive", "CallBackURL"),
        ("CallBackURL", "not a url", "CallBackURL"),
    ],
)
def test_a_wrong_field_is_named(daraja: Daraja, field: str, value: object, named: str) -> None:
    answer = daraja.push(**{field: value})
    assert answer.status_code == 400
    assert answer.json()["errorCode"] == "400.002.02"
    assert answer.json()["errorMessage"] == f"Bad Request - Invalid {named}"
    assert set(answer.json()) == {"requestId", "errorCode", "errorMessage"}


def test_a_body_that_is_no_object(daraja: Daraja) -> None:
    daraja.login()
    answer = requests.post(
        f"{daraja.url}/mpesa/stkpush/v1/processrequest",
        data="[1",
        headers={"Authorization": f"Bearer {daraja.token}"},
        timeout=5,
    )
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [("Password", "bm9wZQ==", "Wrong credentials"), ("BusinessShortCode", "174379", "Merchant does not exist")],
)
def test_wrong_credentials_are_500(daraja: Daraja, field: str, value: str, message: str) -> None:
    answer = daraja.push(**{field: value})
    assert answer.status_code == 500
    assert (answer.json()["errorCode"], answer.json()["errorMessage"]) == ("500.001.1001", message)


def test_unknown_paths_and_methods_speak_the_same_envelope(daraja: Daraja) -> None:
    assert requests.get(f"{daraja.url}/nowhere", timeout=5).json()["errorCode"] == "404.001.01"
    answer = requests.get(f"{daraja.url}/mpesa/stkpush/v1/processrequest", timeout=5)
    assert (answer.status_code, answer.json()["errorCode"]) == (405, "405.001")
