"""One change to many connections: chosen and counted, confirmed, made in batches, and taken back."""

from collections.abc import Sequence

from sqlalchemy import Select, func, insert, literal, select
from sqlalchemy.orm import Session

from billing.models import BulkEdit, BulkEditRow, Connection
from core.audit import act_as
from core.clock import now
from core.outbox import after_commit

CHANGE = "billing.change_many"
UNDO = "billing.undo_many"
BATCH = 500
MOST = 100_000
COLUMN = {"activate": "status", "suspend": "status", "tariff": "tariff_id", "zone": "zone_id"}
"""Action -> the column of a connection that it changes."""


def draft(
    session: Session, action: str, target_id: int | None, chosen: Select[tuple[int]], by: str, said: str = ""
) -> BulkEdit | None:
    """Write down which connections are meant, at this moment. None where they are none, or more than MOST.

    `chosen` selects ids of connections; `said` is how they were chosen, in words.
    """
    with session.begin_nested() as half:
        edit = BulkEdit(action=action, target_id=target_id, chosen_by=said, created_by=by, created_at=now())
        session.add(edit)
        session.flush()
        ids = chosen.order_by(None).limit(MOST + 1).subquery()
        columns = ["edit_id", "connection_id", "state", "before", "after", "reason"]
        nothing = literal("")
        rows = select(literal(edit.id), ids.c[0], literal("waiting"), nothing, nothing, nothing)
        session.execute(insert(BulkEditRow).from_select(columns, rows))
        edit.total = _count(session, edit.id)
        session.flush()
        if 0 < edit.total <= MOST:
            return edit
        half.rollback()
    return None


def start(session: Session, edit_id: int) -> bool:
    """It was read and is meant; False where it is no draft any more."""
    edit = _held(session, edit_id)
    if edit is None or edit.status != "draft":
        return False
    edit.status, edit.started_at = "changing", now()
    after_commit(session, CHANGE, edit.id)
    return True


def drop(session: Session, edit_id: int) -> bool:
    """It is not wanted."""
    edit = _held(session, edit_id)
    if edit is None or edit.status != "draft":
        return False
    edit.status = "dropped"
    return True


def undo(session: Session, edit_id: int, by: str) -> bool:
    """Have each connection be what it was, unless somebody has changed it since."""
    edit = _held(session, edit_id)
    if edit is None or edit.status != "done":
        return False
    edit.status, edit.undone_by = "undoing", by
    after_commit(session, UNDO, edit.id)
    return True


def change_batch(session: Session, edit_id: int, *, batch: int = BATCH) -> bool:
    """Change the next connections; whether there may be more. Run twice or at once, each is changed once."""
    edit = _held(session, edit_id)
    if edit is None or edit.status != "changing":
        return False
    act_as(session, edit.created_by, f"bulk edit {edit_id}")
    rows, places = _next(session, edit_id, "waiting", batch)
    column, after = COLUMN[edit.action], _after(edit)
    for row in rows:
        place = places[row.connection_id]
        row.before, row.after = str(getattr(place, column)), str(after)
        if place.status == "closed":
            row.state, row.reason = "refused", "It is closed."
        elif row.before == row.after:
            row.state = "same"
        else:
            setattr(place, column, after)
            row.state = "changed"
    if len(rows) < batch:
        edit.status, edit.finished_at = "done", now()
    else:
        after_commit(session, CHANGE, edit.id)
    return edit.status == "changing"


def undo_batch(session: Session, edit_id: int, *, batch: int = BATCH) -> bool:
    """Take the next changes back; whether there may be more."""
    edit = _held(session, edit_id)
    if edit is None or edit.status != "undoing":
        return False
    act_as(session, edit.undone_by or "", f"bulk edit {edit_id} taken back")
    rows, places = _next(session, edit_id, "changed", batch)
    column = COLUMN[edit.action]
    for row in rows:
        place = places[row.connection_id]
        if str(getattr(place, column)) != row.after or place.status == "closed":
            row.state, row.reason = "kept", "It was changed since."
        else:
            setattr(place, column, row.before if column == "status" else int(row.before))
            row.state = "undone"
    if len(rows) < batch:
        edit.status = "undone"
    else:
        after_commit(session, UNDO, edit.id)
    return edit.status == "undoing"


def progress(session: Session, edit_id: int) -> dict[str, int]:
    """How many of its connections are in each state."""
    rows = session.execute(
        select(BulkEditRow.state, func.count()).where(BulkEditRow.edit_id == edit_id).group_by(BulkEditRow.state)
    )
    return dict(rows.tuples().all())


def _after(edit: BulkEdit) -> str | int:
    if edit.target_id is not None:
        return edit.target_id
    return "active" if edit.action == "activate" else "suspended"


def _held(session: Session, edit_id: int) -> BulkEdit | None:
    return session.get(BulkEdit, edit_id, with_for_update=True, populate_existing=True)


def _next(
    session: Session, edit_id: int, state: str, batch: int
) -> tuple[Sequence[BulkEditRow], dict[int, Connection]]:
    rows = session.scalars(
        select(BulkEditRow)
        .where(BulkEditRow.edit_id == edit_id, BulkEditRow.state == state)
        .order_by(BulkEditRow.connection_id)
        .limit(batch)
    ).all()
    places = session.scalars(
        select(Connection)
        .where(Connection.id.in_([row.connection_id for row in rows]))
        .order_by(Connection.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return rows, {place.id: place for place in places}


def _count(session: Session, edit_id: int) -> int:
    query = select(func.count()).select_from(BulkEditRow)
    return session.scalar(query.where(BulkEditRow.edit_id == edit_id)) or 0
