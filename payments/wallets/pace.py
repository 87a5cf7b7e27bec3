"""How fast a provider is asked: each question takes a place of its own in PostgreSQL, whichever worker asks it."""

from datetime import timedelta

from sqlalchemy.orm import Session

from core.clock import now
from core.statements import row
from payments.wallets.protocol import Wallet

AT_ONCE_S = 0.5
"""A place that is nearer than this is waited for; for a later one the job comes again."""

TAKE = """
    INSERT INTO wallet_pace AS pace (provider, next_at) VALUES ($1, $2::timestamptz + $3::interval)
    ON CONFLICT (provider) DO UPDATE SET next_at = greatest(pace.next_at, $2::timestamptz) + $3::interval
    WHERE pace.next_at <= $4::timestamptz
    RETURNING next_at - $3::interval
"""
NEXT = "SELECT next_at FROM wallet_pace WHERE provider = $1"
LATER = """
    INSERT INTO wallet_pace AS pace (provider, next_at) VALUES ($1, $2::timestamptz)
    ON CONFLICT (provider) DO UPDATE SET next_at = greatest(pace.next_at, $2::timestamptz)
"""


def take_place(session: Session, wallet: Wallet) -> tuple[bool, float]:
    """Whether this question has a place now, and in how many seconds: wait so long, or come again then."""
    if not wallet.facts.pace_s:
        return True, 0.0
    moment, step = now(), timedelta(seconds=wallet.facts.pace_s)
    taken = row(session, TAKE, wallet.name, moment, step, moment + timedelta(seconds=AT_ONCE_S))
    if taken is not None:
        return True, max(0.0, (taken[0] - moment).total_seconds())
    waits = row(session, NEXT, wallet.name)
    assert waits is not None
    return False, max(AT_ONCE_S, (waits[0] - moment).total_seconds())


def slow_down(session: Session, wallet: Wallet, seconds: float) -> None:
    """The provider said that it was too fast (HTTP 429): nobody asks it for a while."""
    row(session, LATER, wallet.name, now() + timedelta(seconds=seconds))
