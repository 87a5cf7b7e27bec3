"""What is asked of M-Pesa beside pushes: its lists of payments, its operations, and the statements of its portal."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base
from payments.models import Notice

OPERATIONS = ("status", "reversal", "balance")
REQUEST_STATES = ("created", "sending", "taken", "unknown", "done", "failed")
VERDICTS = ("payment", "known", "differs", "charge", "other", "failed", "unreadable")


class PullRun(Base):
    """One reading of the short code's list of payments, over a window of time.

    quick: some attempt lacks its receipt. recent: every ten minutes, over the last hours. day: once a day, over all
    that can be pulled. `ended_at` is empty while it runs; `fresh` counts the rows that nobody had told us before.
    """

    __tablename__ = "pull_run"
    __table_args__ = (
        CheckConstraint("kind IN ('quick', 'recent', 'day')", name="kind"),
        CheckConstraint("outcome IN ('done', 'failed')", name="outcome"),
        CheckConstraint("(outcome IS NULL) = (ended_at IS NULL)", name="ended"),
        Index("ix_pull_run_done", "window_ends", postgresql_where=text("outcome = 'done'")),
        Index("ix_pull_run_kind", "kind", "id"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    kind: Mapped[str]
    window_begins: Mapped[datetime]
    window_ends: Mapped[datetime]
    begun_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    rows: Mapped[int] = mapped_column(server_default="0", default=0)
    fresh: Mapped[int] = mapped_column(server_default="0", default=0)
    note: Mapped[str] = mapped_column(server_default="", default="")


class MpesaRequest(Base):
    """An operation that is answered later, at an address that holds its `token`: status, reversal, balance.

    It is sent once: where the answer was lost it is `unknown` until its result comes. `receipt` and `amount_minor`
    say what it is about, `result` is what came back, key by key.
    """

    __tablename__ = "mpesa_request"
    __table_args__ = (
        CheckConstraint(f"kind IN {OPERATIONS}", name="kind"),
        CheckConstraint(f"state IN {REQUEST_STATES}", name="state"),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("(kind = 'balance') = (receipt IS NULL)", name="receipt"),
        CheckConstraint("kind <> 'reversal' OR amount_minor IS NOT NULL", name="reversal"),
        Index("uq_mpesa_request_token", "token", unique=True),
        Index("uq_mpesa_request_reversal", "receipt", unique=True,
              postgresql_where=text("kind = 'reversal' AND state <> 'failed'")),
        Index("ix_mpesa_request_kind", "kind", "id"),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    token: Mapped[str]
    kind: Mapped[str]
    receipt: Mapped[str | None]
    amount_minor: Mapped[int | None]
    state: Mapped[str]
    conversation_id: Mapped[str | None]
    result_code: Mapped[str | None]
    result_text: Mapped[str | None]
    result: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"), default=dict)
    asked_by: Mapped[str]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class MpesaStatement(Base):
    """A statement of the short code as exported from M-Pesa's portal, read here, and entered when somebody says so."""

    __tablename__ = "mpesa_statement"
    __table_args__ = (Index("uq_mpesa_statement_digest", "digest", unique=True),)

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    name: Mapped[str]
    digest: Mapped[str]
    shortcode: Mapped[str]
    read_by: Mapped[str]
    read_at: Mapped[datetime]
    entered_by: Mapped[str | None]
    entered_at: Mapped[datetime | None]


class MpesaStatementRow(Base):
    """A line of such a statement, and what it was taken for. Money that came in is above zero."""

    __tablename__ = "mpesa_statement_row"
    __table_args__ = (
        CheckConstraint(f"verdict IN {VERDICTS}", name="verdict"),
        Index("ix_mpesa_statement_row_receipt", "receipt"),
        Index("ix_mpesa_statement_row_verdict", "statement_id", "verdict", "line"),
    )

    statement_id: Mapped[int] = mapped_column(ForeignKey(MpesaStatement.id), primary_key=True, autoincrement=False)
    line: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    receipt: Mapped[str]
    completed_at: Mapped[datetime | None]
    amount_minor: Mapped[int]
    account_said: Mapped[str]
    payer: Mapped[str]
    details: Mapped[str]
    verdict: Mapped[str]
    note: Mapped[str] = mapped_column(server_default="", default="")
    notice_id: Mapped[int | None] = mapped_column(ForeignKey(Notice.id))
