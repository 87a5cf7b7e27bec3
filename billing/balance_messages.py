"""What a connection owes, told to its customer by SMS because somebody at the office wants her to know."""

from sqlalchemy.orm import Session

from billing.customers import phones_of
from billing.ledger import balance_of
from billing.models import Connection, Customer
from core.config import settings
from core.i18n import Text, _
from core.messages import queue_message
from core.money import Money


def balance_text(account_no: str, owed: Money) -> Text:
    """The balance in one SMS, in the words that she knows from her phone's menu."""
    if owed.minor > 0:
        state = _("You owe {owed}.", owed=owed)
    elif owed.minor < 0:
        state = _("You have {credit} in credit.", credit=-owed)
    else:
        state = _("You owe nothing.")
    return _("Connection {account}\n{state}", account=account_no, state=state)


def send_balance(session: Session, connection_id: int, *, key: str) -> bool:
    """Queue the SMS, once for its key; False where that was done, or she has no phone."""
    place = session.get_one(Connection, connection_id)
    phones = phones_of(session, place.customer_id) if place.customer_id else []
    if not phones or place.customer_id is None:
        return False
    language = session.get_one(Customer, place.customer_id).language or settings().default_language
    said = balance_text(place.account_no, balance_of(session, place.id))
    queued = queue_message(session, phones[0], said, "notice", key=key, connection_id=place.id, language=language)
    return queued is not None
