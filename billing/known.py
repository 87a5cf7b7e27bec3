"""What the books know when a reading is judged, in one statement: a customer waits for the answer."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy.orm import Session

from core.statements import rows

HISTORY = 9  # readings: half a year of months, and a swap of the meter

KNOWN = """
    SELECT m.id, m.digits, m.size_mm, t.customer_class, trust.state, trust.streak, same.id, same.usage,
           EXISTS (SELECT FROM reading WHERE connection_id = c.id AND source = 'estimate' AND status = 'accepted'),
           after.id, after.meter_id, after.value, after.usage, after.taken_on, after.source, after.turn,
           past.id, past.meter_id, past.value, past.usage, past.taken_on, past.source, past.turn
    FROM connection c
    JOIN tariff t ON t.id = c.tariff_id
    JOIN meter_assignment a ON a.connection_id = c.id AND a.to_on IS NULL
    JOIN meter m ON m.id = a.meter_id
    LEFT JOIN self_reading trust ON trust.connection_id = c.id
    LEFT JOIN LATERAL (
        SELECT id, usage FROM reading
        WHERE connection_id = c.id AND meter_id = m.id AND value = $2 AND taken_on = $3
          AND status IN ('accepted', 'review') AND source <> 'estimate'
        LIMIT 1
    ) same ON true
    LEFT JOIN LATERAL (
        SELECT * FROM reading
        WHERE connection_id = c.id AND meter_id = m.id AND status = 'accepted' AND source <> 'estimate'
          AND taken_on > $3
        ORDER BY taken_on, id LIMIT 1
    ) after ON true
    LEFT JOIN LATERAL (
        SELECT * FROM reading
        WHERE connection_id = c.id AND status = 'accepted' AND source <> 'estimate' AND taken_on <= $3
        ORDER BY taken_on DESC, id DESC LIMIT $4
    ) past ON true
    WHERE c.id = $1
    ORDER BY past.taken_on DESC, past.id DESC
"""


class Entered(NamedTuple):
    """A reading that is in the books."""

    id: int
    meter_id: int
    value: Decimal
    usage: Decimal
    taken_on: date
    source: str
    turn: str


@dataclass(frozen=True, slots=True)
class Known:
    """The meter in place, whether just this was said before, and the actual readings around a day.

    `past` is newest first, over all meters that were there; `trust` and `streak` are of the customer's own readings.
    An estimate has said nothing, so it is none of these; `estimated` says that some are in the books.
    """

    meter_id: int
    digits: int
    size_mm: int
    category: str
    trust: str | None
    streak: int
    same_id: int | None
    same_usage: Decimal | None
    estimated: bool
    after: Entered | None
    past: tuple[Entered, ...]

    @property
    def previous(self) -> Entered | None:
        """The last actual reading of the meter in place."""
        return next((reading for reading in self.past if reading.meter_id == self.meter_id), None)


def known(session: Session, connection_id: int, value: Decimal, on: date) -> Known | None:
    """What is known when the meter is said to show `value` on a day; None where there is no meter."""
    found = rows(session, KNOWN, connection_id, value if value.is_finite() else None, on, HISTORY)
    if not found:
        return None
    meter_id, digits, size_mm, category, trust, streak, same_id, same_usage, estimated = found[0][:9]
    after = Entered(*found[0][9:16]) if found[0][9] is not None else None
    past = tuple(Entered(*each[16:]) for each in found if each[16] is not None)
    return Known(
        meter_id, digits, size_mm, category, trust, streak or 0, same_id, same_usage, estimated, after, past
    )  # fmt: skip
