"""The addresses at which M-Pesa reaches us. They hold the secret, and none of the words that Daraja forbids."""

from core.config import Settings


def callback_urls(settings: Settings) -> dict[str, str]:
    """Name -> URL to register; `mpesa_stk` is the pattern of those made anew for each push."""
    return {
        "mpesa_validation": f"{_base(settings)}/paybill/validation",
        "mpesa_confirmation": f"{_base(settings)}/paybill/confirmation",
        "mpesa_stk": push_callback(settings, "{token}"),
    }


def push_callback(settings: Settings, token: str) -> str:
    """Where the outcome of the push with this token is to be sent."""
    return f"{_base(settings)}/stk/{token}"


def _base(settings: Settings) -> str:
    return f"{settings.public_base_url.rstrip('/')}/callbacks/{settings.secrets_of('mpesa')[0]}"
