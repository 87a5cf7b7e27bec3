"""A small world of values in which conversations are walked: callers of every kind, with the widest of values."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from core.money import Money
from core.phone import Phone
from flows.actions import (
    BalanceView,
    BillSummary,
    Caller,
    ConnectionRef,
    MeterFace,
    PaymentResult,
    ReadingCheck,
    ReadingResult,
    RegisterResult,
)
from flows.talk import Call

PHONE = Phone("+254700000001")
HOME = ConnectionRef("1000017", "Plot 14, Mtaa wa Kati", "active")
SHOP = ConnectionRef("9999999999", "Nyumba ya pili, Barabara ya Hospitali Kuu", "active")

CALLER = Caller(
    PHONE, True, "Wanjiku Kamau", "en", (HOME,),
    utility="Maji Safi Water", service_code="*384*7#", short_code="20880", paybill="600100", currency="KES",
)  # fmt: skip

KINDS: Mapping[str, Caller] = {
    "one connection": CALLER,
    "many connections": replace(
        CALLER,
        name="Bwiza Uwimana-Mukamana Nyirahabimana",
        connections=(HOME, SHOP, *(replace(SHOP, account_no=f"88888888{n:02}") for n in range(9))),
    ),
    "in credit": replace(CALLER, phone=Phone("+254700000002")),
    "no meter, no bill": replace(CALLER, phone=Phone("+254700000003")),
    "widest values": replace(CALLER, phone=Phone("+254700000004"), name="N" * 60, connections=(SHOP,)),
    "known, nothing linked": replace(CALLER, connections=()),
    "unknown": replace(CALLER, known=False, name="", connections=()),
}

OWED = {"+254700000002": Money(-123_456), "+254700000003": Money(0), "+254700000004": Money(999_999_999)}


@dataclass
class SampleWorld:
    """Answers each call from `caller`'s sample; a write is made once for its key, as the books do it."""

    caller: Caller
    made: dict[str, object] = field(default_factory=dict)
    writes: list[tuple[object, ...]] = field(default_factory=list)

    def copy(self) -> "SampleWorld":
        return SampleWorld(self.caller, dict(self.made), list(self.writes))

    def perform(self, call: Call, key: str) -> object:
        act = getattr(self, call.name)
        if not call.writes:
            return act(*call.args)
        if key not in self.made:
            self.writes.append((call.name, *call.args))
            self.made[key] = act(*call.args)
        return self.made[key]

    @property
    def owed(self) -> Money:
        return OWED.get(self.caller.phone, Money(125_050))

    @property
    def bare(self) -> bool:
        return self.caller is KINDS["no meter, no bill"] or self.caller.phone == KINDS["no meter, no bill"].phone

    def identify(self) -> Caller:
        return self.caller

    def current_bill(self, account_no: str) -> BillSummary:
        if self.bare:
            return BillSummary(None, Money(0), self.owed, None, None, Decimal(0))
        wide = self.owed > Money(1_000_000)
        number, usage = ("INV-2026-11-99999999", Decimal("99999.999")) if wide else ("2026-10-000017", Decimal(17))
        return BillSummary(number, max(self.owed, Money(100)), self.owed, date(2026, 11, 30), date(2026, 10, 1), usage)

    def balance(self, account_no: str) -> BalanceView:
        if self.bare:
            return BalanceView(self.owed, None, None)
        return BalanceView(self.owed, Money(99_999_999), date(2026, 11, 28))

    def last_reading(self, account_no: str) -> MeterFace | None:
        return None if self.bare else MeterFace("KNT-2019-0001234", 5, Decimal(1200), date(2026, 10, 31))

    def check_reading(self, account_no: str, value: Decimal) -> ReadingCheck:
        usage = value - 1200
        kind = "too_many_digits" if value >= 100_000 else "below" if usage < 0 else "high" if usage > 100 else "ok"
        return ReadingCheck(kind, Decimal(1200), usage)  # type: ignore[arg-type]

    def find_connection(self, account_no: str) -> ConnectionRef | None:
        known = {place.account_no: place for place in (HOME, SHOP)}
        return known.get(account_no)

    def register(self, name: str, language: str, account_no: str) -> RegisterResult:
        return RegisterResult("taken" if account_no == SHOP.account_no else "linked")

    def submit_reading(self, account_no: str, value: Decimal, confirmed: bool) -> ReadingResult:
        kind = "review" if confirmed else "accepted"
        return ReadingResult(kind, value - 1200, Money(99_999_999))  # type: ignore[arg-type]

    def set_language(self, language: str) -> None:
        self.caller = replace(self.caller, language=language)

    def request_payment(self, account_no: str, amount: Money, phone: Phone) -> PaymentResult:
        if amount == Money.of(1):
            return PaymentResult("refused", "duplicate_recent")
        return PaymentResult("requested", "") if amount < Money.of(250_000) else PaymentResult("refused", "down")
