"""Imports and bulk edits: files and their rows, changes to many connections, and search by how things begin."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016_imports"
down_revision = "0015_officers"
branch_labels = None
depends_on = None

# Table -> the column that people search by its beginning; the ordinary index only serves that in the C locale.
PREFIXES = {"customer_phone": "phone", "meter": "serial", "receipt": "receipt"}


def words(name: str, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=null)


def number(name: str, *rest: sa.ForeignKey, null: bool = False, key: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, *rest, nullable=null, primary_key=key, autoincrement=False)


def moment(name: str, null: bool = True) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=null)


def identity() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True)


def texts(name: str) -> sa.Column:
    return sa.Column(name, postgresql.ARRAY(sa.Text), nullable=False)


def upgrade() -> None:
    imports()
    bulk_edits()
    for table, column in PREFIXES.items():
        op.create_index(f"ix_{table}_{column}_prefix", table, [column], postgresql_ops={column: "text_pattern_ops"})


def imports() -> None:
    op.create_table(
        "import_file", identity(), words("kind"), words("name"), words("digest"),
        sa.Column("content", sa.LargeBinary, nullable=False), words("days"), words("status"),
        sa.Column("problem", postgresql.JSONB), texts("headers"),
        sa.Column("renamed", postgresql.JSONB, nullable=False), words("encoding"), number("read_to"), number("valid"),
        number("wrong"), number("made"), number("skipped"), number("undone"), number("kept"), words("uploaded_by"),
        moment("uploaded_at", null=False), words("started_by", null=True), moment("started_at"),
        moment("finished_at"), words("undone_by", null=True), moment("undone_at"),
        sa.CheckConstraint(
            "status IN ('reading', 'refused', 'ready', 'importing', 'done', 'dropped', 'undoing', 'undone')",
            name="status",
        ),
        sa.CheckConstraint("days IN ('iso', 'dmy', 'mdy')", name="days"),
    )  # fmt: skip
    op.create_index("ix_import_file_digest", "import_file", ["digest"])
    op.create_table(
        "import_row", number("file_id", sa.ForeignKey("import_file.id"), key=True), number("number", key=True),
        texts("raw"), words("state"), words("error"), sa.Column("made", postgresql.JSONB),
        sa.CheckConstraint("state IN ('valid', 'wrong', 'made', 'skipped', 'undone', 'kept')", name="state"),
    )  # fmt: skip
    op.create_index("ix_import_row_state", "import_row", ["file_id", "state", "number"])
    op.create_table(
        "import_name", number("file_id", sa.ForeignKey("import_file.id"), key=True),
        sa.Column("name", sa.Text, primary_key=True), number("number"),
    )  # fmt: skip
    op.create_index("ix_import_name_name", "import_name", ["name"])


def bulk_edits() -> None:
    op.create_table(
        "bulk_edit", identity(), words("action"), number("target_id", null=True), words("chosen_by"), words("status"),
        number("total"), words("created_by"), moment("created_at", null=False), moment("started_at"),
        moment("finished_at"), words("undone_by", null=True),
        sa.CheckConstraint("action IN ('activate', 'suspend', 'tariff', 'zone')", name="action"),
        sa.CheckConstraint("status IN ('draft', 'changing', 'done', 'dropped', 'undoing', 'undone')", name="status"),
        sa.CheckConstraint("(action IN ('tariff', 'zone')) = (target_id IS NOT NULL)", name="target"),
    )  # fmt: skip
    op.create_table(
        "bulk_edit_row", number("edit_id", sa.ForeignKey("bulk_edit.id"), key=True),
        number("connection_id", sa.ForeignKey("connection.id"), key=True), words("state"), words("before"),
        words("after"), words("reason"),
        sa.CheckConstraint("state IN ('waiting', 'changed', 'same', 'refused', 'undone', 'kept')", name="state"),
    )  # fmt: skip
    op.create_index("ix_bulk_edit_row_state", "bulk_edit_row", ["edit_id", "state", "connection_id"])
    op.create_index("ix_bulk_edit_row_connection_id", "bulk_edit_row", ["connection_id"])


def downgrade() -> None:
    for table, column in PREFIXES.items():
        op.drop_index(f"ix_{table}_{column}_prefix", table)
    for table in ("bulk_edit_row", "bulk_edit", "import_name", "import_row", "import_file"):
        op.drop_table(table)
