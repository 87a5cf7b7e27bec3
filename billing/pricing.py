"""What a connection's usage costs: the versions of its tariff in time, the dated levies, and the one rating of all."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import lru_cache

from sqlalchemy import exists, literal, select, text, tuple_
from sqlalchemy.orm import Session

from billing.budgets import budget_in
from billing.charging import Charge, charge
from billing.levies import rates_in
from billing.models import Invoice, Meter, Reading, TariffVersion
from billing.months import last_day, month_of, months_before
from billing.rating import rate_parts
from billing.segments import Plan, Shape, Span, Version, plan
from billing.sheet import Bill
from billing.tariffs import rules_in
from billing.unbilled import Unbilled
from core.config import settings
from core.statements import rows

VERSIONS = """
    SELECT id, valid_from, valid_to, rules::text FROM tariff_version WHERE tariff_id = $1 ORDER BY valid_from
"""
KEPT = 5_000  # rated usages that a process remembers, at about 5 kB; neighbours often use the same


@dataclass(frozen=True, slots=True)
class Priced:
    """A rated usage. `version_id` is the newest tariff version that has a part in it."""

    usage: Decimal
    bill: Bill
    charge: Charge
    plan: Plan

    @property
    def version_id(self) -> int:
        return self.plan.version_id


_rated: dict[tuple[Shape, Decimal, str], tuple[Bill, Charge]] = {}
"""Rating asks nobody, so what it said once holds for as long as the process lives."""


@lru_cache(maxsize=256)
def _version(version_id: int, valid_from: date, valid_to: date | None, rules: str) -> Version:
    """The same object for the same text, so that the prices made with it are known again."""
    return Version(version_id, valid_from, valid_to, rules_in(rules))


class PriceBook:
    """Prices of one batch or request: versions and levies are read once, equal bills are rated once.

    `versions` limits it to these tariff versions, so that a run goes on with what it was started with.
    """

    def __init__(self, session: Session, versions: Iterable[int] | None = None) -> None:
        self._session = session
        self._only = None if versions is None else frozenset(versions)
        self._currency = settings().currency
        self._versions: dict[int, list[Version]] = {}
        self._levies: dict[date, Mapping[str, Decimal]] = {}
        self._asks: dict[int, tuple[bool, bool, bool]] = {}
        self._plans: dict[tuple[int, Span], Plan | str] = {}
        self._priced: dict[tuple[Plan, Decimal], Priced] = {}

    def price(
        self, row: Unbilled, month: date, *, until: date | None = None, usage: Decimal | None = None,
        final: bool = False,
    ) -> Priced | str:  # fmt: skip
        """The bill of a connection for `month`; 'no_tariff' or 'no_levy' where a price is missing.

        Up to its closing reading with the row's usage, or up to `until` with another. `final`: supply ends there.
        """
        planned = self.plan(row.tariff_id, row.span(month, until, final=final))
        return planned if isinstance(planned, str) else self.rate(planned, row.usage if usage is None else usage)

    def plan(self, tariff_id: int, span: Span) -> Plan | str:
        """How any usage over a span is rated by a tariff; 'no_tariff' or 'no_levy' where a price is missing."""
        span = self._plain(tariff_id, span)
        known = self._plans.get((tariff_id, span))
        if known is None:
            known = self._plans[tariff_id, span] = self._planned(tariff_id, span)
        return known

    def rate(self, planned: Plan, usage: Decimal) -> Priced:
        """Rate a usage by a plan of this book."""
        priced = self._priced.get((planned, usage))
        if priced is None:
            priced = self._priced[planned, usage] = Priced(usage, *self._rate(planned, usage), planned)
        return priced

    def _rate(self, planned: Plan, usage: Decimal) -> tuple[Bill, Charge]:
        key = (planned.shape, usage, self._currency)
        known = _rated.get(key)
        if known is None:
            if len(_rated) >= KEPT:
                _rated.clear()
            bill = rate_parts(planned.parts(usage))
            known = _rated[key] = bill, charge(bill, self._currency)
        return known

    def _plain(self, tariff_id: int, span: Span) -> Span:
        """The span without what the tariff does not ask for, so that neighbours share a plan."""
        if tariff_id not in self._asks:
            self._versions[tariff_id] = self._read(tariff_id)
            rules = [one.rules for one in self._versions[tariff_id]]
            self._asks[tariff_id] = (
                any(one.model == "band" for one in rules),
                any(charge.by_size for one in rules for charge in one.fixed_charges),
                any(one.budget is not None for one in rules),
            )
        banded, sized, budgeted = self._asks[tariff_id]
        asked = (
            span.band_usage if banded else None, span.meter_mm if sized else None, span.budget if budgeted else None
        )  # fmt: skip
        if asked == (span.band_usage, span.meter_mm, span.budget):
            return span
        return replace(span, band_usage=asked[0], meter_mm=asked[1], budget=asked[2])

    def _planned(self, tariff_id: int, span: Span) -> Plan | str:
        rates = self._rates(month_of(span.until)) if self._series(tariff_id) else {}
        planned = plan(self._versions[tariff_id], span, rates)
        if planned is None:
            return "no_tariff"
        needed = {levy.series for one in planned.slices for levy in one.version.rules.per_unit_charges if levy.series}
        return planned if needed <= rates.keys() else "no_levy"

    def _series(self, tariff_id: int) -> bool:
        """Whether any version asks for dated levies; most tariffs have none."""
        rules = (one.rules for one in self._versions[tariff_id])
        return any(levy.series for each in rules for levy in each.per_unit_charges)

    def _rates(self, month: date) -> Mapping[str, Decimal]:
        if month not in self._levies:
            self._levies[month] = rates_in(self._session, month)
        return self._levies[month]

    def _read(self, tariff_id: int) -> list[Version]:
        return [
            _version(version_id, valid_from, valid_to, rules)
            for version_id, valid_from, valid_to, rules in rows(self._session, VERSIONS, tariff_id)
            if self._only is None or version_id in self._only
        ]


def versions_until(session: Session, month: date) -> list[int]:
    """The tariff versions that a run for `month` may go by: those that begin by its end."""
    query = select(TariffVersion.id).where(TariffVersion.valid_from <= last_day(month)).order_by(TariffVersion.id)
    return list(session.scalars(query))


# As a run takes it (see UNBILLED): a bill that was made again counts once, and is not older than the one it replaced.
TRAILING = text("""
    SELECT avg(b.usage / b.cycles) FROM (
        SELECT DISTINCT ON (i.period_start) i.usage, i.cycles FROM invoice i
        WHERE i.connection_id = :connection_id AND i.kind = 'regular' AND i.id < :id AND i.period_start < :period_start
        ORDER BY i.period_start DESC, i.id DESC LIMIT 3
    ) b
