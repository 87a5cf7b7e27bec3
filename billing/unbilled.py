"""What has been used and not yet billed, by connection, in one statement for any number of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from sqlalchemy.orm import Session

from billing.months import next_month
from billing.segments import Span, service
from core.statements import rows

# The lateral joins go by indexes; a connection has few readings and one bill a month.
# A bill whose closing reading is no longer accepted (an estimate that the dials have overtaken) is to be cancelled by
# the next one, which begins where the last bill ended that still stands.
UNBILLED = """
    SELECT c.id AS connection_id, c.tariff_id, c.customer_id IS NOT NULL AS has_customer,
           last.period_start AS last_period, opening.id AS opening_id, opening.taken_on AS opened_on,
           closing.id AS closing_id, closing.taken_on AS closed_on, coalesce(since.usage, 0) AS usage,
           recent.usage AS recent,
           EXISTS (SELECT FROM reading w WHERE w.connection_id = c.id AND w.status = 'review') AS in_review,
           coalesce(closing.source = 'estimate', false) AS estimated, meter.size_mm AS meter_mm,
           coalesce(overtaken.ids, '{}') AS replaces, (
               SELECT b.amount FROM water_budget b WHERE b.connection_id = c.id AND b.since <= $3
               ORDER BY b.since DESC LIMIT 1
           ) AS budget
    FROM connection c
    LEFT JOIN LATERAL (
        SELECT i.period_start, i.closing_reading_id FROM invoice i JOIN reading r ON r.id = i.closing_reading_id
        WHERE i.connection_id = c.id AND i.kind = 'regular' AND i.status <> 'void' AND r.status = 'accepted'
        ORDER BY i.period_start DESC LIMIT 1
    ) last ON true
    LEFT JOIN LATERAL (
        SELECT array_agg(i.id ORDER BY i.id) AS ids FROM invoice i
        WHERE i.connection_id = c.id AND i.kind = 'regular' AND i.status <> 'void'
          AND i.period_start > coalesce(last.period_start, '-infinity')
    ) overtaken ON true
    LEFT JOIN LATERAL (
        SELECT r.id, r.taken_on FROM reading r
        WHERE r.connection_id = c.id AND r.status = 'accepted'
          AND (last.closing_reading_id IS NULL OR r.id = last.closing_reading_id)
        ORDER BY r.taken_on, r.id LIMIT 1
    ) opening ON true
    LEFT JOIN LATERAL (
        SELECT sum(r.usage) AS usage, (array_agg(r.id ORDER BY r.taken_on DESC, r.id DESC))[1] AS closing_id
        FROM reading r
        WHERE r.connection_id = c.id AND r.status = 'accepted' AND r.taken_on <= $3
          AND (r.taken_on, r.id) > (opening.taken_on, opening.id)
    ) since ON true
    LEFT JOIN reading closing ON closing.id = since.closing_id
    LEFT JOIN meter ON meter.id = closing.meter_id
    LEFT JOIN LATERAL (
        SELECT avg(b.usage / b.cycles) AS usage FROM (
            SELECT i.usage, i.cycles FROM invoice i
            WHERE i.connection_id = c.id AND i.kind = 'regular' AND i.status <> 'void'
            ORDER BY i.period_start DESC LIMIT 3
        ) b
    ) recent ON true
    WHERE c.status <> 'closed' AND NOT c.prepaid AND c.id BETWEEN $1 AND $2
    ORDER BY c.id
"""


@dataclass(frozen=True, slots=True)
class Unbilled:
    """A connection's usage since its last bill, between two accepted readings.

    Without `opening_id` there was never a reading, without `closing_id` none since the last bill.
    `trailing` is the average usage of the last three bills; `estimated`: the closing reading is an estimate.
    `replaces` are bills that went by readings the dials have overtaken; this one covers their time again.
    """

    connection_id: int
    tariff_id: int
    has_customer: bool
    last_period: date | None
    opening_id: int | None
    opened_on: date | None
    closing_id: int | None
    closed_on: date | None
    usage: Decimal
    trailing: Decimal | None
    in_review: bool
    estimated: bool = False
    meter_mm: int | None = None
    replaces: Sequence[int] = ()
    budget: Decimal | None = None

    def cycles(self, month: date) -> int:
        """How many months a bill for `month` covers: more than one where months went by without a bill."""
        return self._served(month)[0]

    def span(self, month: date, until: date | None = None, *, final: bool = False) -> Span:
        """What a bill for `month` covers, up to the closing reading or to one on `until`.

        `final`: supply ends on that day, so fixed charges are owed up to it.
        """
        opened = self.opened_on or month
        until = until or self.closed_on or opened
        cycles, owed = self._served(month, until if final else None)
        return Span(opened, until, cycles, owed, self.trailing, self.meter_mm, self.budget)

    def _served(self, month: date, until: date | None = None) -> tuple[int, tuple[int, int]]:
        if self.last_period is None:
            return service(self.opened_on, month, until)
        first = next_month(self.last_period)
        return service(first if first <= month else None, month, until)


def unbilled(session: Session, first: int, last: int, until: date, *, rebill: bool = False) -> list[Unbilled]:
    """Connections `first` to `last` that are neither closed nor prepaid, with their usage up to the day `until`.

    Whoever asks for `rebill` cancels the bills that a row `replaces`; for others such a row waits as one in review.
    """
    found = [Unbilled(*each) for each in rows(session, UNBILLED, first, last, until)]
    if rebill:
        return found
    return [replace(each, closing_id=None, closed_on=None, in_review=True) if each.replaces else each for each in found]


def unbilled_of(session: Session, connection_id: int, until: date, *, rebill: bool = True) -> Unbilled | None:
    """The same for one connection; None where it is closed or prepaid."""
    return next(iter(unbilled(session, connection_id, connection_id, until, rebill=rebill)), None)
