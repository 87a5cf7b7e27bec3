"""What every action has at hand: the transaction, the caller, and the place in the conversation."""

from datetime import date

from sqlalchemy.orm import Session

from billing.customers import find_connection
from billing.models import Connection
from core.clock import today
from core.config import settings
from core.phone import Phone
from core.statements import row

CONNECTION_ID = "SELECT id FROM connection WHERE account_no = $1"


class Desk:
    """For one caller, in the transaction of `session`. Nothing is committed here.

    `place` names a write's place in its conversation ("sms:17:+2547… 2"), for whoever needs a key of its own.
    """

    def __init__(self, session: Session, phone: Phone, channel: str, place: str = "") -> None:
        self._session, self._phone, self._channel, self._place = session, phone, channel, place

    @property
    def _source(self) -> str:
        """The caller, as rows name who entered them."""
        return f"customer {self._phone}"

    def _connection(self, account_no: str) -> Connection:
        """A connection that the conversation has named before, so it is there."""
        connection = find_connection(self._session, account_no)
        assert connection is not None, "a conversation named a connection that is not in the books"
        return connection

    def _connection_id(self, account_no: str) -> int:
        """The same where its number is all that is wanted."""
        found = row(self._session, CONNECTION_ID, account_no)
        assert found is not None, "a conversation named a connection that is not in the books"
        return int(found[0])


def this_day() -> date:
    """Today where the utility is."""
    return today(settings().utility_zone)
