"""What a simulated MTN is told by its environment."""

from dataclasses import dataclass

from simulators.momo.settings import MomoSettings


@dataclass(frozen=True, slots=True)
class MtnSettings(MomoSettings):
    """`callback_host` is the one host that callbacks may name, as registered with the API user; "" takes any."""

    subscription_key: str = "simulator-subscription"
    api_user: str = "8b1d6d0e-0e5b-4c7e-9a53-2f9c3c4b7a10"
    api_key: str = "simulator-key"
    target_environment: str = "sandbox"
    callback_host: str = ""
    callback_method: str = "PUT"
