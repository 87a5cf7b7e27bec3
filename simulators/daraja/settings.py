"""What a simulated Daraja is told by its environment."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DarajaSettings:
    """Field `passkey` is the variable SIM_PASSKEY, and so on. Amounts are whole Kenyan shillings, as Daraja's are."""

    consumer_key: str = "simulator-key"
    consumer_secret: str = "simulator-secret"  # noqa: S105  # stands for nothing
    passkey: str = "bfb279f9aa9bdbcf158e97dd71a467cd2e0c893059b10f78e6b72ada1ed2c919"
    shortcode: str = "600100"
    till: str = ""
    """The till of that short code, for CustomerBuyGoodsOnline; empty: it has none."""
    initiator: str = "api-operator"
    initiator_password: str = "Safaricom123!"  # noqa: S105  # stands for nothing
    certificate_file: str = ""
    """Where to write the certificate that the initiator's password is to be encrypted for; empty: nowhere."""
    business_name: str = "MAJI SAFI WATER"
    pin: str = "1234"
    opening_balance: int = 5000
    push_delay_s: float = 0.5
    prompt_s: float = 60.0
    callback_delay_s: float = 1.0
    repeat_window_s: float = 120.0
    """The same amount from the same phone again within this is refused with code 17; 0 never refuses."""
    validation_url: str = ""
    confirmation_url: str = ""
