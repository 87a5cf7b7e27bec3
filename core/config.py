"""Every setting, read from the environment once. `./mita settings` prints this table."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any

from core import gates, message_window
from core.i18n import LANGUAGES


class SettingsError(ValueError):
    """The environment does not make a service that can run; the message says which variable and why."""


def _setting(default: Any, what: str, *, secret: bool = False) -> Any:
    return field(default=default, metadata={"what": what, "secret": secret})


@dataclass(frozen=True, slots=True)
class Settings:
    """Field `database_url` is the variable DATABASE_URL, and so on for all but `env`, which is MITA_ENV."""

    env: str = _setting("production", "`development` or `production`")
    demo: bool = _setting(False, "Serve the handset page's view of the books; development only")
    database_url: str = _setting("", "PostgreSQL, as postgresql://user:password@host:port/name", secret=True)
    redis_url: str = _setting("", "Redis or Valkey, as redis://:password@host:port/0", secret=True)
    secret_key: str = _setting("", "Signs the office's cookies; at least 32 random characters", secret=True)
    gateway_secret: str = _setting("", "Stands in every callback URL; at least 16 random characters", secret=True)
    gateway_secrets: str = _setting(
        "",
        "Secrets of single gateways instead, the present one first, those still accepted behind it: "
        "`hubtel:new,old;advanta:other`",
        secret=True,
    )
    gateway_secrets_old: str = _setting(
        "", "Earlier values of GATEWAY_SECRET that are still accepted, separated by commas", secret=True
    )
    gateway_sources: str = _setting(
        "", "Addresses that a gateway may call from: `hubtel:1.2.3.4,5.6.7.0/24`; not listed: any"
    )
    trusted_proxies: str = _setting("127.0.0.1,::1", "Our own proxies, whose X-Forwarded-For is believed")
    public_base_url: str = _setting("http://127.0.0.1:8000", "Where gateways and providers reach this service")
    ussd_url: str = _setting("", "Where USSD gateways reach the pool of their own; empty: PUBLIC_BASE_URL")

    utility_name: str = _setting("Maji Safi Water", "As customers know the utility")
    utility_zone: str = _setting("Africa/Nairobi", "Time zone of bills and screens")
    currency: str = _setting("KES", "Currency of tariffs and payments (ISO 4217)")
    region: str = _setting("KE", "Country whose way of writing phone numbers is understood (ISO 3166)")
    default_language: str = _setting("en", "Language of those who have not chosen one")
    logo: str = _setting("", "A PNG or JPEG file with the utility's logo, for invoices on paper")
    service_code: str = _setting("*384*7#", "The USSD code that customers dial")
    sms_short_code: str = _setting("20880", "The number that customers text")

    languages: str = _setting(",".join(LANGUAGES), "Languages that customers may choose, in this order")
    nav_keys: str = _setting("0,00,98", "What one types for Back, Home and More; options are numbered around them")
    link_approval: bool = _setting(False, "The office approves it before a phone speaks for a connection")

    at_username: str = _setting("sandbox", "Africa's Talking user name")
    at_api_key: str = _setting("", "Africa's Talking API key", secret=True)
    at_base_url: str = _setting("", "Another address of its API, ending in /version1; empty: the package's own")
    sms_sender: str = _setting("", "Sender id or short code of outgoing messages; empty: the account's default")

    sms_gateway: str = _setting("africastalking", "Which gateway carries messages out: `africastalking` or `infobip`")
    sms_window: str = _setting("08:00-20:00", "Hours, in the utility's zone, for bills, alerts and bulk messages")
    sms_rate: float = _setting(50.0, "Messages a second that the gateway takes from us")
    sms_price: str = _setting("0.80", "Price of one part of an SMS, in the utility's currency; for estimates")
    infobip_base_url: str = _setting("", "The account's own address at Infobip, such as https://xxxxx.api.infobip.com")
    infobip_api_key: str = _setting("", "Infobip API key", secret=True)

    daraja_base_url: str = _setting("https://sandbox.safaricom.co.ke", "Daraja's address")
    daraja_certificate: str = _setting("", "Daraja's certificate (a .cer or .pem file), for the initiator's password")
    mpesa_consumer_key: str = _setting("", "Daraja consumer key", secret=True)
    mpesa_consumer_secret: str = _setting("", "Daraja consumer secret", secret=True)
    mpesa_shortcode: str = _setting("600100", "The PayBill number; of a till, its head office or store number")
    mpesa_till: str = _setting("", "The till (Buy Goods) that is paid; empty: the PayBill number")
    mpesa_passkey: str = _setting("", "Passkey of the short code", secret=True)
    mpesa_initiator: str = _setting("", "Name of the API operator that asks for status, balance and reversals")
    mpesa_initiator_password: str = _setting("", "Password of the API operator", secret=True)
    mpesa_pull_every_s: float = _setting(600.0, "Seconds between two readings of M-Pesa's own list of payments")
    mpesa_pull_number: str = _setting(
        "", "The number that is nominated where Pull Transactions is registered, as 2547.."
    )
    approval_limit: str = _setting("5000", "Transfers and refunds above this wait for a second person; in the currency")
    offices: str = _setting("HQ:Head office", "Offices that take payments, `code:name`, separated by commas")
    bank_accounts: str = _setting("Main", "The utility's bank accounts whose statements are read, separated by commas")

    mpesa_push_delay_s: float = _setting(3.0, "Seconds between the end of a conversation and the PIN prompt")

    mtn_base_url: str = _setting("https://sandbox.momodeveloper.mtn.com", "MTN MoMo's address")
    mtn_subscription_key: str = _setting("", "Subscription key of its Collections product", secret=True)
    mtn_api_user: str = _setting("", "Its API user; empty: nobody may pay from MTN MoMo")
    mtn_api_key: str = _setting("", "Key of the API user", secret=True)
    mtn_target_environment: str = _setting("sandbox", "Country at MTN: `sandbox`, `mtnuganda`, `mtnrwanda`")
    mtn_currency: str = _setting("", "Currency at MTN; empty: CURRENCY. Its sandbox knows EUR only")

    airtel_base_url: str = _setting(
        "https://openapiuat.airtel.africa", "Airtel Money's address, a country's own or all's"
    )
    airtel_client_id: str = _setting("", "Airtel client id; empty: nobody may pay from Airtel Money")
    airtel_client_secret: str = _setting("", "Airtel client secret", secret=True)
    airtel_country: str = _setting("", "Country at Airtel (ISO 3166); empty: REGION")
    airtel_currency: str = _setting("", "Currency at Airtel; empty: CURRENCY")
    airtel_hash_key: str = _setting("", "Key of the callbacks' hash, where the portal has it switched on", secret=True)

    limit_minutes: int = _setting(10, "Minutes within which the sessions and messages of one number are counted")
    limit_sessions: int = _setting(
        20, "USSD sessions that one number may begin within these minutes; 0: no limit. Not with DEMO"
    )
    limit_messages: int = _setting(40, "SMS of one number that are answered within these minutes; 0: no limit")
    limit_everyone: int = _setting(300_000, "Sessions and messages of all numbers in one minute; 0: no limit")

    office_idle_minutes: int = _setting(60, "An officer who does nothing for so long is logged out")
    office_login_hours: int = _setting(12, "A login ends after so long, whatever the officer does")
    second_step_roles: str = _setting(
        "", "Roles that log in with a code of their phone as well, such as `administrator,accountant`"
    )

    metrics_token: str = _setting("", "Bearer token for /metrics; empty: it answers this machine only", secret=True)

    @property
    def development(self) -> bool:
        return self.env == "development"

    def secrets_of(self, gateway: str) -> tuple[str, ...]:
        """The secrets accepted in the addresses of a gateway ("" for none in particular). URLs hold the first."""
        own = gates.secrets_by_gateway(self.gateway_secrets).get(gateway)
        return own or (self.gateway_secret, *gates.listed(self.gateway_secrets_old))

    def sources_of(self, gateway: str) -> tuple[gates.Network, ...]:
        """The networks that a gateway may call from; none for any."""
        return gates.networks_by_gateway(self.gateway_sources).get(gateway, ())

    def offered(self) -> tuple[str, ...]:
        """The languages to choose from. Raises SettingsError for one that Mita does not speak."""
        return _offered(self.languages, self.default_language)

    def navigation(self) -> tuple[str, str, str]:
        """What one types for Back, Home and More. Raises SettingsError for what cannot be typed or told apart."""
        return _navigation(self.nav_keys)

    def proxies(self) -> tuple[gates.Network, ...]:
        """Our own proxies."""
        return gates.networks(self.trusted_proxies)

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Settings":
        """Read and check the environment. Raises SettingsError naming the first variable that is wrong."""
        values: dict[str, Any] = {
            f.name: _parsed(variable(f.name), environ[variable(f.name)], f.default)
            for f in fields(cls)
            if variable(f.name) in environ
        }
        settings = cls(**values)
        settings._check()
        return settings

    def _check(self) -> None:
        if self.env not in ("development", "production"):
            raise SettingsError("MITA_ENV is 'development' or 'production'")
        for name in ("database_url", "redis_url"):
            if not getattr(self, name):
                raise SettingsError(f"{variable(name)} is not set; './mita up' sets up its own")
        for name, least in (("secret_key", 32), ("gateway_secret", 16)):
            if len(getattr(self, name)) < least:
                raise SettingsError(f"{variable(name)} needs at least {least} random characters")
        self.navigation()
        self.offered()
        self._check_gates()
        self._check_messages()
        if self.demo and not self.development:
            raise SettingsError("DEMO shows customers' data without a login; it is for MITA_ENV=development only")

    def sending_hours(self) -> message_window.SendingHours:
        """The hours of SMS_WINDOW."""
        return message_window.hours(self.sms_window, self.utility_zone)

    def _check_messages(self) -> None:
        """Raises SettingsError where messages could not be sent with these settings."""
        try:
            self.sending_hours()
        except ValueError as error:
            raise SettingsError(f"SMS_WINDOW: {error}") from None
        if self.sms_gateway not in ("africastalking", "infobip"):
            raise SettingsError("SMS_GATEWAY is 'africastalking' or 'infobip'")
        if self.sms_gateway == "infobip" and not (self.infobip_base_url and self.infobip_api_key):
            raise SettingsError("INFOBIP_BASE_URL and INFOBIP_API_KEY are not set")
        if not self.sms_rate > 0:
            raise SettingsError("SMS_RATE is above 0")
        if not self.approval_limit.replace(".", "", 1).isdecimal():
            raise SettingsError("APPROVAL_LIMIT is an amount, such as 5000")
        if not self.sms_price.replace(".", "", 1).isdecimal():
            raise SettingsError("SMS_PRICE is the price of one part, such as 0.80")

    def _check_gates(self) -> None:
        """Raises SettingsError for a list of secrets or addresses that cannot be meant so."""
        for name, read in (
            ("gateway_secrets", gates.secrets_by_gateway),
            ("gateway_sources", gates.networks_by_gateway),
            ("trusted_proxies", gates.networks),
        ):
            try:
                read(getattr(self, name))
            except ValueError as error:
                raise SettingsError(f"{variable(name)}: {error}") from None
        if any(len(secret) < gates.SHORTEST_SECRET for secret in gates.listed(self.gateway_secrets_old)):
            raise SettingsError(f"GATEWAY_SECRETS_OLD needs at least {gates.SHORTEST_SECRET} characters for each")


def variable(name: str) -> str:
    """The environment variable of a field."""
    return "MITA_ENV" if name == "env" else name.upper()


def _parsed(name: str, raw: str, default: object) -> object:
    if isinstance(default, bool):
        return raw.strip().lower() in ("1", "true", "yes", "on")
    if isinstance(default, (float, int)):
        try:
            return type(default)(raw)
        except ValueError as error:
            raise SettingsError(f"{name} is a number, not {raw!r}") from error
    return raw.strip()


@cache
def _offered(languages: str, default: str) -> tuple[str, ...]:
    codes = tuple(code.strip() for code in languages.split(","))
    if not set(codes) <= set(LANGUAGES) or len(set(codes)) != len(codes):
        raise SettingsError(f"LANGUAGES are some of {', '.join(LANGUAGES)}")
    if default not in codes:
        raise SettingsError("DEFAULT_LANGUAGE is not among LANGUAGES")
    return codes


@cache
def _navigation(nav_keys: str) -> tuple[str, str, str]:
    keys = [key.strip() for key in nav_keys.split(",")]
    if len(keys) != 3 or len(set(keys)) != 3 or not all(key.isdecimal() and len(key) < 4 for key in keys):
        raise SettingsError("NAV_KEYS are three different numbers: Back, Home, More")
    return keys[0], keys[1], keys[2]


def table() -> str:
    """The settings as a Markdown table; docs/settings.md is this, and a test holds it."""
    rows = ["| variable | default | what |", "|---|---|---|"]
    for f in fields(Settings):
        default = "secret" if f.metadata["secret"] else f"`{f.default}`" if f.default != "" else ""
        rows.append(f"| `{variable(f.name)}` | {default} | {f.metadata['what']} |")
    return "\n".join(rows) + "\n"


@cache
def settings() -> Settings:
    """The settings of this process."""
    return Settings.from_env(os.environ)
