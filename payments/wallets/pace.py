"""How fast a provider is asked: each question takes a place of its own in PostgreSQL, whichever worker asks it.

The gap between two places is the provider's own limit where it is known. Where it is not (production's is nowhere
published, the sandbox's STK query takes five a minute), it is learnt: it doubles with each HTTP 429, and shrinks by a
fifth with each answer.
"""

from datetime import timedelta

from sqlalchemy.orm import Session

from core.clock import now
from core.statements import row
from payments.wallets.protocol import Wallet

AT_ONCE_S = 0.5
"""A place that is nearer than this is waited for; for a later one the job comes again."""

FIRST_GAP_S, LONGEST_GAP_S = 1.0, 30.0

TAKE = """
    INSERT INTO wallet_pace AS pace (provider, next_at) VALUES ($1, $2::timestamptz + $3::interval)
    ON CONFLICT (provider) DO UPDATE
    SET next_at = greatest(pace.next_at, $2::timestamptz) + greatest($3::interval, make_interval(secs => pace.gap_s))
    WHERE pace.next_at <= $4::timestamptz
    RETURNING next_at - greatest($3::interval, make_interval(secs => gap_s))
"""
NEXT = "SELECT next_at FROM wallet_pace WHERE provider = $1"
SLOWER = """
    INSERT INTO wallet_pace AS pace (provider, next_at, gap_s) VALUES ($1, $2::timestamptz, $3)
    ON CONFLICT (provider) DO UPDATE
    SET next_at = greatest(pace.next_at, $2::timestamptz), gap_s = least(greatest(pace.gap_s * 2, $3), $4)
"""
FASTER = """
    UPDATE wallet_pace SET gap_s = CASE WHEN gap_s < 0.2 THEN 0 ELSE gap_s * 0.8 END WHERE provider = $1 AND gap_s > 0
"""
GAP = "SELECT gap_s FROM wallet_pace WHERE provider = $1"


def take_place(session: Session, wallet: Wallet) -> tuple[bool, float]:
    """Whether this question has a place now, and in how many seconds: wait so long, or come again then."""
    moment, step = now(), timedelta(seconds=wallet.facts.pace_s)
    taken = row(session, TAKE, wallet.name, moment, step, moment + timedelta(seconds=AT_ONCE_S))
    if taken is not None:
        return True, max(0.0, (taken[0] - moment).total_seconds())
    waits = row(session, NEXT, wallet.name)
    assert waits is not None
    return False, max(AT_ONCE_S, (waits[0] - moment).total_seconds())


def slow_down(session: Session, wallet: Wallet, seconds: float) -> None:
    """The provider said that it was too fast (HTTP 429): nobody asks it for a while, and then less often."""
    row(session, SLOWER, wallet.name, now() + timedelta(seconds=seconds), FIRST_GAP_S, LONGEST_GAP_S)


def speed_up(session: Session, wallet: Wallet) -> None:
    """It has answered: the next question may come a little sooner, down to its own limit."""
    row(session, FASTER, wallet.name)


def gap_of(session: Session, name: str) -> float:
    """The seconds between two questions that were learnt; 0 where nothing was ever too fast."""
    found = row(session, GAP, name)
    return float(found[0]) if found is not None else 0.0
