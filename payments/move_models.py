"""Money that was received and moves on: to its account, to another one, back to who paid it."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from billing.models import Connection
from core.database import Base
from payments.models import Receipt

MOVES = ("allocation", "return", "transfer", "refund", "bounce")
PAYOUTS = ("owed", "sending", "unknown", "paid", "failed")


class MoneyMove(Base):
    """A part of a receipt goes from one place to another; no connection stands for suspense.

    allocation: out of suspense. return: back into it. transfer: it was the wrong account. refund: to the payer.
    bounce: the cheque was no money. Over the limit it is `proposed` until a second person has decided; its ledger
    entry comes with the decision. A refund then has its own way: `payout`, through the provider or by the cashier.
    """

    __tablename__ = "money_move"
    __table_args__ = (
        CheckConstraint(f"kind IN {MOVES}", name="kind"),
        CheckConstraint("status IN ('proposed', 'posted', 'rejected')", name="status"),
        CheckConstraint(f"payout IN {PAYOUTS}", name="payout"),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("reason <> ''", name="reason"),
        CheckConstraint("(status = 'posted') = (entry_id IS NOT NULL)", name="posted"),
        CheckConstraint("(kind = 'refund' AND status = 'posted') = (payout IS NOT NULL)", name="refund"),
        Index("ix_money_move_receipt_id", "receipt_id", "id"),
        Index("ix_money_move_proposed", "id", postgresql_where=text("status = 'proposed'")),
        Index("ix_money_move_payout", "id", postgresql_where=text("payout <> 'paid'")),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    receipt_id: Mapped[int] = mapped_column(ForeignKey(Receipt.id))
    kind: Mapped[str]
    amount_minor: Mapped[int]
    from_id: Mapped[int | None] = mapped_column(ForeignKey(Connection.id))
    to_id: Mapped[int | None] = mapped_column(ForeignKey(Connection.id))
    reason: Mapped[str]
    status: Mapped[str]
    proposed_by: Mapped[str]
    proposed_at: Mapped[datetime]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("ledger_entry.id"))
    payout: Mapped[str | None]
    payout_note: Mapped[str] = mapped_column(default="", server_default="")
    payout_entry_id: Mapped[int | None] = mapped_column(ForeignKey("ledger_entry.id"))
