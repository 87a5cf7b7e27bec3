"""What the simulated phone network is told by its environment."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    """Field `ussd_url` is the variable SIM_USSD_URL, and so on. An empty URL means that nobody is told."""

    ussd_url: str = "http://127.0.0.1:8000/ussd"
    ussd_events_url: str = ""
    sms_inbound_url: str = ""
    sms_delivery_url: str = ""
    service_code: str = "*384*7#"
    short_code: str = "20880"
    at_api_key: str = "simulator-key"
    daraja_url: str = "http://127.0.0.1:8002"
    mtn_url: str = ""
    airtel_url: str = ""
    demo_url: str = ""
    answer_within_s: float = 10.0
    session_s: float = 180.0
    report_delay_s: float = 0.6
    retry_after_s: float = 1.0

    @property
    def wallets(self) -> dict[str, str]:
        """The simulated providers of mobile money by name, and where they are."""
        known = {"mpesa": self.daraja_url, "mtn": self.mtn_url, "airtel": self.airtel_url}
        return {name: url for name, url in known.items() if url}


@dataclass(frozen=True, slots=True)
class Network:
    """An operator: how many septets its USSD screens hold, and characters its subscribers may answer."""

    code: str
    name: str
    screen: int
    answer: int


NETWORKS = (
    Network("63902", "Safaricom", 160, 80),
    Network("63903", "Airtel", 182, 90),
    Network("63907", "Telkom", 182, 90),
    Network("63999", "Equitel", 182, 90),
)


def network_of(code: str) -> Network | None:
    return next((network for network in NETWORKS if network.code == code), None)
