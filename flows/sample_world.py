"""A small world of values in which conversations are walked: callers of every kind, with the widest of values."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from hashlib import blake2b

from core.money import Money
from core.phone import Phone
from flows.codec import write_result
from flows.talk import Call
from flows.values import (
    BalanceView,
    BillSummary,
    Caller,
    ConnectionRef,
    Forecast,
    LastPayment,
    MeterFace,
    MonthUsage,
    PastBill,
    Payee,
    PaymentResult,
    PinCheck,
    ReadingCheck,
    ReadingResult,
    ReceiptLine,
    RegisterResult,
    Secret,
    Ticket,
    Unfinished,
    WalletChoice,
)

PHONE = Phone("+254700000001")
RIGHT_PIN = "2580"
HOME = ConnectionRef("1000017", "Plot 14, Mtaa wa Kati", "active")
WAITS = ConnectionRef("1000025", "Plot 15", "active")
SHOP = ConnectionRef("9999999999", "Nyumba ya pili, Barabara ya Hospitali Kuu", "active")

CALLER = Caller(
    PHONE, True, "Wanjiku Kamau", "en", (HOME,),
    utility="Maji Safi Water", service_code="*384*7#", short_code="20880", paybill="600100", currency="KES",
)  # fmt: skip

ROOMS = tuple(
    ConnectionRef(f"77777777{at}0", f"Room {at}", "active", building, department)
    for at, (building, department) in enumerate(
        [("Main building", "Boarding"), ("Main building", "Kitchen and dining"), ("Main building", "Boarding"),
         ("Laboratories", ""), ("Staff houses", "East"), ("Staff houses", "West")]
    )
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
    "waits for the office": replace(CALLER, connections=(), waiting=("1000025",)),
    "unknown, waits for the office": replace(CALLER, known=False, name="", connections=(), waiting=("1000025",)),
    "institution": replace(CALLER, name="Shule ya Upili Mtakatifu Teresa", connections=ROOMS),
    "suspended": replace(CALLER, connections=(replace(HOME, status="suspended"),)),
    "prepaid": replace(CALLER, connections=(replace(HOME, prepaid=True),)),
    "with a PIN": replace(CALLER, has_pin=True, alert_above=Decimal(20), stopped=True),
    "with a locked PIN": replace(CALLER, phone=Phone("+254700000005"), has_pin=True),
    "dropped while reading": replace(CALLER, phone=Phone("+254700000006")),
    "several wallets": replace(CALLER, phone=Phone("+254733000007")),
    "a phone without mobile money": replace(CALLER, phone=Phone("+254202000007")),
    "unknown": replace(CALLER, known=False, name="", connections=()),
}

MPESA, AIRTEL, MTN = (
    WalletChoice("mpesa", "M-Pesa"),
    WalletChoice("airtel", "Airtel Money"),
    WalletChoice("mtn", "MTN MoMo"),
)
OWED = {"+254700000002": Money(-123_456), "+254700000003": Money(0), "+254700000004": Money(999_999_999)}


@dataclass
class SampleWorld:
    """Answers each call from `caller`'s sample; a write is made once for its key, as the books do it."""

    caller: Caller
    made: dict[str, str] = field(default_factory=dict)
    writes: list[tuple[object, ...]] = field(default_factory=list)
    left: Unfinished | None = None

    def copy(self) -> "SampleWorld":
        return SampleWorld(self.caller, dict(self.made), list(self.writes), self.left)

    def perform(self, call: Call, key: str) -> str:
        act = getattr(self, call.name)
        if not call.writes:
            return write_result(act(*call.args))
        if key not in self.made:
            self.writes.append((call.name, *call.args))
            self.made[key] = write_result(act(*call.args))
        return self.made[key]

    def seal(self, text: str) -> str:
        return blake2b(text.encode(), key=b"sample", digest_size=8).hexdigest()

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

    def past_bills(self, account_no: str) -> tuple[PastBill, ...]:
        months = [date(2026, month, 1) for month in range(10, 4, -1)]
        worth = max(self.owed, Money(123_400))
        return () if self.bare else tuple(PastBill(f"{m:%Y-%m}-000017", m, Decimal(17), worth) for m in months)

    def usage(self, account_no: str) -> tuple[MonthUsage, ...]:
        most = Decimal("99999.5") if self.owed > Money(1_000_000) else Decimal(21)
        used = [most, Decimal(12), Decimal("8.5"), Decimal(0), Decimal(14), most]
        return () if self.bare else tuple(MonthUsage(date(2026, 5 + at, 1), units) for at, units in enumerate(used))

    def forecast(self, account_no: str) -> Forecast:
        if self.bare or self.caller.connections[0].status == "suspended":
            return Forecast("too_early" if self.bare else "no_tariff")
        return Forecast("forecast", Decimal("99999.5"), Money(999_999_999), date(2026, 11, 30))

    def last_payment(self, account_no: str) -> LastPayment:
        kinds: Mapping[str, LastPayment] = {
            "1000017": LastPayment("paid", Money(99_999_999), date(2026, 11, 28), "SKL4XYZ123"),
            "8888888800": LastPayment("paid", Money(50_000), date(2026, 11, 28)),
            SHOP.account_no: LastPayment("waiting", Money(99_999_999), date(2026, 11, 28)),
        }
        failed = LastPayment("failed", Money(50_000), date(2026, 11, 28))
        return LastPayment("none") if self.bare else kinds.get(account_no, failed)

    def receipts(self, account_no: str) -> tuple[ReceiptLine, ...]:
        most = max(self.owed, Money(123_400))
        days = [date(2026, 11, day) for day in (28, 21, 14, 7, 1)]
        return () if self.bare else tuple(ReceiptLine(f"SKL4XYZ12{n}", most, day) for n, day in enumerate(days))

    def find_receipt(self, account_no: str, number: str) -> ReceiptLine | None:
        return next((line for line in self.receipts(account_no) if line.number == number), None)

    def send_receipt(self, account_no: str, number: str) -> None:
        pass

    def payee(self, account_no: str) -> Payee | None:
        found = self.find_connection(account_no)
        return Payee(found.account_no, "W. K.") if found else None

    def wallets(self, phone: Phone) -> tuple[WalletChoice, ...]:
        if phone.startswith("+25420"):
            return ()
        if self.caller.phone != KINDS["several wallets"].phone:
            return (MPESA,)
        return (AIRTEL, MPESA, MTN) if phone.startswith("+25473") else (MPESA, MTN, AIRTEL)

    def unfinished(self) -> Unfinished | None:
        if self.left is not None or self.caller.phone != KINDS["dropped while reading"].phone:
            return self.left
        menu = "choose:read|pay|balance|bills|fault|account|help"
        return Unfinished("ask", ((menu, "1"), ("ask:reading", "1999")))

    def find_connection(self, account_no: str) -> ConnectionRef | None:
        known = {place.account_no: place for place in (HOME, SHOP, WAITS)}
        return known.get(account_no)

    def register(self, name: str, language: str, account_no: str) -> RegisterResult:
        kinds: Mapping[str, RegisterResult] = {
            SHOP.account_no: RegisterResult("taken"),
            WAITS.account_no: RegisterResult("waits"),
        }
        return kinds.get(account_no, RegisterResult("linked"))

    def link_connection(self, account_no: str) -> RegisterResult:
        return self.register(self.caller.name, self.caller.language, account_no)

    def submit_reading(self, account_no: str, value: Decimal, confirmed: bool) -> ReadingResult:
        kind = "review" if confirmed else "accepted"
        return ReadingResult(kind, value - 1200, Money(99_999_999))  # type: ignore[arg-type]

    def set_language(self, language: str) -> None:
        self.caller = replace(self.caller, language=language)

    def request_payment(self, account_no: str, amount: Money, phone: Phone, wallet: str) -> PaymentResult:
        if amount == Money.of(1):
            return PaymentResult("refused", "duplicate_recent")
        return PaymentResult("requested", "") if amount < Money.of(250_000) else PaymentResult("refused", "down")

    def rename(self, name: str) -> None:
        self.caller = replace(self.caller, name=name)

    def check_pin(self, pin: Secret) -> PinCheck:
        if self.caller.phone == KINDS["with a locked PIN"].phone:
            return PinCheck("locked", 0)
        if pin.text == RIGHT_PIN:
            return PinCheck("right", 3)
        wrong = sum(name == "check_pin" for name, *_args in self.writes)
        return PinCheck("wrong", 3 - wrong) if wrong < 3 else PinCheck("locked", 0)

    def set_pin(self, pin: Secret) -> None:
        assert pin.text, "a PIN to be set is not there any more"
        self.caller = replace(self.caller, has_pin=True)

    def remove_pin(self) -> None:
        self.caller = replace(self.caller, has_pin=False)

    def report_fault(self, kind: str, account_no: str, note: str) -> Ticket:
        return Ticket("99999-9" if self.owed > Money(1_000_000) else "1042-7")

    def set_alert(self, above: Decimal | None) -> None:
        self.caller = replace(self.caller, alert_above=above)

    def stop_messages(self) -> None:
        self.caller = replace(self.caller, stopped=True)

    def start_messages(self) -> None:
        self.caller = replace(self.caller, stopped=False)

    def pass_to_office(self) -> None:
        pass
