"""Money: an exact count of the currency's minor unit."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

# Digits after the point as the central banks use them in practice (ISO 4217 for the rest).
CURRENCY_DIGITS = {
    "KES": 2, "TZS": 2, "UGX": 0, "RWF": 0, "BIF": 0, "ETB": 2, "ZMW": 2, "MWK": 2,
    "CDF": 2, "NGN": 2, "GHS": 2, "XOF": 0, "XAF": 0, "IDR": 2, "PHP": 2, "USD": 2, "EUR": 2,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in whole minor units (cents), never a float. Mixing currencies is a bug and raises."""

    minor: int
    currency: str = "KES"

    def __post_init__(self) -> None:
        if type(self.minor) is not int:
            raise TypeError(f"Money counts whole minor units, not {self.minor!r}")
        if self.currency not in CURRENCY_DIGITS:
            raise ValueError(f"unknown currency {self.currency!r}")

    @classmethod
    def of(cls, major: Decimal | int | str, currency: str = "KES") -> "Money":
        """The amount of `major` units (shillings); ValueError where it is not a whole count of minor units."""
        try:
            minor = Decimal(major).scaleb(CURRENCY_DIGITS[currency])
        except (InvalidOperation, KeyError) as error:
            raise ValueError(f"not an amount of {currency}: {major!r}") from error
        if not minor.is_finite() or minor != minor.to_integral_value():
            raise ValueError(f"not a whole number of minor units of {currency}: {major!r}")
        return cls(int(minor), currency)

    @classmethod
    def zero(cls, currency: str = "KES") -> "Money":
        return cls(0, currency)

    @property
    def major(self) -> Decimal:
        return Decimal(self.minor).scaleb(-CURRENCY_DIGITS[self.currency])

    def _same(self, other: "Money") -> int:
        if self.currency != other.currency:
            raise ValueError(f"{self.currency} does not mix with {other.currency}")
        return other.minor

    def __add__(self, other: "Money") -> "Money":
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.minor - self._same(other), self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def __mul__(self, times: int) -> "Money":
        return Money(self.minor * times, self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.minor < self._same(other)

    def __le__(self, other: "Money") -> bool:
        return self.minor <= self._same(other)

    def __gt__(self, other: "Money") -> bool:
        return self.minor > self._same(other)

    def __ge__(self, other: "Money") -> bool:
        return self.minor >= self._same(other)

    def __bool__(self) -> bool:
        return self.minor != 0

    @property
    def number(self) -> str:
        """The amount without its currency, in ASCII, cents only where there are any: "1,250", "-0.50"."""
        digits = CURRENCY_DIGITS[self.currency]
        whole, cents = divmod(abs(self.minor), 10**digits)
        fraction = f".{cents:0{digits}d}" if cents else ""
        return f"{'-' if self.minor < 0 else ''}{whole:,}{fraction}"

    def __str__(self) -> str:
        """As English writes it: "KES 1,250", "KES 0.50"."""
        return f"{self.currency} {self.number}"


def round_to_minor(amount: Decimal, currency: str = "KES") -> Money:
    """`amount` in major units rounded half up (away from zero) to the currency's minor unit."""
    minor = amount.scaleb(CURRENCY_DIGITS[currency]).to_integral_value(ROUND_HALF_UP)
    return Money(int(minor), currency)
