"""The addresses at which providers reach us. They hold the secret, and none of the words that Daraja forbids."""

from core.config import Settings
from payments.wallets import mpesa
from payments.wallets.registry import switched_on

FORBIDDEN = ("mpesa", "m-pesa", "safaricom", "exe", "cmd", "sql", "query")
"""No address of ours may contain these, in any case (Daraja 3.0, "Customer To Business")."""


def callback_urls(settings: Settings) -> dict[str, str]:
    """Name -> URL to register; those with `{token}` are the pattern of what is made anew for each attempt.

    MTN's portal is told the host alone (`providerCallbackHost`), Airtel's one address for all, without a token.
    """
    base = _base(settings, mpesa.NAME)
    urls = {"mpesa_validation": f"{base}/paybill/validation", "mpesa_confirmation": f"{base}/paybill/confirmation"}
    names = {mpesa.NAME: "mpesa_stk"}
    for wallet in switched_on(settings):
        token = "{token}" if wallet.facts.callback_has_token else ""
        urls[names.get(wallet.name, wallet.name)] = callback_url(settings, wallet.name, token)
    return urls


def callback_url(settings: Settings, provider: str, token: str) -> str:
    """Where the outcome of the attempt with this token is to be sent."""
    road = "stk" if provider == mpesa.NAME else f"wallet/{provider}"
    return f"{_base(settings, provider)}/{road}/{token}".rstrip("/")


def result_urls(settings: Settings, token: str) -> tuple[str, str]:
    """Where the result of an M-Pesa operation is to be sent, and where it is said that it waited too long."""
    base = _base(settings, mpesa.NAME)
    return f"{base}/result/{token}", f"{base}/late/{token}"


def pull_url(settings: Settings) -> str:
    """The address that registering Pull Transactions asks for. The list itself is always fetched by us."""
    return f"{_base(settings, mpesa.NAME)}/paybill/confirmation"


def objection(url: str) -> str | None:
    """Why Daraja would refuse this address, in words; None where it would not. Development may use HTTP."""
    words = [word for word in FORBIDDEN if word in url.lower()]
    if words:
        return f"it contains {words[0]!r}, which Daraja forbids: choose another GATEWAY_SECRET or PUBLIC_BASE_URL"
    return None if url.startswith("https://") else "Daraja wants HTTPS: set PUBLIC_BASE_URL"


def _base(settings: Settings, provider: str) -> str:
    return f"{settings.public_base_url.rstrip('/')}/callbacks/{settings.secrets_of(provider)[0]}"
