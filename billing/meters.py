"""Meters: in store, at a connection, replaced, retired."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from billing.estimates import estimate, estimated_reading
from billing.judgement import meter_at
from billing.models import Connection, Meter, MeterAssignment, Reading
from billing.readings import Refused, latest_reading, record_reading
from core.clock import now

__all__ = [
    "MeterRefusal",
    "assign_meter",
    "find_meter",
    "meter_at",
    "register_meter",
    "remove_meter",
    "replace_meter",
]


@dataclass(frozen=True, slots=True)
class MeterRefusal:
    """Why not.

    kind: 'serial_taken', 'digits', 'meter_in_use', 'retired', 'has_meter', 'start_value', 'no_meter', 'reading',
    'no_history'.
    """

    kind: str


def register_meter(session: Session, serial: str, *, digits: int, size_mm: int) -> Meter | MeterRefusal:
    """A new meter in store, with `digits` dials of whole units."""
    serial = "".join(serial.split()).upper()
    if not 3 <= digits <= 10:
        return MeterRefusal("digits")
    meter = session.scalar(
        insert(Meter)
        .values(serial=serial, digits=digits, size_mm=size_mm, status="stock")
        .on_conflict_do_nothing(index_elements=["serial"])
        .returning(Meter)
    )
    return meter if meter is not None else MeterRefusal("serial_taken")


def find_meter(session: Session, serial: str) -> Meter | None:
    """The meter with that serial number, as a person may type it."""
    return session.scalar(select(Meter).where(Meter.serial == "".join(serial.split()).upper()))


def assign_meter(
    session: Session, meter_id: int, connection_id: int, *, on: date, start_value: Decimal, by: str
) -> MeterAssignment | MeterRefusal:
    """Put a meter from the store at a connection that has none; its opening reading is `start_value`."""
    session.execute(select(Connection.id).where(Connection.id == connection_id).with_for_update(key_share=True))
    meter = session.get_one(Meter, meter_id, with_for_update=True, populate_existing=True)
    if meter.status == "retired":
        return MeterRefusal("retired")
    if meter.status == "installed":
        return MeterRefusal("meter_in_use")
    if meter_at(session, connection_id) is not None:
        return MeterRefusal("has_meter")
    if not 0 <= start_value < 10**meter.digits:
        return MeterRefusal("start_value")
    meter.status = "installed"
    assignment = MeterAssignment(meter_id=meter_id, connection_id=connection_id, from_on=on, start_value=start_value)
    opening = Reading(
        connection_id=connection_id,
        meter_id=meter_id,
        value=start_value,
        usage=Decimal(0),
        taken_on=on,
        source="opening",
        entered_by=by,
        status="accepted",
        created_at=now(),
    )
    session.add_all([assignment, opening])
    session.flush()
    return assignment


def remove_meter(
    session: Session, connection_id: int, *, on: date, removal_value: Decimal | None, by: str
) -> MeterAssignment | MeterRefusal:
    """Take the connection's meter away for good, with what it showed: that last usage is billed.

    Where nobody could read it any more its end is estimated by the days; 'no_history' where nothing says how.
    """
    assignment = session.scalar(
        select(MeterAssignment)
        .where(MeterAssignment.connection_id == connection_id, MeterAssignment.to_on.is_(None))
        .with_for_update()
    )
    if assignment is None:
        return MeterRefusal("no_meter")
    end = _end_value(session, connection_id, removal_value, on, by)
    if isinstance(end, MeterRefusal):
        return end
    assignment.to_on, assignment.end_value = on, end
    session.get_one(Meter, assignment.meter_id).status = "retired"
    session.flush()
    return assignment


def replace_meter(
    session: Session,
    connection_id: int,
    new_meter_id: int,
    *,
    on: date,
    removal_value: Decimal | None,
    start_value: Decimal,
    by: str,
) -> MeterAssignment | MeterRefusal:
    """Swap the meter on one day; usage is (removal - last) + (next - start). None: the old one cannot be read.

    Where the second half is refused the caller rolls back: a refusal leaves nothing half done otherwise.
    """
    with session.begin_nested() as half:
        removed = remove_meter(session, connection_id, on=on, removal_value=removal_value, by=by)
        if isinstance(removed, MeterRefusal):
            return removed
        assigned = assign_meter(session, new_meter_id, connection_id, on=on, start_value=start_value, by=by)
        if isinstance(assigned, MeterRefusal):
            half.rollback()
        return assigned


def _end_value(
    session: Session, connection_id: int, removal_value: Decimal | None, on: date, by: str
) -> Decimal | MeterRefusal:
    if removal_value is not None:
        read = record_reading(
            session, connection_id, removal_value, source="office", entered_by=by, taken_on=on, confirmed=True
        )
        return MeterRefusal("reading") if isinstance(read, Refused) else removal_value
    taken = estimate(session, connection_id, on)
    if taken is None:  # it was read that very day
        last = latest_reading(session, connection_id)
        return last.value if last is not None and last.taken_on == on else MeterRefusal("reading")
    if taken.daily is None:
        return MeterRefusal("no_history")
    # The cap in a row does not hold here: nobody can go and read this meter any more.
    session.add(estimated_reading(taken, on, by))
    session.flush()
    return taken.value
