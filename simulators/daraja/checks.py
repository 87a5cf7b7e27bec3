"""Reading and checking what a utility sends, as strictly as Daraja does."""

import base64
import hmac
import ipaddress
import re
import secrets
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlsplit

from simulators.daraja.bank import NAIROBI
from simulators.daraja.errors import NO_SUCH_MERCHANT, WRONG_CREDENTIALS, DarajaError, invalid
from simulators.daraja.prompts import Push
from simulators.daraja.settings import DarajaSettings

FORBIDDEN_IN_URL = ("mpesa", "m-pesa", "safaricom", "exe", "exec", "cmd", "sql", "query")
BUY_GOODS = "CustomerBuyGoodsOnline"
TYPES = ("CustomerPayBillOnline", BUY_GOODS)

Body = Mapping[str, object]


def check_merchant(body: Body, settings: DarajaSettings) -> None:
    """The shortcode, the timestamp, and the password made of both and the passkey. Raises DarajaError."""
    shortcode = said(body, "BusinessShortCode")
    if not re.fullmatch(r"\d{5,7}", shortcode):
        raise invalid("BusinessShortCode")
    timestamp = said(body, "Timestamp")
    if not _is_timestamp(timestamp):
        raise invalid("Timestamp")
    if shortcode != settings.shortcode:
        raise DarajaError(*NO_SUCH_MERCHANT)
    expected = base64.b64encode(f"{shortcode}{settings.passkey}{timestamp}".encode())
    if not hmac.compare_digest(said(body, "Password").encode(), expected):
        raise DarajaError(*WRONG_CREDENTIALS)


def read_push(body: Body, settings: DarajaSettings) -> Push:
    """The push of a body that passed `check_merchant`. Raises DarajaError for the first wrong field."""
    if body.get("TransactionType") not in TYPES:
        raise invalid("TransactionType")
    amount = _amount(body.get("Amount"))
    phone = said(body, "PhoneNumber")
    for name in ("PartyA", "PhoneNumber"):
        if not re.fullmatch(r"254[17]\d{8}", said(body, name)):
            raise invalid(name)
    paid_at = settings.till if body["TransactionType"] == BUY_GOODS else settings.shortcode
    if not paid_at or said(body, "PartyB") != paid_at:
        raise invalid("PartyB")
    url = said(body, "CallBackURL")
    if not is_callback_url(url):
        raise invalid("CallBackURL")
    account = said(body, "AccountReference")
    if not 1 <= len(account) <= 12:
        raise invalid("AccountReference")
    description = said(body, "TransactionDesc")
    if not description:
        raise invalid("Remarks")
    if len(description) > 13:
        raise invalid("TransactionDesc")
    return Push(_checkout_id(phone), _merchant_id(), phone, amount, account, description, url)


def is_callback_url(url: str) -> bool:
    """HTTPS without Daraja's forbidden words; plain HTTP only to a private address (development)."""
    if any(word in url.lower() for word in FORBIDDEN_IN_URL):
        return False
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    if not host:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_private(host))


def _is_private(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return "." not in host


def said(body: Body, name: str) -> str:
    """The value as Daraja reads it: a string, or a whole number in its place."""
    value = body.get(name)
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def _amount(value: object) -> int:
    text = said({"Amount": value}, "Amount")
    if not re.fullmatch(r"\d{1,9}", text) or int(text) < 1:
        raise invalid("Amount")
    return int(text)


def _is_timestamp(text: str) -> bool:
    if not re.fullmatch(r"\d{14}", text):
        return False
    try:
        datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=NAIROBI)
    except ValueError:
        return False
    return True


def _checkout_id(phone: str) -> str:
    now = datetime.now(NAIROBI)
    return f"ws_CO_{now:%d%m%Y%H%M%S}{now.microsecond // 1000:03d}{phone[3:]}"


def _merchant_id() -> str:
    return f"{secrets.token_hex(2)}-{secrets.token_hex(2)}-{secrets.token_hex(2)}-{secrets.token_hex(8)}"
