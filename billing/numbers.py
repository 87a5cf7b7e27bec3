"""Numbers of documents: each series is without gaps, for a number that is taken is given back by a rollback alone."""

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from billing.models import NumberSeries


def take_numbers(session: Session, series: str, count: int = 1) -> int:
    """The first of `count` numbers that are now taken, if this transaction commits. Others wait for that."""
    following = session.scalars(
        insert(NumberSeries)
        .values(name=series, next=count + 1)
        .on_conflict_do_update(index_elements=["name"], set_={"next": NumberSeries.next + count})
        .returning(NumberSeries.next)
    ).one()
    return following - count
