"""Outgoing messages: one that somebody waits for goes at once, the rest in order, in the sending hours and in step."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from time import monotonic, sleep

import structlog
from sqlalchemy import text

from billing.bulk_messages import fill
from core.clock import now
from core.config import Settings, settings
from core.database import transaction
from core.message_bulk import FILL
from core.message_hold import held, release
from core.message_queue import Consignment, adopt_orphans, begin, take_due, wake_when_due
from core.messages import DRAIN, SEND, Message, wake
from core.outbox import job
from core.phone import mask
from ussd_app.gateways.africastalking_sms import AfricasTalkingSms
from ussd_app.gateways.any_sms import Accepted, SmsGateway
from ussd_app.gateways.infobip_sms import InfobipSms
from ussd_app.sms_outcomes import settle
from ussd_app.sms_pace import Pace
from ussd_app.stores import patient

GATEWAYS: dict[str, Callable[[Settings], SmsGateway]] = {"africastalking": AfricasTalkingSms, "infobip": InfobipSms}
ONLY = 0x736D73  # the advisory lock of the drain: "sms"
SLICE_S = 3.0  # a worker has other things to do: after that it takes up the queue anew
CALLS = 8  # at the same time; one call takes a fifth of a second and more
BATCH = 500
PAUSE_S = 0.1

log = structlog.get_logger("sms")


@cache
def gateway() -> SmsGateway:
    """The gateway of SMS_GATEWAY."""
    return GATEWAYS[settings().sms_gateway](settings())


def pace() -> Pace:
    return Pace(patient(), gateway().name, settings().sms_rate)


@job(SEND)
def send(message_id: int) -> None:
    """Send a message that somebody waits for. Committed as 'sending' before the call, so a crash leaves it unclear.

    Where the gateway is held, or we are too fast for it, the message stays queued and the drain takes it.
    """
    wait_s = pace().hurried()
    sleep(wait_s or 0)
    begun = _begun(message_id, busy=wait_s is None)
    if begun is not None:
        _send(begun)


def _begun(message_id: int, *, busy: bool = False) -> Consignment | None:
    """The message, now 'sending'; None where there is nothing to send or not now."""
    with transaction() as session:
        message = session.get_one(Message, message_id, with_for_update=True)
        if message.direction != "out" or message.batched:
            return None
        if message.status == "sending":
            # An earlier attempt died between the call and its answer. It is not sent again blindly.
            message.status, message.failure_reason = "unknown", "died"
        if message.status != "queued":
            return None
        hold = held(session, gateway().name)
        later = max(now() + timedelta(seconds=busy), hold.next_try_at if hold else now())
        if later > now():
            message.send_after = later
            wake(session, later)
            return None
        reference = begin(message, names=gateway().takes_references)
        return Consignment(message.body, {message.phone: message.id}, {message.phone: reference})


@job(DRAIN)
def drain(_subject: int) -> None:
    """Send what is due, for some seconds; then, or when more comes due, it is called again. One acts at a time."""
    with _alone() as mine:
        if mine:
            with transaction() as session:
                adopt_orphans(session)
            busy = _drain_until(monotonic() + SLICE_S)
    with transaction() as session:
        if not mine:
            wake(session, now() + timedelta(seconds=1))
        elif busy:
            wake(session, now())
        else:
            wake_when_due(session, gateway().name)


def _drain_until(end: float) -> bool:
    """Whether there was still something to do when the time was up."""
    with ThreadPoolExecutor(CALLS, thread_name_prefix="sms") as pool:
        while monotonic() < end:
            limit = _allowed()
            if limit is None:
                return False
            if limit == 0:
                sleep(PAUSE_S)
                continue
            with transaction() as session:
                consignments, looked = take_due(
                    session, limit, calls=CALLS * 2, at_once=gateway().most, names=gateway().takes_references
                )
            pace().give_back(limit - sum(len(one.ids) for one in consignments))
            if not looked:
                return False
            for done in as_completed([pool.submit(_send, one) for one in consignments]):
                done.result()
    return True


def _allowed() -> int | None:
    """How many messages may go now; one that tries whether a held gateway goes again; None while it is held."""
    with transaction() as session:
        hold = held(session, gateway().name)
        if hold is not None:
            return None if hold.next_try_at > now() else 1
    return pace().take(BATCH)


@job(FILL)
def fill_bulk(bulk_id: int) -> None:
    """Queue the messages of a bulk send that was confirmed, a batch in each transaction."""
    more = True
    while more:
        with transaction() as session:
            more = fill(session, bulk_id)


@contextmanager
def _alone() -> Iterator[bool]:
    """True where no other worker drains. PostgreSQL frees it when the worker dies. The lock touches no row."""
    with transaction() as session:
        yield bool(session.scalar(text("SELECT pg_try_advisory_xact_lock(:only)"), {"only": ONLY}))


def _send(consignment: Consignment) -> None:
    """Make the call, then write down what became of each message in it."""
    outcomes = gateway().send(consignment.references, consignment.body)
    with transaction() as session:
        if any(isinstance(outcome, Accepted) for outcome in outcomes.values()):
            release(session, gateway().name)
        for phone, message_id in sorted(consignment.ids.items(), key=lambda item: item[1]):
            message = session.get_one(Message, message_id, with_for_update=True)
            outcome = outcomes[phone]
            settle(session, gateway().name, message, outcome)
            if not isinstance(outcome, Accepted):
                log.warning("sms.not_accepted", message_id=message_id, phone=mask(phone), reason=outcome.reason)
