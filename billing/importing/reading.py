"""The first half of an import: a file is kept, and its rows are read and held against the books, some at a time."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from itertools import dropwhile, islice
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from billing.importing.columns import Headers, Values, row_values, understand
from billing.importing.kind import Kind
from billing.importing.kinds import KINDS
from billing.importing.known import among
from billing.importing.models import ImportFile, ImportName, ImportRow
from billing.importing.tables import MOST_ROWS, Record, Table, Unreadable, open_table
from core.clock import now
from core.outbox import after_commit

READ = "billing.read_import"
AT_ONCE = 256 * 1024
"""Bytes of a file that is read within the request that brings it; larger ones are a worker's."""
CHUNK = 20_000
AT_A_TIME = 2_000


def keep(session: Session, kind: str, name: str, content: bytes, *, days: str, by: str) -> ImportFile:
    """Keep an uploaded file and have its rows read: a small one at once, a large one by a worker."""
    file = ImportFile(
        kind=kind, name=name[:200] or "file", digest=hashlib.sha256(content).hexdigest(), content=content, days=days,
        uploaded_by=by, uploaded_at=now(),
    )  # fmt: skip
    session.add(file)
    session.flush()
    _begin(session, file, len(content))
    return file


def rename(session: Session, file: ImportFile, renamed: dict[str, str]) -> bool:
    """Read the file anew, these headers meaning those columns; False where it is past that."""
    session.flush()
    session.refresh(file, with_for_update=True)
    known = {column.name for column in KINDS[file.kind].columns}
    if file.status not in ("refused", "ready"):
        return False
    file.renamed = {header: name for header, name in renamed.items() if header in file.headers and name in known}
    for table in (ImportName, ImportRow):
        session.execute(delete(table).where(table.file_id == file.id))
    file.status, file.problem, file.read_to, file.valid, file.wrong = "reading", None, 0, 0, 0
    session.flush()
    _begin(session, file, len(file.content))
    return True


def _begin(session: Session, file: ImportFile, size: int) -> None:
    if size > AT_ONCE:
        after_commit(session, READ, file.id)
        return
    while read_rows(session, file.id):
        pass


def read_rows(session: Session, file_id: int, *, chunk: int = CHUNK) -> bool:
    """Read the next rows; whether there may be more. Run twice or at once, each row is read once."""
    file = session.get(ImportFile, file_id, with_for_update=True, populate_existing=True)
    if file is None or file.status != "reading":
        return False
    table = open_table(file.content)
    if isinstance(table, Unreadable):
        return _refuse(file, table.kind, table.says)
    kind = KINDS[file.kind]
    file.headers, file.encoding = table.headers, table.encoding
    headers = understand(kind.columns, table.headers, file.renamed)
    if headers.missing or headers.twice:
        return _headers_refused(file, kind, headers, table)
    seen = file.read_to
    records = list(islice(dropwhile(lambda record: record.number <= seen, table.rows), chunk))
    so_far = file.valid + file.wrong
    room = MOST_ROWS - so_far
    _take(session, file, kind, headers, records[:room])
    if len(records) > room:
        return _refuse(file, "limits", f"The file has more than {MOST_ROWS:,} rows. Part it in two.")
    if len(records) == chunk:
        return True
    if not file.valid + file.wrong:
        return _refuse(file, "no_rows", "The file has headers, but no row below them.")
    file.status = "ready"
    return False


def _refuse(file: ImportFile, kind: str, says: str, **more: object) -> bool:
    file.status, file.problem = "refused", {"kind": kind, "says": says, **more}
    return False


def _headers_refused(file: ImportFile, kind: Kind, headers: Headers, table: Table) -> bool:
    """First a file that is surely of another kind, then headers that do not fit. The first rows are shown with it."""
    sample = [[record.number, record.cells[:12]] for record in islice(table.rows, 5)]
    more = {
        "missing": headers.missing, "twice": headers.twice, "ignored": headers.ignored, "sample": sample,
        "suggested": headers.suggested,
    }  # fmt: skip
    if kind.key in headers.missing:
        says = f"Your file needs a column called “{kind.key}”."
        return _refuse(file, "key", says, **more)
    if headers.twice:
        return _refuse(file, "headers", f"Two columns are called “{headers.twice[0]}”. Take one of them out.", **more)
    wanted = ", ".join(f"“{name}”" for name in headers.missing)
    return _refuse(file, "headers", f"Your file needs {_columns(len(headers.missing))} called {wanted}.", **more)


def _columns(count: int) -> str:
    return "a column" if count == 1 else f"{count} columns"


def _take(session: Session, file: ImportFile, kind: Kind, headers: Headers, records: Sequence[Record]) -> None:
    """Check these rows and put them down beside the file."""
    if not records:
        return
    read: list[tuple[Values, str]] = []
    for record in records:
        values, wrong = row_values(kind.columns, headers, record.cells, file.days)
        read.append((values, record.fault or wrong))
    fine = [position for position, (_values, wrong) in enumerate(read) if not wrong]
    refused = dict(zip(fine, kind.check(session, [read[position][0] for position in fine]), strict=True))
    names = {position: list(dict.fromkeys(kind.names(read[position][0]))) for position in fine}
    known = _known(session, file.id, {name for some in names.values() for name in some})
    rows: list[dict[str, Any]] = []
    called: list[dict[str, Any]] = []
    for position, record in enumerate(records):
        wrong = read[position][1] or refused[position]
        twin = next((known[name] for name in names.get(position, ()) if name in known), None)
        if twin is not None and not wrong:
            wrong = f"It repeats row {twin}."
        if not wrong:
            known.update(dict.fromkeys(names[position], record.number))
            called += [{"file_id": file.id, "name": name, "number": record.number} for name in names[position]]
        rows.append({
            "file_id": file.id, "number": record.number, "raw": record.cells, "error": wrong,
            "state": "wrong" if wrong else "valid",
        })  # fmt: skip
    for table, some in ((ImportRow, rows), (ImportName, called)):
        for start in range(0, len(some), AT_A_TIME):
            session.execute(insert(table), some[start : start + AT_A_TIME])
    states = Counter(row["state"] for row in rows)
    file.valid, file.wrong, file.read_to = (
        file.valid + states["valid"],
        file.wrong + states["wrong"],
        rows[-1]["number"],
    )


def _known(session: Session, file_id: int, names: set[str]) -> dict[str, int]:
    """What earlier rows of the file are called, and their numbers."""
    if not names:
        return {}
    rows = session.execute(
        select(ImportName.name, ImportName.number).where(ImportName.file_id == file_id, among(ImportName.name, names))
    )
    return dict(rows.tuples().all())
