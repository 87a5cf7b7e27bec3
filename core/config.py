"""Every setting, read from the environment once. `./mita settings` prints this table."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any


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
    public_url: str = _setting("http://127.0.0.1:8000", "Where gateways and providers reach this service")

    utility_name: str = _setting("Maji Safi Water", "As customers know the utility")
    utility_zone: str = _setting("Africa/Nairobi", "Time zone of bills and screens")
    currency: str = _setting("KES", "Currency of tariffs and payments (ISO 4217)")
    region: str = _setting("KE", "Country whose way of writing phone numbers is understood (ISO 3166)")
    default_language: str = _setting("en", "Language of those who have not chosen one")
    service_code: str = _setting("*384*7#", "The USSD code that customers dial")
    sms_short_code: str = _setting("20880", "The number that customers text")

    at_username: str = _setting("sandbox", "Africa's Talking user name")
    at_api_key: str = _setting("", "Africa's Talking API key", secret=True)
    at_base_url: str = _setting("", "Another address of its API, ending in /version1; empty: the package's own")
    sms_sender: str = _setting("", "Sender id or short code of outgoing messages; empty: the account's default")

    mpesa_base_url: str = _setting("https://sandbox.safaricom.co.ke", "Daraja's address")
    mpesa_consumer_key: str = _setting("", "Daraja consumer key", secret=True)
    mpesa_consumer_secret: str = _setting("", "Daraja consumer secret", secret=True)
    mpesa_shortcode: str = _setting("600100", "The PayBill number")
    mpesa_passkey: str = _setting("", "Passkey of the PayBill number", secret=True)
    mpesa_push_delay_s: float = _setting(3.0, "Seconds between the end of a conversation and the PIN prompt")

    @property
    def development(self) -> bool:
        return self.env == "development"

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
        if self.demo and not self.development:
            raise SettingsError("DEMO shows customers' data without a login; it is for MITA_ENV=development only")


def variable(name: str) -> str:
    """The environment variable of a field."""
    return "MITA_ENV" if name == "env" else name.upper()


def _parsed(name: str, raw: str, default: object) -> object:
    if isinstance(default, bool):
        return raw.strip().lower() in ("1", "true", "yes", "on")
    if isinstance(default, float):
        try:
            return float(raw)
        except ValueError as error:
            raise SettingsError(f"{name} is a number, not {raw!r}") from error
    return raw.strip()


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
