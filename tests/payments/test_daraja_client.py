"""The client alone: what it writes, what it makes of answers that nobody documents, and one token for many threads."""

import base64
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.clock import frozen, now
from core.config import Settings
from payments.daraja import Daraja
from payments.daraja_answers import Registered
from payments.daraja_credential import Initiator, NoCertificate
from payments.mpesa_results import CAUSES, FAILED
from payments.wallets.protocol import Accepted, Refused, Unknown
from simulators.daraja.keys import Keys
from simulators.daraja.settings import DarajaSettings
from tests.payments.answering import PULL, PUSH, QUERY, Server, error
from tests.payments.paying import PHONE

REGISTER = "/mpesa/c2b/v2/registerurl"
TAKEN = (200, {"ResponseCode": "0", "MerchantRequestID": "m", "CheckoutRequestID": "ws_CO_9"})
URL = "https://pay.example.org/callbacks/s/stk/t"


@pytest.fixture
def client(server: Server, settings: Settings) -> Daraja:
    return Daraja(server.url, "key", "secret", "600100", "passkey", "700200")


def test_a_till_is_paid_at_the_till_and_signed_for_its_store(server: Server, client: Daraja) -> None:
    server.answers[PUSH] = [TAKEN]
    assert isinstance(client.stk_push(PHONE, 500, "1000017", URL), Accepted)
    ((_path, body),) = [one for one in server.asked if one[0] == PUSH]
    assert (body["TransactionType"], body["PartyB"], body["BusinessShortCode"]) == (
        "CustomerBuyGoodsOnline", "700200", "600100",
    )  # fmt: skip
    assert base64.b64decode(body["Password"]).decode() == f"600100passkey{body['Timestamp']}"


def test_what_is_too_long_for_the_prompt_is_cut(server: Server, client: Daraja) -> None:
    server.answers[PUSH] = [TAKEN]
    client.stk_push(PHONE, 500, "1234567890123456", URL, "Water for a very long time")
    body = server.asked[-1][1]
    assert (body["AccountReference"], body["TransactionDesc"]) == ("123456789012", "Water for a v")


def test_the_time_is_nairobis_also_after_its_midnight(server: Server, client: Daraja) -> None:
    server.answers[PUSH], server.answers[PULL] = [TAKEN], [(200, {"ResponseCode": "1001", "Response": [[]]})]
    with frozen(datetime(2026, 12, 31, 21, 0, 5, tzinfo=UTC)):
        client.stk_push(PHONE, 500, "1", URL)
        client.pull(now() - timedelta(hours=1), now())
    push, pull = server.asked[-2][1], server.asked[-1][1]
    assert push["Timestamp"] == "20270101000005"
    assert (pull["StartDate"], pull["EndDate"]) == ("2026-12-31 23:00:05", "2027-01-01 00:00:05")


def test_one_token_for_a_burst(server: Server, client: Daraja) -> None:
    server.answers[PUSH] = [TAKEN] * 20
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: client.stk_push(PHONE, 500, "1", URL), range(20)))
    assert all(isinstance(answer, Accepted) for answer in answers)
    assert [path for path, _body in server.asked].count("token") == 1


def test_a_token_that_ends_in_the_burst_is_fetched_once_more(server: Server, client: Daraja) -> None:
    server.answers[PUSH] = [TAKEN]
    client.stk_push(PHONE, 500, "1", URL)
    server.answers[PUSH] = [(404, error("404.001.03", "Invalid Access Token")), TAKEN]
    assert isinstance(client.stk_push(PHONE, 500, "1", URL), Accepted)
    server.answers[PUSH] = [(404, error("404.001.03", "Invalid Access Token"))] * 2
    assert isinstance(client.stk_push(PHONE, 500, "1", URL), Refused)  # and never a third time
    assert [path for path, _body in server.asked].count("token") == 3


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            (500, error("500.001.1001", "Unable to lock subscriber, a transaction is already in process")),
            ("1001", "busy"),
        ),
        ((500, error("500.001.1001", "Wrong credentials")), ("500.001.1001", "other")),
        ((500, error("500.003.02", "System is busy. Please try again in few minutes.")), ("500.003.02", "other")),
        ((429, error("429", "Spike arrest violation")), ("429", "other")),
        ((400, error("400.002.02", "Bad Request - Invalid Amount")), ("400.002.02", "other")),
    ],
)
def test_what_was_surely_not_begun(
    server: Server, client: Daraja, answer: tuple[int, Any], expected: tuple[str, str]
) -> None:
    server.answers[PUSH] = [answer]
    refused = client.stk_push(PHONE, 500, "1", URL)
    assert isinstance(refused, Refused)
    assert (refused.code, CAUSES.get(refused.code, "other")) == expected


@pytest.mark.parametrize(
    "answer", [(500, error("500.001.1001", "?")), (500, error("500.003.1001", "Internal Server Error")), (302, ""),
               (400, ""), (200, {"ResponseCode": "1"}), (503, "<html>")],
)  # fmt: skip
def test_what_is_not_understood_is_unknown(server: Server, client: Daraja, answer: tuple[int, Any]) -> None:
    server.answers[PUSH] = [answer]
    assert isinstance(client.stk_push(PHONE, 500, "1", URL), Unknown)
    assert [path for path, _body in server.asked].count(PUSH) == 1


def test_nobody_at_the_address_is_surely_nothing_begun() -> None:
    assert isinstance(Daraja("http://127.0.0.1:9", "k", "s", "600100", "p").stk_push(PHONE, 5, "1", URL), Refused)


@pytest.mark.parametrize("code", ["9999", "E3008", "", "4999x", "0000"])
def test_a_code_that_nobody_knows_is_no_failure(server: Server, client: Daraja, code: str) -> None:
    assert code not in FAILED
    server.answers[QUERY] = [(200, {"ResponseCode": "0", "ResultCode": code, "ResultDesc": "-"})]
    assert isinstance(client.stk_query("ws_CO_9"), Unknown)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ((200, {"ResponseCode": "0", "ResponseDescription": "Success"}), Registered(before=False)),
        ((500, error("500.003.1001", "Urls are already registered")), Registered(before=True)),
        ((200, {"ResponseStatus": "1001", "ResponseDescription": "already"}), Registered(before=True)),
        ((400, error("400.003.02", "Bad Request - Invalid ResponseType")), Refused),
        ((500, error("500.003.1001", "Internal Server Error")), Unknown),
    ],
)
def test_registering(server: Server, client: Daraja, answer: tuple[int, Any], expected: object) -> None:
    server.answers[REGISTER] = [answer]
    said = client.register_urls("https://x.org/v", "https://x.org/c", completes=True)
    assert said == expected if isinstance(expected, Registered) else isinstance(said, expected)  # type: ignore[arg-type]
    assert server.asked[-1][1]["ResponseType"] == "Completed"


def test_the_password_is_readable_by_the_certificate_alone(tmp_path: Path) -> None:
    file = tmp_path / "daraja.cer"
    keys = Keys(DarajaSettings(initiator_password="s3cret", certificate_file=str(file)))
    initiator = Initiator("api", "s3cret", file)
    first, second = initiator.credential(), initiator.credential()
    assert keys.opens(first)
    assert first != second  # the padding is random
    assert "s3cret" not in repr(initiator)


@pytest.mark.parametrize("content", [None, b"", b"-----BEGIN CERTIFICATE-----\nx"])
def test_a_certificate_that_is_none(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "daraja.cer"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(NoCertificate, match="DARAJA_CERTIFICATE"):
        Initiator("api", "x", file).credential()
