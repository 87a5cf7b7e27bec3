"""What any of these simulators is told by its environment."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MomoSettings:
    """Field `opening_balance` is the variable SIM_OPENING_BALANCE, and so on. Amounts are in whole units."""

    currency: str = "KES"
    country_code: str = "254"
    business_name: str = "MAJI SAFI WATER"
    pin: str = "1234"
    opening_balance: int = 5000
    most: int = 150_000
    push_delay_s: float = 0.5
    prompt_s: float = 60.0
    callback_delay_s: float = 1.0
    token_s: float = 3600.0
