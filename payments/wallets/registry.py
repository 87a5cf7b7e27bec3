"""Which wallets the settings switch on, and which one a phone's network suggests."""

from collections.abc import Callable
from functools import cache

import phonenumbers
from phonenumbers import carrier

from core.config import Settings, settings
from core.phone import Phone
from payments.wallets import airtel, mpesa, mtn
from payments.wallets.protocol import Cause, Wallet

KNOWN: tuple[Callable[[Settings], Wallet | None], ...] = (
    mpesa.configured,
    mtn.configured,
    airtel.configured,
)
"""Each gives its wallet, or None where the settings leave it off. A new provider is one line here."""
OF_NETWORK = {"Safaricom": "mpesa", "MTN": "mtn", "Airtel": "airtel"}


class NotSwitchedOn(LookupError):
    """The settings have no such wallet now, though an attempt once used it."""


@cache
def wallets() -> dict[str, Wallet]:
    """The wallets of this process by name, in the order of the menu."""
    return {wallet.name: wallet for wallet in switched_on(settings())}


def switched_on(ours: Settings) -> list[Wallet]:
    """The wallets that these settings switch on, in the order of the menu."""
    made = (configured(ours) for configured in KNOWN)
    return [wallet for wallet in made if wallet is not None]


def wallet(name: str) -> Wallet:
    """The wallet of that name. Raises NotSwitchedOn."""
    try:
        return wallets()[name]
    except KeyError:
        raise NotSwitchedOn(name) from None


def cause_of(name: str, code: str) -> Cause:
    """What a code of a wallet means for the customer; nothing in particular where the wallet is off by now."""
    payer = wallets().get(name)
    return payer.cause(code) if payer is not None else "other"


def wallet_of(phone: Phone) -> Wallet | None:
    """What the number's network suggests: numbers are ported, so it is a first guess and never more."""
    network = carrier.name_for_number(phonenumbers.parse(phone), "en")
    return wallets().get(OF_NETWORK.get(network.split()[0] if network else "", ""))


def wallets_for(phone: Phone) -> tuple[Wallet, ...]:
    """The wallets that this phone may pay from, the one that its network suggests first."""
    hers = wallet_of(phone)
    return tuple(sorted((w for w in wallets().values() if w.takes(phone)), key=lambda w: w is not hers))
