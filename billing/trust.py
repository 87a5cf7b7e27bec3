"""How far a customer's own readings are believed: until compared, not quite; and every n-th of them is looked at."""

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from billing.chain import CUSTOMER
from billing.known import Known
from billing.models import Reading, SelfReading
from core.statements import row

ONE_MORE = """
    INSERT INTO self_reading (connection_id, state, streak) VALUES ($1, 'new', 1)
    ON CONFLICT (connection_id) DO UPDATE SET streak = self_reading.streak + 1
"""
AUDIT_EVERY = 6  # self-readings in a row; then somebody calls her, or goes there


def doubt_of(found: Known) -> str:
    """Why the customer's next own reading waits for review whatever it says: 'watched', 'audit', or ''."""
    if found.trust == "watched":
        return "watched"
    return "audit" if found.streak + 1 >= AUDIT_EVERY else ""


def note_self_reading(session: Session, connection_id: int) -> None:
    """One more in a row that nobody has compared."""
    row(session, ONE_MORE, connection_id)


def note_audit(session: Session, reading: Reading, *, agrees: bool) -> None:
    """Somebody of the utility has read the meter, or asked the customer again, and found her readings right or not."""
    state = "trusted" if agrees else "watched"
    found = {"state": state, "streak": 0, "audited_on": reading.taken_on}
    session.execute(
        insert(SelfReading)
        .values(connection_id=reading.connection_id, **found)
        .on_conflict_do_update(index_elements=["connection_id"], set_=found)
    )


def self_read_since_audit(session: Session, connection_id: int) -> bool:
    """Whether there is a reading of her own to compare with."""
    streak = session.scalar(select(SelfReading.streak).where(SelfReading.connection_id == connection_id))
    return bool(streak)


def weigh(session: Session, reading: Reading, kind: str) -> None:
    """Count an accepted reading: her own goes on the streak, one of the utility's ends it and judges it."""
    if reading.source in CUSTOMER:
        if reading.doubt == "audit" or (reading.doubt == "watched" and reading.decided_by):
            note_audit(session, reading, agrees=True)
        else:
            note_self_reading(session, reading.connection_id)
    elif reading.source in ("office", "field") and self_read_since_audit(session, reading.connection_id):
        note_audit(session, reading, agrees=kind in ("ok", "low") and reading.doubt != "disputed")
