"""Every address to register at the gateways and providers."""

from core.config import Settings
from payments.urls import callback_urls as payment_urls


def callback_urls(settings: Settings) -> dict[str, str]:
    """Name -> URL. They hold the secret, so they are shown to the operator alone."""
    base, secret = settings.public_url.rstrip("/"), settings.gateway_secret
    return {
        "ussd": f"{base}/ussd/{secret}/africastalking",
        "ussd_events": f"{base}/ussd/{secret}/africastalking/events",
        "sms_inbound": f"{base}/sms/{secret}/africastalking/inbound",
        "sms_delivery": f"{base}/sms/{secret}/africastalking/delivery",
        **payment_urls(settings),
    }
