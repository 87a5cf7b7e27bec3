"""The second half of an import: its valid rows are taken into the books in batches, and taken back the same way."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from billing.importing.columns import Values, row_values, understand
from billing.importing.kind import Kind, Made, Origin
from billing.importing.kinds import KINDS
from billing.importing.models import ImportFile, ImportRow
from core.audit import act_as
from core.clock import now
from core.outbox import after_commit

TAKE = "billing.take_import"
UNDO = "billing.undo_import"
BATCH = 200
CONTRADICTED = "Something in the books stands against it."


class _Refused(Exception):
    """A row is not to be taken: its savepoint goes, and its reason stays."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def start(session: Session, file_id: int, by: str) -> bool:
    """Have the valid rows taken in; False where the file does not wait for that any more, or has no valid row."""
    file = session.get(ImportFile, file_id, with_for_update=True, populate_existing=True)
    if file is None or file.status != "ready" or not file.valid:
        return False
    file.status, file.started_by, file.started_at = "importing", by, now()
    after_commit(session, TAKE, file.id)
    return True


def drop(session: Session, file_id: int) -> bool:
    """Nobody wants these rows: nothing of the file comes into the books."""
    file = session.get(ImportFile, file_id, with_for_update=True, populate_existing=True)
    if file is None or file.status not in ("reading", "refused", "ready"):
        return False
    file.status = "dropped"
    return True


def undo(session: Session, file_id: int, by: str) -> bool:
    """Have everything that the file made taken back, as far as nothing else builds on it."""
    file = session.get(ImportFile, file_id, with_for_update=True, populate_existing=True)
    if file is None or file.status not in ("done", "undone") or not _count(session, file_id, ("made", "kept")):
        return False
    file.status, file.undone_by, file.undone_at = "undoing", by, now()
    for row in session.scalars(select(ImportRow).where(ImportRow.file_id == file_id, ImportRow.state == "kept")):
        row.state, row.error = "made", ""  # what stood in its way may be gone
    file.kept = 0
    after_commit(session, UNDO, file.id)
    return True


def take_batch(session: Session, file_id: int, *, batch: int = BATCH) -> bool:
    """Take the next rows in; whether there may be more. Run twice or at once, each row is taken once."""
    file = session.get(ImportFile, file_id, with_for_update=True, populate_existing=True)
    if file is None or file.status != "importing":
        return False
    act_as(session, file.started_by or "", f"import {file_id}")
    kind, rows = KINDS[file.kind], _next(session, file_id, "valid", batch, newest_first=False)
    read = _read_again(file, kind, rows)
    refused = kind.check(session, read)
    for row, values, why in zip(rows, read, refused, strict=True):
        made = why or _made(session, kind, values, Origin(file.id, row.number, file.started_by or ""))
        if isinstance(made, str):
            row.state, row.error, file.skipped = "skipped", made, file.skipped + 1
        else:
            row.state, row.made, file.made = "made", made, file.made + 1
    if len(rows) < batch:
        file.status, file.finished_at = "done", now()
    else:
        after_commit(session, TAKE, file.id)
    return file.status == "importing"


def undo_batch(session: Session, file_id: int, *, batch: int = BATCH) -> bool:
    """Take the last rows back; whether there may be more. Run twice or at once, each row is taken back once."""
    file = session.get(ImportFile, file_id, with_for_update=True, populate_existing=True)
    if file is None or file.status != "undoing":
        return False
    act_as(session, file.undone_by or "", f"import {file_id} taken back")
    kind, rows = KINDS[file.kind], _next(session, file_id, "made", batch, newest_first=True)
    for row in rows:
        why = _taken_back(session, kind, row.made or {}, Origin(file.id, row.number, file.undone_by or ""))
        if why:
            row.state, row.error, file.kept = "kept", why, file.kept + 1
        else:
            row.state, file.undone = "undone", file.undone + 1
    if len(rows) < batch:
        file.status = "undone"
    else:
        after_commit(session, UNDO, file.id)
    return file.status == "undoing"


def _read_again(file: ImportFile, kind: Kind, rows: Sequence[ImportRow]) -> list[Values]:
    headers = understand(kind.columns, file.headers, file.renamed)
    return [row_values(kind.columns, headers, row.raw, file.days)[0] for row in rows]


def _made(session: Session, kind: Kind, values: Values, origin: Origin) -> Made | str:
    try:
        with session.begin_nested():
            made = kind.make(session, values, origin)
            if isinstance(made, str):
                raise _Refused(made)
            return made
    except _Refused as refused:
        return refused.why
    except IntegrityError:
        return CONTRADICTED


def _taken_back(session: Session, kind: Kind, made: Made, origin: Origin) -> str:
    try:
        with session.begin_nested():
            why = kind.undo(session, made, origin)
            if why:
                raise _Refused(why)
            return ""
    except _Refused as refused:
        return refused.why
    except IntegrityError:
        return CONTRADICTED


def _next(session: Session, file_id: int, state: str, batch: int, *, newest_first: bool) -> Sequence[ImportRow]:
    number = ImportRow.number
    return session.scalars(
        select(ImportRow)
        .where(ImportRow.file_id == file_id, ImportRow.state == state)
        .order_by(number.desc() if newest_first else number)
        .limit(batch)
    ).all()


def _count(session: Session, file_id: int, states: Sequence[str]) -> int:
    query = select(func.count()).select_from(ImportRow)
    return session.scalar(query.where(ImportRow.file_id == file_id, ImportRow.state.in_(states))) or 0
