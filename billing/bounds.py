"""How the bounds of blocks stretch: with the days of a period, its cycles, a part's share of them, and a budget."""

from collections.abc import Sequence
from decimal import Decimal

from billing.rules import ONE, ZERO, Period, TariffRules, Tier
from billing.sheet import rounded


class Bounds:
    """The bounds of one part of a bill.

    Everything is kept as a fraction until the end: 24 * 30 / 30 must be 24, not 23.99…
    """

    def __init__(self, rules: TariffRules, period: Period) -> None:
        part, whole = period.share
        self._times, self._of, self._quantum = Decimal(period.cycles * part), Decimal(whole), None
        self._budget = ONE
        if rules.budget is not None:
            own = rules.budget.default if period.budget is None else period.budget
            self._budget = rounded(own, rules.budget.quantum)
        proration = rules.bound_proration
        if proration is None or period.days is None:
            return
        self._times, self._quantum = Decimal(part), proration.round_bound
        if proration.window and proration.window[0] <= period.days <= proration.window[1]:
            return
        if proration.round_factor is None:
            self._times, self._of = period.days * part, proration.base_days * whole
        else:
            self._times = rounded(period.days / proration.base_days, proration.round_factor) * part

    def scaled(self, bound: Decimal | None, times: Decimal = ONE) -> Decimal | None:
        """The bound for this part; None stays without an end."""
        return None if bound is None else rounded(bound * times * self._times / self._of, self._quantum)

    def tiers(self, tiers: Sequence[Tier], times: Decimal = ONE) -> list[Tier]:
        """The tiers for this part; the last one goes on without an end, for somebody has to pay for the rest."""
        last = len(tiers) - 1
        return [
            Tier(
                self.scaled(tier.above, times) or ZERO,
                self.scaled(tier.to, times) if place < last else None,
                tier.rate,
                tier.flat,
            )
            for place, tier in enumerate(tiers)
        ]

    def of_budget(self, tiers: Sequence[Tier]) -> list[Tier]:
        """The tiers of the water itself, whose bounds are multiples of the budget where the tariff has one."""
        return self.tiers(tiers, self._budget)
