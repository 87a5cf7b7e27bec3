"""How a customer's latest payment stands."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from payments.models import PaymentIntent


def latest_payment(session: Session, connection_id: int) -> PaymentIntent | None:
    """The newest attempt to pay for a connection."""
    return session.scalar(
        select(PaymentIntent)
        .where(PaymentIntent.connection_id == connection_id)
        .order_by(PaymentIntent.id.desc())
        .limit(1)
    )
