"""One instance as its processes see it: the environment each is given, and the command lines of all."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from phonenumbers import country_code_for_region

from core.config import Settings, variable
from ussd_app.embedded.folder import ROOT, DataFolder
from ussd_app.embedded.program import Program
from ussd_app.embedded.servers import Servers

PYTHON = (sys.executable, "-m")

SERVERS = ("postgres", "valkey")
SERVICE = ("web", "ussd", "worker", "relay", "clock")
SIMULATORS = ("phone_network", "daraja", "mtn", "airtel")


@dataclass(frozen=True)
class Instance:
    """A data folder with its servers and its port. The simulators and the USSD pool have the five that follow."""

    folder: DataFolder
    servers: Servers
    port: int
    environ: Mapping[str, str]
    """What the caller has set; it wins over what we would choose."""

    @property
    def development(self) -> bool:
        return self.environ.get("MITA_ENV", "development") == "development"

    @property
    def ports(self) -> dict[str, int]:
        ports = {"web": self.port, "ussd": self.port + 3}
        if self.development:
            ports |= {"phone_network": self.port + 1, "daraja": self.port + 2}
            ports |= {"mtn": self.port + 4, "airtel": self.port + 5}
        return ports

    def url(self, process: str = "web") -> str:
        return f"http://127.0.0.1:{self.ports[process]}"

    @property
    def certificate(self) -> str:
        """Where the simulated Daraja writes its certificate; never the file of a real one."""
        return str(self.folder.path / "daraja.pem")

    def settings(self) -> dict[str, str]:
        """The product's settings: the secrets of the folder, its servers, and in development the simulators."""
        secrets = self.folder.secrets()
        chosen = {
            "MITA_ENV": "development",
            "SECRET_KEY": secrets["secret_key"],
            "GATEWAY_SECRET": secrets["gateway_secret"],
            "PUBLIC_BASE_URL": self.url(),
        }
        if not self.environ.get("PUBLIC_BASE_URL"):  # else it is a proxy's business which pool gets what
            chosen["USSD_URL"] = self.url("ussd")
        if self.development:
            chosen |= {
                "DEMO": "1",
                "AT_API_KEY": secrets["at_api_key"],
                "AT_BASE_URL": f"{self.url('phone_network')}/version1",
                "DARAJA_BASE_URL": self.url("daraja"),
                "MPESA_CONSUMER_KEY": secrets["mpesa_consumer_key"],
                "MPESA_CONSUMER_SECRET": secrets["mpesa_consumer_secret"],
                "MPESA_PASSKEY": secrets["mpesa_passkey"],
                "MPESA_INITIATOR": "mita-demo",
                "MPESA_INITIATOR_PASSWORD": secrets["mpesa_consumer_secret"],
                "MPESA_PULL_NUMBER": "254700000000",
                "DARAJA_CERTIFICATE": self.certificate,
                # Simulators know no real account: the keys of one will do for all.
                "MTN_BASE_URL": self.url("mtn"),
                "MTN_API_USER": "mita-demo",
                "MTN_API_KEY": secrets["mpesa_consumer_secret"],
                "MTN_SUBSCRIPTION_KEY": secrets["mpesa_consumer_key"],
                "AIRTEL_BASE_URL": self.url("airtel"),
                "AIRTEL_CLIENT_ID": secrets["mpesa_consumer_key"],
                "AIRTEL_CLIENT_SECRET": secrets["mpesa_consumer_secret"],
            }
        names = {variable(f.name) for f in fields(Settings)}
        given = {name: value for name, value in self.environ.items() if name in names and value}
        urls = {"DATABASE_URL": self.servers.database_url, "REDIS_URL": self.servers.redis_url}
        return {**chosen, **given, **urls}

    def product(self) -> Settings:
        """The same, read and checked. Raises SettingsError."""
        return Settings.from_env(self.settings())

    def base(self) -> dict[str, str]:
        """The caller's environment without any setting of the product."""
        names = {variable(f.name) for f in fields(Settings)} | {"PORT", "BIND"}
        return {**{k: v for k, v in self.environ.items() if k not in names}, "PYTHONUNBUFFERED": "1"}

    def service(self) -> list[Program]:
        """The processes of the Procfile."""
        environ = {**self.base(), **self.settings()}
        web = Program(
            "web",
            [*PYTHON, "gunicorn", "-c", "gunicorn.conf.py", "ussd_app.wsgi:app"],
            {**environ, "BIND": f"127.0.0.1:{self.port}"},
            ROOT,
            ready=self.serves,
        )
        ussd = replace(
            self.command("ussd", "ussd"),
            environ={**environ, "BIND": f"127.0.0.1:{self.ports['ussd']}"},
            ready=lambda: is_ready(self.ports["ussd"]),
        )
        rest = [self.command(name, name) for name in ("worker", "relay", "clock")]
        return [web, ussd, *rest]

    def command(self, name: str, *words: str) -> Program:
        """A `mita` command as a process of this instance."""
        return Program(name, [*PYTHON, "ussd_app.cli", *words], {**self.base(), **self.settings()}, ROOT)

    def simulators(self, callbacks: Mapping[str, str]) -> list[Program]:
        """The outside world; none of it in production. It is given URLs and keys, never the product's own secrets."""
        if not self.development:
            return []
        ours = self.product()
        network = {
            "SIM_USSD_URL": callbacks["ussd"],
            "SIM_USSD_EVENTS_URL": callbacks["ussd_events"],
            "SIM_SMS_INBOUND_URL": callbacks["sms_inbound"],
            "SIM_SMS_DELIVERY_URL": callbacks["sms_delivery"],
            "SIM_SERVICE_CODE": ours.service_code,
            "SIM_SHORT_CODE": ours.sms_short_code,
            "SIM_DARAJA_URL": self.url("daraja"),
            "SIM_MTN_URL": self.url("mtn"),
            "SIM_AIRTEL_URL": self.url("airtel"),
            "SIM_DEMO_URL": f"{self.url()}/demo/{ours.gateway_secret}",
            "SIM_AT_API_KEY": ours.at_api_key,
        }
        daraja = {
            "SIM_CONSUMER_KEY": ours.mpesa_consumer_key,
            "SIM_CONSUMER_SECRET": ours.mpesa_consumer_secret,
            "SIM_PASSKEY": ours.mpesa_passkey,
            "SIM_SHORTCODE": ours.mpesa_shortcode,
            "SIM_TILL": ours.mpesa_till,
            "SIM_INITIATOR": ours.mpesa_initiator,
            "SIM_INITIATOR_PASSWORD": ours.mpesa_initiator_password,
            "SIM_CERTIFICATE_FILE": self.certificate,
            "SIM_VALIDATION_URL": callbacks["mpesa_validation"],
            "SIM_CONFIRMATION_URL": callbacks["mpesa_confirmation"],
        }
        mtn, airtel = self._wallets(ours, callbacks)
        told = {"phone_network": network, "daraja": daraja, "mtn": mtn, "airtel": airtel}
        return [self._simulator(name, told[name]) for name in SIMULATORS]

    def _wallets(self, ours: Settings, callbacks: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
        """What the simulated MTN and Airtel are told."""
        country = ours.airtel_country or ours.region
        place = {"SIM_COUNTRY": country, "SIM_COUNTRY_CODE": str(country_code_for_region(country))}
        mtn = {
            "SIM_API_USER": ours.mtn_api_user,
            "SIM_API_KEY": ours.mtn_api_key,
            "SIM_SUBSCRIPTION_KEY": ours.mtn_subscription_key,
            "SIM_TARGET_ENVIRONMENT": ours.mtn_target_environment,
            "SIM_CURRENCY": ours.mtn_currency or ours.currency,
            "SIM_CALLBACK_HOST": urlsplit(ours.public_base_url).hostname or "",
        }
        airtel = {
            "SIM_CLIENT_ID": ours.airtel_client_id,
            "SIM_CLIENT_SECRET": ours.airtel_client_secret,
            "SIM_CURRENCY": ours.airtel_currency or ours.currency,
            "SIM_HASH_KEY": ours.airtel_hash_key,
            "SIM_CALLBACK_URL": callbacks["airtel"],
        }
        return {**place, **mtn}, {**place, **airtel}

    def _simulator(self, name: str, told: Mapping[str, str]) -> Program:
        place = {"SIM_HOST": "127.0.0.1", "SIM_PORT": str(self.ports[name]), "MITA_ENV": "development"}
        return Program(name, [*PYTHON, f"simulators.{name}"], {**self.base(), **place, **told}, ROOT)

    def serves(self) -> bool:
        """Whether /readyz says that all is well."""
        return is_ready(self.port)


def is_ready(port: int) -> bool:
    """Whether the service on 127.0.0.1:`port` has all that it needs."""
    line = HTTPConnection("127.0.0.1", port, timeout=3)
    try:
        line.request("GET", "/readyz")
        return line.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        line.close()
