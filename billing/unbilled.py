"""What has been used and not yet billed, by connection, in one statement for any number of them."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy.orm import Session

from billing.months import months_between, season_of
from billing.rules import Period, TariffRules
from core.statements import rows

# The lateral joins go by indexes; a connection has few readings and one bill a month.
UNBILLED = """
    SELECT c.id AS connection_id, c.tariff_id, c.customer_id IS NOT NULL AS has_customer,
           last.period_start AS last_period, opening.id AS opening_id, opening.taken_on AS opened_on,
           since.closing_id, since.closed_on, coalesce(since.usage, 0) AS usage, recent.usage AS recent,
           EXISTS (SELECT FROM reading w WHERE w.connection_id = c.id AND w.status = 'review') AS in_review
    FROM connection c
    LEFT JOIN LATERAL (
        SELECT i.period_start, i.closing_reading_id FROM invoice i
        WHERE i.connection_id = c.id AND i.kind = 'regular' ORDER BY i.period_start DESC LIMIT 1
    ) last ON true
    LEFT JOIN LATERAL (
        SELECT r.id, r.taken_on FROM reading r
        WHERE r.connection_id = c.id AND r.status = 'accepted'
          AND (last.closing_reading_id IS NULL OR r.id = last.closing_reading_id)
        ORDER BY r.taken_on, r.id LIMIT 1
    ) opening ON true
    LEFT JOIN LATERAL (
        SELECT sum(r.usage) AS usage, max(r.taken_on) AS closed_on,
               (array_agg(r.id ORDER BY r.taken_on DESC, r.id DESC))[1] AS closing_id
        FROM reading r
        WHERE r.connection_id = c.id AND r.status = 'accepted' AND r.taken_on <= $3
          AND (r.taken_on, r.id) > (opening.taken_on, opening.id)
    ) since ON true
    LEFT JOIN LATERAL (
        SELECT avg(b.usage / b.cycles) AS usage FROM (
            SELECT i.usage, i.cycles FROM invoice i
            WHERE i.connection_id = c.id AND i.kind = 'regular' ORDER BY i.period_start DESC LIMIT 3
        ) b
    ) recent ON true
    WHERE c.status <> 'closed' AND NOT c.prepaid AND c.id BETWEEN $1 AND $2
    ORDER BY c.id
"""


@dataclass(frozen=True, slots=True)
class Unbilled:
    """A connection's usage since its last bill, between two accepted readings.

    Without `opening_id` there was never a reading, without `closing_id` none since the last bill.
    `trailing` is the average usage of the last three bills.
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

    def cycles(self, month: date) -> int:
        """How many months a bill for `month` covers: more than one where months went by without a bill."""
        since = self.last_period or self.opened_on or month
        return max(months_between(since, month), 1)

    def period(self, rules: TariffRules, month: date, until: date) -> Period:
        """The period of a bill for `month` that ends with a reading on `until`."""
        days = (until - self.opened_on).days if self.opened_on else 0
        return Period(
            days=Decimal(max(days, 1)),
            cycles=self.cycles(month),
            season=season_of(rules, month),
            band_usage=self.trailing,
        )


def unbilled(session: Session, first: int, last: int, until: date) -> list[Unbilled]:
    """Connections `first` to `last` that are neither closed nor prepaid, with their usage up to the day `until`."""
    return [Unbilled(*each) for each in rows(session, UNBILLED, first, last, until)]


def unbilled_of(session: Session, connection_id: int, until: date) -> Unbilled | None:
    """The same for one connection; None where it is closed or prepaid."""
    return next(iter(unbilled(session, connection_id, connection_id, until)), None)
