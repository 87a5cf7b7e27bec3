"""An uploaded file, and what became of each of its rows."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, LargeBinary, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base

STATES = ("reading", "refused", "ready", "importing", "done", "dropped", "undoing", "undone")
ROW_STATES = ("valid", "wrong", "made", "skipped", "undone", "kept")
MOVING = ("reading", "importing", "undoing")


class ImportFile(Base):
    """A file as it was uploaded (`content`), and how far it is.

    reading: its rows are being checked, `read_to` is the last one. refused: the file as a whole will not do, `problem`
    says why. ready: waits for somebody's word. importing, done: `made` and `skipped` count rows. dropped: nobody wanted
    it. undoing, undone: `undone` and `kept` count what was taken back and what was not.
    `renamed` is what the office said that a column means; `headers` are the file's own. `total` of a bulk of rows that
    an import works on is `valid`.
    """

    __tablename__ = "import_file"
    __table_args__ = (
        CheckConstraint(f"status IN {STATES}", name="status"),
        CheckConstraint("days IN ('iso', 'dmy', 'mdy')", name="days"),
        Index("ix_import_file_digest", "digest"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    kind: Mapped[str]
    name: Mapped[str]
    digest: Mapped[str]
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    days: Mapped[str]
    status: Mapped[str] = mapped_column(default="reading")
    problem: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    headers: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    renamed: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    encoding: Mapped[str] = mapped_column(default="")
    read_to: Mapped[int] = mapped_column(default=0)
    valid: Mapped[int] = mapped_column(default=0)
    wrong: Mapped[int] = mapped_column(default=0)
    made: Mapped[int] = mapped_column(default=0)
    skipped: Mapped[int] = mapped_column(default=0)
    undone: Mapped[int] = mapped_column(default=0)
    kept: Mapped[int] = mapped_column(default=0)
    uploaded_by: Mapped[str]
    uploaded_at: Mapped[datetime]
    started_by: Mapped[str | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    undone_by: Mapped[str | None]
    undone_at: Mapped[datetime | None]


class ImportRow(Base):
    """One row: its `number` as a spreadsheet shows it, what stood there, what is wrong with it, what it made."""

    __tablename__ = "import_row"
    __table_args__ = (
        CheckConstraint(f"state IN {ROW_STATES}", name="state"),
        Index("ix_import_row_state", "file_id", "state", "number"),
    )

    file_id: Mapped[int] = mapped_column(ForeignKey("import_file.id"), primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    raw: Mapped[list[str]] = mapped_column(ARRAY(Text))
    state: Mapped[str]
    error: Mapped[str] = mapped_column(default="")
    made: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))


class ImportName(Base):
    """What a valid row calls something by, such as "customer 4711"; it is the only one of its file that does."""

    __tablename__ = "import_name"
    __table_args__ = (Index("ix_import_name_name", "name"),)

    file_id: Mapped[int] = mapped_column(ForeignKey("import_file.id"), primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int]
