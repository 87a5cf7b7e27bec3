"""Operations that M-Pesa answers later: the status of a receipt, a reversal, the balance.

Each is a row with a token that stands in its result's address. It is committed before it is sent, and sent once: where
the answer was lost, only its result can tell. Results are kept as notices like everything that a provider sends.
"""

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.clock import now
from core.config import settings
from core.database import transaction
from core.money import Money
from core.outbox import after_commit, job
from payments.daraja import Daraja
from payments.daraja_answers import Taken
from payments.daraja_credential import Initiator, NoCertificate
from payments.forms_operations import OperationResult, read_operation
from payments.models import Notice
from payments.mpesa_models import MpesaRequest
from payments.notices import conclude
from payments.settlement import settles
from payments.urls import result_urls
from payments.wallets import mpesa
from payments.wallets.protocol import Accepted, Refused, Unknown

DONE = "0"
REVERSED_BEFORE = "R000001"
OPEN = ("created", "sending", "taken", "unknown")
Heard = Callable[[Session, MpesaRequest], None]
HEARD: dict[str, Heard] = {}
"""Kind of operation -> what is done, in the same transaction, when its result is here."""


def heard(kind: str) -> Callable[[Heard], Heard]:
    """Register what is done when the result of such an operation is here; the request is `done` or `failed` then."""

    def register(function: Heard) -> Heard:
        HEARD[kind] = function
        return function

    return register


def initiator() -> Initiator | None:
    """The API operator of the settings; None where there is none, and then nothing of this can be asked."""
    ours = settings()
    if not (ours.mpesa_initiator and ours.mpesa_initiator_password and ours.daraja_certificate):
        return None
    return Initiator(ours.mpesa_initiator, ours.mpesa_initiator_password, Path(ours.daraja_certificate))


def ask_status(session: Session, receipt: str, by: str) -> MpesaRequest:
    """Have M-Pesa asked what it knows of a receipt."""
    return session.get_one(MpesaRequest, _ask(session, "status", by, receipt=receipt.upper()))


def ask_balance(session: Session, by: str) -> MpesaRequest:
    """Have M-Pesa asked what the short code's accounts hold."""
    return session.get_one(MpesaRequest, _ask(session, "balance", by))


def ask_reversal(session: Session, receipt: str, amount: Money, by: str) -> MpesaRequest | None:
    """Have a receipt given back whole. None where that was asked for before and has not failed."""
    asked = _ask(session, "reversal", by, receipt=receipt.upper(), amount_minor=amount.minor)
    return session.get(MpesaRequest, asked) if asked is not None else None


def _ask(session: Session, kind: str, by: str, **about: Any) -> int | None:
    """The new row's id, its sending queued; None where the same reversal is under way or done."""
    made = session.scalar(
        insert(MpesaRequest)
        .values(token=secrets.token_hex(20), kind=kind, state="created", asked_by=by, created_at=now(),
                updated_at=now(), **about)
        .on_conflict_do_nothing()
        .returning(MpesaRequest.id)
    )  # fmt: skip
    if made is not None:
        after_commit(session, "payments.operate", made)
    return made


@job("payments.operate")
def operate(request_id: int) -> None:
    """Send an operation, once. A run that died in between leaves it `sending`, and only its result tells more."""
    with transaction() as session:
        if not _moved(session, request_id, "sending", ("created",)):
            return
        request = session.get_one(MpesaRequest, request_id)
        session.expunge(request)
    answer = _send(mpesa.daraja(), request)
    with transaction() as session:
        match answer:
            case Taken(conversation_id):
                _moved(session, request_id, "taken", ("sending",), conversation_id=conversation_id)
            case Refused(code, message):
                values = {"result_code": code, "result_text": message}
                if _moved(session, request_id, "failed", ("sending",), **values):
                    _tell(session, session.get_one(MpesaRequest, request_id))
            case Unknown(why):
                _moved(session, request_id, "unknown", ("sending",), result_text=why)


def _send(daraja: Daraja, request: MpesaRequest) -> Taken | Accepted | Refused | Unknown:
    operator, urls = initiator(), result_urls(settings(), request.token)
    if operator is None:
        return Refused("settings", "MPESA_INITIATOR, its password or DARAJA_CERTIFICATE is not set")
    try:
        if request.kind == "balance":
            return daraja.account_balance(operator, *urls)
        assert request.receipt is not None
        if request.kind == "status":
            return daraja.transaction_status(operator, request.receipt, *urls)
        assert request.amount_minor is not None
        whole = int(Money(request.amount_minor, settings().currency).major)
        return daraja.reversal(operator, request.receipt, whole, *urls)
    except NoCertificate as error:
        return Refused("certificate", str(error))


@settles("result")
def _settle_result(session: Session, notice: Notice) -> None:
    """The result of an operation, found by the token of its address and held to the name that Daraja gave it."""
    said = read_operation(notice.body)
    request = _of(session, notice)
    if request is None:
        return conclude(notice, "quarantined", "no operation has this token")
    if request.conversation_id is not None and request.conversation_id != said.conversation_id:
        return conclude(notice, "quarantined", "another ConversationID than the operation's")
    if not _moved(session, request.id, "done" if _succeeded(request, said) else "failed", OPEN,
                  conversation_id=said.conversation_id, result_code=said.code, result_text=said.text,
                  result=said.parameters):  # fmt: skip
        return conclude(notice, "duplicate")
    _tell(session, request)
    return conclude(notice, "applied")


@settles("late")
def _settle_late(session: Session, notice: Notice) -> None:
    """It waited too long in the queue: what became of it is open, and its result may still come."""
    request = _of(session, notice)
    if request is None:
        return conclude(notice, "quarantined", "no operation has this token")
    late = _moved(session, request.id, "unknown", ("sending", "taken"), result_text="it timed out in M-Pesa's queue")
    return conclude(notice, "applied" if late else "duplicate")


def _of(session: Session, notice: Notice) -> MpesaRequest | None:
    return session.scalar(select(MpesaRequest).where(MpesaRequest.token == notice.token).with_for_update())


def _succeeded(request: MpesaRequest, said: OperationResult) -> bool:
    """To have been reversed before is what a reversal wants."""
    return said.code == DONE or (request.kind == "reversal" and said.code == REVERSED_BEFORE)


def _tell(session: Session, request: MpesaRequest) -> None:
    session.refresh(request)
    if request.kind in HEARD:
        HEARD[request.kind](session, request)


def _moved(session: Session, request_id: int, to: str, come_from: tuple[str, ...], **values: Any) -> bool:
    """Change the state where it is one of `come_from`."""
    moved = session.scalar(
        update(MpesaRequest)
        .where(MpesaRequest.id == request_id, MpesaRequest.state.in_(come_from))
        .values(state=to, updated_at=now(), **values)
        .returning(MpesaRequest.id)
    )
    return moved is not None
