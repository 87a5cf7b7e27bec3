"""A phone asks to speak for a connection: at once, or when the office has approved it (LINK_APPROVAL)."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from billing.contact_texts import link_approved, link_rejected
from billing.customers import Refusal, Registered, find_linkable, register_customer
from billing.models import Connection, LinkRequest
from core.clock import now
from core.config import settings
from core.i18n import Text
from core.messages import queue_message
from core.phone import Phone


@dataclass(frozen=True, slots=True)
class Waiting:
    """The office has to approve it; asking again changes nothing."""

    connection: Connection


def link(
    session: Session, phone: Phone, name: str, language: str, account_no: str, source: str
) -> Registered | Waiting | Refusal:
    """Let `phone` speak for the connection, as `register_customer` does, or have the office asked first."""
    if not settings().link_approval:
        return register_customer(session, phone, name, language, account_no, source)
    found = find_linkable(session, phone, name, language, account_no)
    if not isinstance(found, Connection):
        return found
    session.execute(
        insert(LinkRequest)
        .values(
            phone=phone, connection_id=found.id, name=" ".join(name.split()), language=language, status="pending",
            created_at=now(),
        )
        .on_conflict_do_nothing()
    )  # fmt: skip
    return Waiting(found)


def approve_link(session: Session, request_id: int, by: str) -> Registered | Refusal:
    """The office links it and tells her; 'decided' where somebody has decided. Otherwise as `register_customer`."""
    request = _pending(session, request_id)
    if request is None:
        return Refusal("decided")
    account_no = _account_no(session, request)
    done = register_customer(session, request.phone, request.name, request.language, account_no, by)
    if isinstance(done, Refusal):
        return done
    _decide(session, request, "approved", by, link_approved(account_no))
    return done


def reject_link(session: Session, request_id: int, by: str) -> bool:
    """The office does not link it and tells her so; whether it was still waiting."""
    request = _pending(session, request_id)
    if request is None:
        return False
    _decide(session, request, "rejected", by, link_rejected(_account_no(session, request)))
    return True


def _decide(session: Session, request: LinkRequest, status: str, by: str, words: Text) -> None:
    request.status, request.decided_by, request.decided_at = status, by, now()
    queue_message(
        session,
        request.phone,
        words,
        "registration",
        key=f"link:{request.id}",
        connection_id=request.connection_id,
        language=request.language,
    )
    session.flush()


def _pending(session: Session, request_id: int) -> LinkRequest | None:
    """The request, in this transaction's hands, while nobody has decided about it."""
    request = session.get(LinkRequest, request_id, with_for_update=True, populate_existing=True)
    return request if request is not None and request.status == "pending" else None


def _account_no(session: Session, request: LinkRequest) -> str:
    return session.scalars(select(Connection.account_no).where(Connection.id == request.connection_id)).one()
