"""What a simulated Airtel is told by its environment."""

from dataclasses import dataclass

from simulators.momo.settings import MomoSettings


@dataclass(frozen=True, slots=True)
class AirtelSettings(MomoSettings):
    """`callback_url` is the one that the portal knows, "" tells nobody; `hash_key` signs what is sent there."""

    client_id: str = "simulator-client"
    client_secret: str = "simulator-secret"  # noqa: S105  # stands for nothing
    country: str = "KE"
    token_s: float = 180.0
    callback_url: str = ""
    hash_key: str = ""
