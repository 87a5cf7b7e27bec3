"""A tariff version as values: exact, frozen, with nothing of where it is stored."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType

ZERO = Decimal(0)
ONE = Decimal(1)
NONE: Mapping[str, Decimal] = MappingProxyType({})
NO_MONTHS: Mapping[str, tuple[int, ...]] = MappingProxyType({})

NO_SIZES: Mapping[int, Decimal] = MappingProxyType({})

MODELS = ("graduated", "volume", "band", "package", "schedule_by_total")
CHANGES = ("by_days", "by_bill_date", "next_cycle")


@dataclass(frozen=True, slots=True)
class Tier:
    """A block of usage: more than `above`, up to and with `to` (None: no end). `flat` is owed on entering it."""

    above: Decimal
    to: Decimal | None
    rate: Decimal
    flat: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Schedule:
    """A whole price list, for bills whose total usage is at most `max_total` (None: any)."""

    max_total: Decimal | None
    fixed: Decimal
    tiers: tuple[Tier, ...]


@dataclass(frozen=True, slots=True)
class BoundProration:
    """Bounds times days / `base_days`, unless the days lie within `window`; quanta of the factor and of the bound."""

    base_days: Decimal
    window: tuple[int, int] | None = None
    round_factor: Decimal | None = None
    round_bound: Decimal | None = None


@dataclass(frozen=True, slots=True)
class FixedCharge:
    """An amount a month, or a day; `applies_days` of `full_days` of it where both are given.

    `by_size` has other amounts for meters of these sizes, in millimetres.
    """

    name: str
    amount: Decimal
    per_day: bool = False
    applies_days: Decimal | None = None
    full_days: Decimal | None = None
    by_size: Mapping[int, Decimal] = field(default_factory=lambda: NO_SIZES)


@dataclass(frozen=True, slots=True)
class Bracket:
    """A fixed amount for usage up to and with `to` (None: no end)."""

    to: Decimal | None
    amount: Decimal


@dataclass(frozen=True, slots=True)
class FixedByUsage:
    """One fixed amount, by the bracket of the usage as it would be in `normalise_days`."""

    brackets: tuple[Bracket, ...]
    normalise_days: Decimal | None = None
    name: str = "service"


@dataclass(frozen=True, slots=True)
class UnitCharge:
    """A levy on each unit of usage; a negative rate is a rebate. A `series` gives its rate month by month instead."""

    name: str
    rate: Decimal
    series: str | None = None


@dataclass(frozen=True, slots=True)
class Percentage:
    """A charge or tax: `rate` (0.16) of the lines named in `base`; None is all charges."""

    name: str
    rate: Decimal
    base: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Sewer:
    """Own blocks for the share of the water that comes back as waste water."""

    tiers: tuple[Tier, ...]
    volume_factor: Decimal = ONE


@dataclass(frozen=True, slots=True)
class Package:
    """Started packages of `size` units beyond the free ones."""

    size: Decimal
    price: Decimal
    free_units: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Budget:
    """The bounds of the blocks are multiples of what a customer is meant to need: her own budget, or `default`."""

    default: Decimal
    quantum: Decimal | None = None


@dataclass(frozen=True, slots=True)
class TariffRules:
    """Everything that makes a usage a bill. Rounding quanta are in major units; None is exact.

    `on_change` says what becomes of a bill inside whose time this version comes into force.
    """

    model: str
    tiers: tuple[Tier, ...] = ()
    package: Package | None = None
    schedules: tuple[Schedule, ...] = ()
    bound_proration: BoundProration | None = None
    seasonal: Mapping[str, Decimal] = field(default_factory=lambda: NONE)
    season_months: Mapping[str, tuple[int, ...]] = field(default_factory=lambda: NO_MONTHS)
    minimum_usage_charge: Decimal | None = None
    minimum: Decimal | None = None
    fixed_charges: tuple[FixedCharge, ...] = ()
    fixed_by_usage: FixedByUsage | None = None
    per_unit_charges: tuple[UnitCharge, ...] = ()
    percent_charges: tuple[Percentage, ...] = ()
    sewer: Sewer | None = None
    taxes: tuple[Percentage, ...] = ()
    round_line: Decimal | None = None
    round_total: Decimal | None = None
    free_units: Decimal = ZERO
    budget: Budget | None = None
    on_change: str = "by_days"


@dataclass(frozen=True, slots=True)
class Period:
    """The time a bill covers.

    `days` of supply where known; `cycles` regular billing periods (a catch-up bill has several); `season` by
    name; `band_usage` is the trailing average that chooses the band of a `band`
    tariff; `meter_mm` the meter's size; `budget` the customer's own; `series` the rates of dated levies.
    `service` are the months that fixed charges are owed for, as a fraction (19, 30); None: all `cycles`.

    A part of a bill is `share` (12, 31) of that time; `before` is the usage of the parts before it, and `seasons`
    are the days of this part in each season, where not all of them are in `season`.
    """

    days: Decimal | None = None
    cycles: int = 1
    season: str | None = None
    band_usage: Decimal | None = None
    meter_mm: int | None = None
    budget: Decimal | None = None
    series: tuple[tuple[str, Decimal], ...] = ()
    service: tuple[int, int] | None = None
    share: tuple[int, int] = (1, 1)
    before: Decimal = ZERO
    seasons: tuple[tuple[str | None, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a bill: what was used while these rules held. `when` names the time where there are several."""

    rules: TariffRules
    usage: Decimal
    period: Period
    when: str = ""