""")


def rerate(session: Session, invoice: Invoice) -> Charge | str:
    """What the bill's own usage and readings cost by the prices it was made with: its very lines.

    Versions that came after the bill's own have no part in it. 'no_tariff' or 'no_levy' as in `PriceBook.price`.
    """
    opening = session.get_one(Reading, invoice.opening_reading_id)
    closing = session.get_one(Reading, invoice.closing_reading_id)
    own = session.get_one(TariffVersion, invoice.tariff_version_id)
    place = {"connection_id": invoice.connection_id, "id": invoice.id, "period_start": invoice.period_start}
    row = Unbilled(
        invoice.connection_id, own.tariff_id, True, _last_period(session, invoice, opening), opening.id,
        opening.taken_on, closing.id, closing.taken_on, invoice.usage, session.scalar(TRAILING, place), False,
        meter_mm=session.get_one(Meter, closing.meter_id).size_mm,
        budget=budget_in(session, invoice.connection_id, invoice.period_start),
    )  # fmt: skip
    upto = select(TariffVersion.id).where(
        TariffVersion.tariff_id == own.tariff_id, TariffVersion.valid_from <= own.valid_from
    )
    priced = PriceBook(session, session.scalars(upto)).price(row, invoice.period_start)
    return priced if isinstance(priced, str) else priced.charge


def _last_period(session: Session, invoice: Invoice, opening: Reading) -> date | None:
    """The month billed before this one; None where it was the first bill: it begins with the first reading of all."""
    before = exists().where(
        Reading.connection_id == invoice.connection_id,
        Reading.status.in_(("accepted", "superseded")),
        tuple_(Reading.taken_on, Reading.id) < tuple_(literal(opening.taken_on), literal(opening.id)),
    )
    return months_before(invoice.period_start, invoice.cycles) if session.scalar(select(before)) else None
