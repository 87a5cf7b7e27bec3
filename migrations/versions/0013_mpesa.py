"""M-Pesa beside pushes: readings of its lists, its operations, its portal's statements; and a pace that is learnt."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0013_mpesa"
down_revision = "0012_wallets"
branch_labels = None
depends_on = None


def key() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True)


def words(name: str, *, null: bool = False, default: str | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=null, server_default=default)


def moment(name: str, *, null: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=null)


def upgrade() -> None:
    op.add_column("wallet_pace", sa.Column("gap_s", sa.Float, nullable=False, server_default="0"))
    pulls()
    requests()
    statements()


def pulls() -> None:
    op.create_table(
        "pull_run", key(), words("kind"), moment("window_begins"), moment("window_ends"), moment("begun_at"),
        moment("ended_at", null=True), words("outcome", null=True),
        sa.Column("rows", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("fresh", sa.BigInteger, nullable=False, server_default="0"), words("note", default=""),
        sa.CheckConstraint("kind IN ('quick', 'recent', 'day')", name="kind"),
        sa.CheckConstraint("outcome IN ('done', 'failed')", name="outcome"),
        sa.CheckConstraint("(outcome IS NULL) = (ended_at IS NULL)", name="ended"),
    )  # fmt: skip
    op.create_index("ix_pull_run_done", "pull_run", ["window_ends"], postgresql_where=sa.text("outcome = 'done'"))
    op.create_index("ix_pull_run_kind", "pull_run", ["kind", "id"])


def requests() -> None:
    op.create_table(
        "mpesa_request", key(), words("token"), words("kind"), words("receipt", null=True),
        sa.Column("amount_minor", sa.BigInteger), words("state"), words("conversation_id", null=True),
        words("result_code", null=True), words("result_text", null=True),
        sa.Column("result", JSONB, nullable=False, server_default=sa.text("'{}'::jsonb")), words("asked_by"),
        moment("created_at"), moment("updated_at"),
        sa.CheckConstraint("kind IN ('status', 'reversal', 'balance')", name="kind"),
        sa.CheckConstraint("state IN ('created', 'sending', 'taken', 'unknown', 'done', 'failed')", name="state"),
        sa.CheckConstraint("amount_minor > 0", name="amount"),
        sa.CheckConstraint("(kind = 'balance') = (receipt IS NULL)", name="receipt"),
        sa.CheckConstraint("kind <> 'reversal' OR amount_minor IS NOT NULL", name="reversal"),
    )  # fmt: skip
    op.create_index("uq_mpesa_request_token", "mpesa_request", ["token"], unique=True)
    once = sa.text("kind = 'reversal' AND state <> 'failed'")
    op.create_index("uq_mpesa_request_reversal", "mpesa_request", ["receipt"], unique=True, postgresql_where=once)
    op.create_index("ix_mpesa_request_kind", "mpesa_request", ["kind", "id"])


def statements() -> None:
    op.create_table(
        "mpesa_statement", key(), words("name"), words("digest"), words("shortcode"), words("read_by"),
        moment("read_at"), words("entered_by", null=True), moment("entered_at", null=True),
    )  # fmt: skip
    op.create_index("uq_mpesa_statement_digest", "mpesa_statement", ["digest"], unique=True)
    op.create_table(
        "mpesa_statement_row",
        sa.Column("statement_id", sa.BigInteger, sa.ForeignKey("mpesa_statement.id"), primary_key=True,
                  autoincrement=False),
        sa.Column("line", sa.BigInteger, primary_key=True, autoincrement=False),
        words("receipt"), moment("completed_at", null=True), sa.Column("amount_minor", sa.BigInteger, nullable=False),
        words("account_said"), words("payer"), words("details"), words("verdict"), words("note", default=""),
        sa.Column("notice_id", sa.BigInteger, sa.ForeignKey("notice.id")),
        sa.CheckConstraint(
            "verdict IN ('payment', 'known', 'differs', 'charge', 'other', 'failed', 'unreadable')",
            name="verdict",
        ),
    )  # fmt: skip
    op.create_index("ix_mpesa_statement_row_receipt", "mpesa_statement_row", ["receipt"])
    op.create_index("ix_mpesa_statement_row_verdict", "mpesa_statement_row", ["statement_id", "verdict", "line"])


def downgrade() -> None:
    for table in ("mpesa_statement_row", "mpesa_statement", "mpesa_request", "pull_run"):
        op.drop_table(table)
    op.drop_column("wallet_pace", "gap_s")
