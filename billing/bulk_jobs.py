"""The jobs of imports and bulk edits: one batch at a time, so that customers never wait behind all of it."""

from billing import bulk_edits
from billing.importing import applying, reading
from core.database import transaction
from core.outbox import after_commit, job


@job(reading.READ)
def read_import(file_id: int) -> None:
    """Read the next rows of a large file."""
    with transaction() as session:
        if reading.read_rows(session, file_id):
            after_commit(session, reading.READ, file_id)


@job(applying.TAKE)
def take_import(file_id: int) -> None:
    """Take the next rows of a file into the books."""
    with transaction() as session:
        applying.take_batch(session, file_id)


@job(applying.UNDO)
def undo_import(file_id: int) -> None:
    """Take the next rows of a file back."""
    with transaction() as session:
        applying.undo_batch(session, file_id)


@job(bulk_edits.CHANGE)
def change_many(edit_id: int) -> None:
    """Change the next connections."""
    with transaction() as session:
        bulk_edits.change_batch(session, edit_id)


@job(bulk_edits.UNDO)
def undo_many(edit_id: int) -> None:
    """Take the next changes back."""
    with transaction() as session:
        bulk_edits.undo_batch(session, edit_id)
