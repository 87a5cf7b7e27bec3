"""Actions of a customer about herself: registering, her name, language, PIN, warnings, messages, and reports."""

from decimal import Decimal

from billing.alerts import set_alert
from billing.customers import Registered, find_connection, find_customer, rename, set_language
from billing.faults import report_fault
from billing.links import Waiting, link
from billing.pins import check_pin, remove_pin, set_pin
from core import opt_outs
from core.inbox import pass_to_office
from flows.values import PinCheck, RegisterResult, Secret, Ticket
from ussd_app.actions_desk import Desk


class SelfActions(Desk):
    def register(self, name: str, language: str, account_no: str) -> RegisterResult:
        done = link(self._session, self._phone, name, language, account_no, self._source)
        if isinstance(done, Registered):
            return RegisterResult("linked")
        if isinstance(done, Waiting):
            return RegisterResult("waits")
        return RegisterResult("taken" if done.kind in ("taken", "phone_taken") else "unknown_account")

    def link_connection(self, account_no: str) -> RegisterResult:
        """One more for a customer who is known; under her name and in her language."""
        customer = find_customer(self._session, self._phone)
        if customer is None:  # the office has taken the phone away from her meanwhile
            return RegisterResult("unknown_account")
        return self.register(customer.name, customer.language, account_no)

    def set_language(self, language: str) -> None:
        set_language(self._session, self._phone, language)

    def rename(self, name: str) -> None:
        rename(self._session, self._phone, name)

    def check_pin(self, pin: Secret) -> PinCheck:
        done = check_pin(self._session, self._phone, typed(pin))
        match done.kind:
            case "right":
                return PinCheck("right", done.tries_left)
            case "wrong":
                return PinCheck("wrong", done.tries_left)
            case _:
                return PinCheck("locked", 0)

    def set_pin(self, pin: Secret) -> None:
        set_pin(self._session, self._phone, typed(pin))

    def remove_pin(self) -> None:
        remove_pin(self._session, self._phone)

    def set_alert(self, above: Decimal | None) -> None:
        set_alert(self._session, self._phone, above)

    def stop_messages(self) -> None:
        opt_outs.stop(self._session, self._phone, self._channel)

    def start_messages(self) -> None:
        opt_outs.start(self._session, self._phone, self._channel)

    def report_fault(self, kind: str, account_no: str, note: str) -> Ticket:
        connection = find_connection(self._session, account_no)
        report = report_fault(
            self._session,
            self._phone,
            kind,
            connection_id=connection.id if connection is not None else None,
            note=note,
            channel=self._channel,
            key=self._place,
        )
        return Ticket(report.ticket)

    def pass_to_office(self) -> None:
        """The conversation of an SMS is named by its message: "sms:17:+2547…"."""
        channel, _, rest = self._place.partition(":")
        assert channel == "sms", "only a message can be passed to the office's inbox"
        pass_to_office(self._session, int(rest.partition(":")[0]))


def typed(pin: Secret) -> str:
    """What she typed. It is there in the turn in which she typed it; a later one has the recorded result instead."""
    assert pin.text, "a PIN is checked in the turn in which it is typed"
    return pin.text
