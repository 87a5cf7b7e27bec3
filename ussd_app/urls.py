"""Every address to register at the gateways and providers."""

from core.config import Settings
from payments.urls import callback_urls as payment_urls

USSD_GATEWAYS = {"ussd": "africastalking", "ussd_hubtel": "hubtel", "ussd_advanta": "advanta"}


def callback_urls(settings: Settings) -> dict[str, str]:
    """Name -> URL. They hold each gateway's present secret, so they are shown to the operator alone."""
    ussd = (settings.ussd_url or settings.public_base_url).rstrip("/")
    sms, infobip = (
        f"{settings.public_base_url.rstrip('/')}/sms/{settings.secrets_of(each)[0]}/{each}"
        for each in ("africastalking", "infobip")
    )
    steps = {name: f"{ussd}/ussd/{settings.secrets_of(each)[0]}/{each}" for name, each in USSD_GATEWAYS.items()}
    return {
        **steps,
        "ussd_events": f"{steps['ussd']}/events",
        "sms_inbound": f"{sms}/inbound",
        "sms_delivery": f"{sms}/delivery",
        "sms_opt_out": f"{sms}/opt-out",
        "sms_infobip_inbound": f"{infobip}/inbound",
        "sms_infobip_delivery": f"{infobip}/delivery",
        **payment_urls(settings),
    }
