"""What a conversation may ask of the world, done over the books."""

from billing.callers import Place, who_calls
from billing.customers import find_connection
from core.config import settings
from flows.talk import Call
from flows.values import Caller, ConnectionRef
from ussd_app.actions_money import MoneyActions
from ussd_app.actions_reading import ReadingActions
from ussd_app.actions_self import SelfActions


class BookActions(MoneyActions, ReadingActions, SelfActions):
    """flows.actions.Actions in the transaction of `session`, for one caller; all but what a session store knows.

    `place` names the write's place in its conversation, for whoever needs a key of its own. Nothing is committed here.
    """

    def do(self, call: Call) -> object:
        """The result of `call`."""
        return getattr(self, call.name)(*call.args)

    def identify(self) -> Caller:
        known, ours = who_calls(self._session, self._phone), settings()
        return Caller(
            phone=self._phone,
            known=known.customer_id is not None,
            name=known.name,
            language=known.language or ours.default_language,
            connections=tuple(_ref(place) for place in known.places),
            utility=ours.utility_name,
            service_code=ours.service_code,
            short_code=ours.sms_short_code,
            paybill=ours.mpesa_shortcode,
            currency=ours.currency,
            has_pin=known.has_pin,
            waiting=known.waiting,
            alert_above=known.alert_above,
            stopped=known.stopped,
            languages=ours.offered(),
        )

    def find_connection(self, account_no: str) -> ConnectionRef | None:
        connection = find_connection(self._session, account_no)
        if connection is None:
            return None
        return ConnectionRef(
            connection.account_no, connection.address, connection.status, connection.building, connection.department,
            connection.prepaid,
        )  # fmt: skip


def _ref(place: Place) -> ConnectionRef:
    return ConnectionRef(place.account_no, place.address, place.status, place.building, place.department, place.prepaid)
