"""Payment plans: a debt becomes charges that are due one by one, so the ledger itself knows which are paid."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from billing.arrears import open_items
from billing.ledger import RECEIVABLE, Leg, balance_of, post, reverse
from billing.models import Connection, PaymentPlan, PlanInstalment
from billing.moments import here
from core.clock import now

CLEARING = "plans"
"""An account that each plan leaves at zero: the old debt goes in, the instalments come out."""
MOST = 36
PATIENCE = 7  # days after which an instalment that is not paid breaks the plan


@dataclass(frozen=True, slots=True)
class PlanRefusal:
    """Why not: 'amount' (more than is owed, or not to be shared out), 'days' (not in order, or past), 'active' (there
    is one), 'ended'."""

    kind: str


@dataclass(frozen=True, slots=True)
class InstalmentState:
    """One instalment as it stands: 'paid', 'part', 'due' (to come) or 'missed'."""

    due_on: date
    amount_minor: int
    open_minor: int
    state: str


def agree(
    session: Session, connection_id: int, instalments: Sequence[tuple[date, int]], by: str
) -> PaymentPlan | PlanRefusal:
    """Let a debt be paid in (day, minor units) parts. Together they are at most what is owed."""
    session.execute(select(Connection.id).where(Connection.id == connection_id).with_for_update())
    days, amounts = [day for day, _ in instalments], [amount for _, amount in instalments]
    total = sum(amounts)
    if not 1 <= len(amounts) <= MOST or min(amounts) <= 0 or total > balance_of(session, connection_id).minor:
        return PlanRefusal("amount")
    if days != sorted(set(days)) or days[0] < here():
        return PlanRefusal("days")
    if active_plan(session, connection_id) is not None:
        return PlanRefusal("active")
    name = f"{connection_id}:{_so_far(session, connection_id)}"
    old = [Leg(CLEARING, total), Leg(RECEIVABLE, -total, connection_id)]
    moved = post(session, "plan", f"plan:{name}", old, f"Payment plan, {len(amounts)} instalments")
    assert moved is not None, "plans of a connection are made under its lock"
    plan = PaymentPlan(
        connection_id=connection_id, amount_minor=total, status="active", entry_id=moved.id, created_by=by,
        created_at=now(),
    )  # fmt: skip
    session.add(plan)
    session.flush()
    for position, (day, amount) in enumerate(instalments, 1):
        legs = [Leg(RECEIVABLE, amount, connection_id), Leg(CLEARING, -amount)]
        memo = f"Instalment {position} of {len(amounts)}"
        entry = post(session, "instalment", f"instalment:{name}:{position}", legs, memo, due_on=day)
        assert entry is not None
        session.add(
            PlanInstalment(plan_id=plan.id, position=position, due_on=day, amount_minor=amount, entry_id=entry.id)
        )
    session.flush()
    return plan


def shared_out(total_minor: int, count: int) -> list[int]:
    """`total_minor` in `count` nearly equal parts that sum to it; the first ones are a unit larger."""
    each, more = divmod(total_minor, count)
    return [each + (place < more) for place in range(count)]


def active_plan(session: Session, connection_id: int) -> PaymentPlan | None:
    return session.scalar(
        select(PaymentPlan).where(PaymentPlan.connection_id == connection_id, PaymentPlan.status == "active")
    )


def instalments(session: Session, plan: PaymentPlan, on: date | None = None) -> list[InstalmentState]:
    """How each instalment stands on a day (today)."""
    parts = _parts(session, plan)
    if plan.status in ("broken", "cancelled"):
        return [InstalmentState(part.due_on, part.amount_minor, part.amount_minor, "due") for part in parts]
    still = {item.entry_id: item.open_minor for item in open_items(session, [plan.connection_id])}
    found = []
    for part in parts:
        left = still.get(part.entry_id, 0)
        if not left:
            state = "paid"
        elif part.due_on < (on or here()):
            state = "missed"
        else:
            state = "part" if left < part.amount_minor else "due"
        found.append(InstalmentState(part.due_on, part.amount_minor, left, state))
    return found


def track(session: Session, plan_id: int, on: date | None = None) -> str:
    """Bring a plan's state up to the day: kept once all is paid, broken when an instalment is long overdue."""
    plan = session.get_one(PaymentPlan, plan_id, with_for_update=True, populate_existing=True)
    if plan.status != "active":
        return plan.status
    stand = instalments(session, plan, on)
    if all(one.state == "paid" for one in stand):
        plan.status, plan.ended_by, plan.ended_at = "kept", "system", now()
    elif any(one.state == "missed" and ((on or here()) - one.due_on).days > PATIENCE for one in stand):
        end_plan(session, plan_id, "system", "broken")
    session.flush()
    return plan.status


def end_plan(session: Session, plan_id: int, by: str, status: str = "cancelled") -> PaymentPlan | PlanRefusal:
    """End a plan before its time: what was not paid is due now, as one charge."""
    plan = session.get_one(PaymentPlan, plan_id, with_for_update=True, populate_existing=True)
    session.execute(select(Connection.id).where(Connection.id == plan.connection_id).with_for_update())
    if plan.status != "active":
        return PlanRefusal("ended")
    still = {item.entry_id for item in open_items(session, [plan.connection_id])}
    unpaid = [part for part in _parts(session, plan) if part.entry_id in still]
    for part in unpaid:
        reverse(session, part.entry_id, "instalment_back", f"instalment_back:{plan.id}:{part.position}")
    total = sum(part.amount_minor for part in unpaid)
    if total:
        legs = [Leg(RECEIVABLE, total, plan.connection_id), Leg(CLEARING, -total)]
        post(session, "plan_ended", f"plan_ended:{plan.id}", legs, "Payment plan ended", due_on=here())
    plan.status, plan.ended_by, plan.ended_at = status, by, now()
    session.flush()
    return plan


def track_all(session: Session) -> int:
    """Bring every active plan up to today; how many ended."""
    active = session.scalars(select(PaymentPlan.id).where(PaymentPlan.status == "active")).all()
    return sum(track(session, plan_id) != "active" for plan_id in active)


def _parts(session: Session, plan: PaymentPlan) -> Sequence[PlanInstalment]:
    return session.scalars(
        select(PlanInstalment).where(PlanInstalment.plan_id == plan.id).order_by(PlanInstalment.position)
    ).all()


def _so_far(session: Session, connection_id: int) -> int:
    return len(session.scalars(select(PaymentPlan.id).where(PaymentPlan.connection_id == connection_id)).all())
