"""Who changed what: rows that PostgreSQL's own triggers write, in the transaction that makes the change.

The triggers cannot know the officer, so a transaction says who acts (`act_as`). Where nobody says so, it is the service
itself, or, on any other connection, "sql" and the database's user.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Identity, Index, event, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, SessionTransaction, mapped_column

from core.database import Base

_whoever: ContextVar[tuple[str, str] | None] = ContextVar("audit_actor", default=None)
SET = text("SELECT set_config('app.actor', :actor, true), set_config('app.source', :source, true)")


class AuditEntry(Base):
    """One row of one table, changed. `before` and `after` hold the columns that changed; secrets are "hidden".

    `thing` is the table and `key` the row's key, its parts joined by "/". The database refuses to change an entry.
    """

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index("ix_audit_entry_at", "at", "id"),
        Index("ix_audit_entry_actor", "actor", "id"),
        Index("ix_audit_entry_thing", "thing", "key", "id"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str]
    source: Mapped[str]
    thing: Mapped[str]
    key: Mapped[str]
    action: Mapped[str]
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    after: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))


def act_as(session: Session, actor: str, source: str) -> None:
    """Say who makes the changes of this transaction, and from where: an address, a job, a command."""
    session.execute(SET, {"actor": actor, "source": source})


@contextmanager
def acting(actor: str, source: str) -> Iterator[None]:
    """Every transaction that is begun in this block acts as `actor`, unless it says otherwise."""
    token = _whoever.set((actor, source))
    try:
        yield
    finally:
        _whoever.reset(token)


@event.listens_for(Session, "after_begin")
def _say_who(_session: Session, transaction: SessionTransaction, connection: Connection) -> None:
    """The first words of a transaction in a block of `acting`; outside of one it costs nothing."""
    whoever = _whoever.get()
    if whoever is not None and not transaction.nested:
        connection.execute(SET, {"actor": whoever[0], "source": whoever[1]})
