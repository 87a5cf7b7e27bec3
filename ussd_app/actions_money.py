"""Actions about money: bills, what is owed, the next bill, payments."""

from zoneinfo import ZoneInfo

from sqlalchemy import select

from billing.customers import find_connection
from billing.forecast import Expected, forecast_bill
from billing.invoices import recent_bills
from billing.ledger import last_payment
from billing.models import Connection, Customer
from core.config import settings
from core.money import Money
from core.phone import Phone
from flows.values import (
    BalanceView,
    BillSummary,
    Forecast,
    LastPayment,
    PastBill,
    Payee,
    PaymentResult,
    ReceiptLine,
    WalletChoice,
)
from payments.intents import Refused, ask_for_payment, newest_intent
from payments.models import Receipt
from payments.receipts import latest_receipts, receipt_of
from payments.thanks import send_again
from payments.wallets.registry import wallets_for
from ussd_app import quick
from ussd_app.actions_desk import Desk, this_day

FROM_THE_PROVIDER = ("receipt:", "suspense:")
"""How the ledger names the source of money that has a provider's receipt; its number is the last part."""


class MoneyActions(Desk):
    def current_bill(self, account_no: str) -> BillSummary:
        return quick.bill_summary(self._session, account_no)

    def past_bills(self, account_no: str) -> tuple[PastBill, ...]:
        bills = recent_bills(self._session, self._connection(account_no).id)
        return tuple(PastBill(bill.number, bill.period, bill.usage, bill.amount) for bill in bills)

    def balance(self, account_no: str) -> BalanceView:
        return quick.balance_view(self._session, account_no)

    def forecast(self, account_no: str) -> Forecast:
        expected = forecast_bill(self._session, self._connection(account_no), this_day())
        if isinstance(expected, Expected):
            return Forecast("forecast", expected.usage, expected.amount, expected.until)
        return Forecast("no_tariff" if expected == "no_tariff" else "too_early")

    def last_payment(self, account_no: str) -> LastPayment:
        """What the ledger has, however it came; or a later attempt that has not led to money."""
        connection, zone = self._connection(account_no), settings().utility_zone
        paid = last_payment(self._session, connection.id)
        tried = newest_intent(self._session, connection.id)
        if tried is not None and tried.state != "paid" and (paid is None or tried.created_at > paid.at):
            on = tried.created_at.astimezone(ZoneInfo(zone)).date()
            amount = Money(tried.amount_minor, tried.currency)
            return LastPayment("failed" if tried.state == "failed" else "waiting", amount, on)
        if paid is None:
            return LastPayment("none")
        receipt = paid.source.rpartition(":")[2] if paid.source.startswith(FROM_THE_PROVIDER) else ""
        return LastPayment("paid", paid.amount, paid.on(zone), receipt)

    def receipts(self, account_no: str) -> tuple[ReceiptLine, ...]:
        return tuple(map(_line, latest_receipts(self._session, self._connection(account_no).id)))

    def find_receipt(self, account_no: str, number: str) -> ReceiptLine | None:
        found = receipt_of(self._session, self._connection(account_no).id, number)
        return _line(found) if found else None

    def send_receipt(self, account_no: str, number: str) -> None:
        found = receipt_of(self._session, self._connection(account_no).id, number)
        if found is not None:
            send_again(self._session, found, self._phone, key=f"again:{self._place}")

    def payee(self, account_no: str) -> Payee | None:
        """None as well where nobody has the connection: nobody could be meant."""
        connection = find_connection(self._session, account_no)
        if connection is None or connection.status == "closed":
            return None
        owner = select(Customer.name).join(Connection, Connection.customer_id == Customer.id)
        name = self._session.scalar(owner.where(Connection.id == connection.id))
        return Payee(connection.account_no, initials(name)) if name else None

    def wallets(self, phone: Phone) -> tuple[WalletChoice, ...]:
        return tuple(WalletChoice(wallet.name, wallet.label) for wallet in wallets_for(phone))

    def request_payment(self, account_no: str, amount: Money, phone: Phone, wallet: str) -> PaymentResult:
        asked = ask_for_payment(self._session, self._connection_id(account_no), amount, phone, self._place, wallet)
        return PaymentResult("refused", asked.reason) if isinstance(asked, Refused) else PaymentResult("requested", "")


def _line(receipt: Receipt) -> ReceiptLine:
    amount = Money(receipt.amount_minor, receipt.currency)
    return ReceiptLine(receipt.receipt, amount, receipt.paid_at.astimezone(ZoneInfo(settings().utility_zone)).date())


def initials(name: str) -> str:
    """A name as a stranger may know it, "W. K."."""
    return " ".join(f"{word[0].upper()}." for word in name.split())
