"""What a customer reads of her payment fits one SMS, in each language and with the widest values."""

from typing import get_args

import pytest

from core.i18n import LANGUAGES, say
from core.money import Money
from core.text import sms_parts
from payments.texts import failure_text, receipt_text
from payments.wallets.protocol import Cause

ACCOUNT, PAYBILL = "1000017", "6001000"
MOST = Money.of(250_000)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("balance", ["1234567.89", "0", "-1234567.89"])
def test_a_receipt_is_one_sms(language: str, balance: str) -> None:
    said = sms_parts(say(receipt_text(MOST, ACCOUNT, "NLJ7RT61SV", Money.of(balance)), language))
    assert (said.encoding, said.parts) == ("GSM-7", 1)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("paybill", [PAYBILL, ""])
@pytest.mark.parametrize("cause", get_args(Cause))
def test_a_failure_is_one_sms(language: str, cause: Cause, paybill: str) -> None:
    said = sms_parts(say(failure_text(cause, MOST, ACCOUNT, paybill, "airtel"), language))
    assert (said.encoding, said.parts) == ("GSM-7", 1)
