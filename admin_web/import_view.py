"""A file as its page shows it: the columns as they were understood, a few rows, which ones were left out."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from billing.importing.columns import understand
from billing.importing.kind import Kind
from billing.importing.kinds import KINDS
from billing.importing.models import MOVING, ImportFile, ImportRow

SHOWN = 15
RUNS_SHOWN = 20
STATES = {
    "reading": ("busy", "Being read"), "refused": ("bad", "Cannot be read"), "ready": ("warn", "Waits for your word"),
    "importing": ("busy", "Being imported"), "done": ("good", "Imported"), "dropped": ("off", "Not imported"),
    "undoing": ("busy", "Being taken back"), "undone": ("off", "Taken back"),
}  # fmt: skip
SHOWS = {"done": "skipped", "undone": "kept"}
"""State of a file -> the state of the rows that its page names."""


def kinds_for(allowed: Callable[[str], bool]) -> dict[str, Kind]:
    """The kinds that somebody may bring."""
    return {name: kind for name, kind in KINDS.items() if allowed(name)}


def view_of(session: Session, file: ImportFile) -> dict[str, Any]:
    """What the page of a file needs."""
    kind = KINDS[file.kind]
    headers = understand(kind.columns, file.headers, file.renamed)
    meanings = {position: name for name, position in headers.places.items()}
    state = SHOWS.get(file.status, "wrong" if file.wrong else "valid")
    return {
        "file": file,
        "kind": kind,
        "states": STATES,
        "moving": file.status in MOVING,
        "of": file.valid if file.status == "importing" else file.made,
        "columns": [(header, meanings.get(position)) for position, header in enumerate(file.headers)],
        "renamable": [column.name for column in kind.columns],
        "suggested": headers.suggested,
        "ignored": [header for header in headers.ignored if header and header.casefold() != "error"],
        "rows": _rows(session, file.id, state),
        "shown": state,
        "which": _which(session, file.id, state) if state in ("skipped", "kept") else "",
        "twins": _twins(session, file),
    }


def _rows(session: Session, file_id: int, state: str) -> Sequence[ImportRow]:
    query = select(ImportRow).where(ImportRow.file_id == file_id, ImportRow.state == state)
    return session.scalars(query.order_by(ImportRow.number).limit(SHOWN)).all()


def _which(session: Session, file_id: int, state: str) -> str:
    """The numbers of these rows, "3, 8, 12 to 15", as far as a line can say it."""
    numbers = session.scalars(
        select(ImportRow.number)
        .where(ImportRow.file_id == file_id, ImportRow.state == state)
        .order_by(ImportRow.number)
        .limit(2_000)
    ).all()
    return in_runs(numbers)


def in_runs(numbers: Sequence[int]) -> str:
    """Numbers in ascending order as people say them, the first runs of them."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    words = [str(first) if first == last else f"{first} to {last}" for first, last in runs[:RUNS_SHOWN]]
    return ", ".join(words) + (" and more" if len(runs) > RUNS_SHOWN else "")


def _twins(session: Session, file: ImportFile) -> Sequence[ImportFile]:
    """Earlier files with the very same bytes whose rows are in the books."""
    return session.scalars(
        select(ImportFile)
        .where(ImportFile.digest == file.digest, ImportFile.id < file.id, ImportFile.kind == file.kind)
        .where(ImportFile.status.in_(("importing", "done")))
        .order_by(ImportFile.id.desc())
        .limit(1)
    ).all()
