"""PINs of customers: kept as an argon2 hash, locked after three wrong tries in a row until the office clears them."""

from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from billing.contact_texts import pin_cleared
from billing.customers import phones_of
from billing.models import Customer, CustomerPhone
from core.messages import queue_message
from core.phone import Phone

MOST_TRIES = 3

# OWASP's least for argon2id (Password Storage Cheat Sheet): 19 MiB, 2 passes, 1 lane. Four digits are soon tried out
# at any cost, so it is the lock that guards them; this keeps a turn short where many check a PIN at once.
_hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of a PIN: 'right', 'wrong' or 'locked', and how many wrong tries are left."""

    kind: str
    tries_left: int


def check_pin(session: Session, phone: Phone, pin: str) -> Checked:
    """Check the PIN of the phone's customer; a wrong one counts once this transaction commits.

    The customer's row is locked, so tries at the same moment count one after the other. Without a PIN every one is
    right: the office may have cleared it while she was typing.
    """
    customer = _locked(session, phone)
    if customer is None or customer.pin_hash is None:
        return Checked("right", MOST_TRIES)
    if is_locked(customer):
        return Checked("locked", 0)
    if _matches(customer.pin_hash, pin):
        customer.pin_tries = 0
        session.flush()
        return Checked("right", MOST_TRIES)
    customer.pin_tries += 1
    session.flush()
    left = MOST_TRIES - customer.pin_tries
    return Checked("wrong" if left > 0 else "locked", left)


def set_pin(session: Session, phone: Phone, pin: str) -> bool:
    """Keep a new PIN; a locked one stays locked. Whether the phone speaks for a customer. ValueError for no digits."""
    if not (pin.isascii() and pin.isdigit()):
        raise ValueError("a PIN has digits")
    customer = _locked(session, phone)
    if customer is None:
        return False
    customer.pin_hash = _hasher.hash(pin)
    if not is_locked(customer):
        customer.pin_tries = 0
    session.flush()
    return True


def remove_pin(session: Session, phone: Phone) -> bool:
    """Do without a PIN; whether it was removed. A locked one is the office's to clear."""
    customer = _locked(session, phone)
    if customer is None or is_locked(customer):
        return False
    customer.pin_hash, customer.pin_tries = None, 0
    session.flush()
    return True


def clear_pin(session: Session, customer_id: int) -> bool:
    """The office removes a forgotten or locked PIN and says so to all her phones; whether there was one."""
    cleared = session.scalar(
        update(Customer)
        .where(Customer.id == customer_id, Customer.pin_hash.is_not(None))
        .values(pin_hash=None, pin_tries=0)
        .returning(Customer.language)
    )
    if cleared is None:
        return False
    for phone in phones_of(session, customer_id):
        queue_message(session, phone, pin_cleared(), "notice", language=cleared)
    return True


def is_locked(customer: Customer) -> bool:
    return customer.pin_hash is not None and customer.pin_tries >= MOST_TRIES


def _locked(session: Session, phone: Phone) -> Customer | None:
    """The phone's customer, in this transaction's hands; readings and bills may go on being written for her."""
    return session.scalar(
        select(Customer)
        .join(CustomerPhone, CustomerPhone.customer_id == Customer.id)
        .where(CustomerPhone.phone == phone, Customer.status == "active")
        .with_for_update(key_share=True, of=Customer)
        .execution_options(populate_existing=True)
    )


def _matches(kept: str, pin: str) -> bool:
    try:
        return _hasher.verify(kept, pin)
    except (VerificationError, InvalidHashError):
        return False
