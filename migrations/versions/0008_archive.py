"""How conversations ended, and where; what they were about; how long each screen took."""

import sqlalchemy as sa
from alembic import op

revision = "0008_archive"
down_revision = "0007_messages"
branch_labels = None
depends_on = None

BEFORE = ("completed", "dropped", "failed")
NOW = ("open", "completed", "dropped", "timed_out", "failed")
SEEN_BY_THE_FUNNEL = ["id", "channel", "flow", "language", "network", "outcome", "last_screen"]


def upgrade() -> None:
    for column in (
        sa.Column("flow", sa.Text, nullable=False, server_default=""),
        sa.Column("last_screen", sa.Text, nullable=False, server_default=""),
        sa.Column("gateway_duration_ms", sa.BigInteger),
        sa.Column("gateway_hops", sa.BigInteger),
        sa.Column("gateway_cost", sa.Text),
    ):
        op.add_column("conversation", column)
    op.add_column("conversation_hop", sa.Column("first", sa.Boolean, nullable=False, server_default=sa.text("true")))
    op.add_column("conversation_hop", sa.Column("waited_s", sa.BigInteger))
    outcomes(NOW)
    look_back()
    op.drop_index("ix_conversation_started", "conversation")
    op.create_index("ix_conversation_started", "conversation", ["started_at"], postgresql_include=SEEN_BY_THE_FUNNEL)
    op.create_index(
        "ix_conversation_outcome", "conversation", ["outcome", "id"], postgresql_where="outcome <> 'completed'"
    )
    op.create_index(
        "ix_conversation_hop_screen", "conversation_hop", ["conversation_id"],
        postgresql_include=["screen", "position", "first", "waited_s"],
    )  # fmt: skip


def look_back() -> None:
    """What the new columns would say of the conversations that are kept already."""
    op.execute(
        """
        UPDATE conversation_hop AS hop
        SET first = seen.times = 1, waited_s = CASE WHEN NOT seen.is_last THEN seen.waited_s END
        FROM (
            SELECT conversation_id, position,
                row_number() OVER (PARTITION BY conversation_id, screen ORDER BY position) AS times,
                floor(extract(epoch FROM greatest(lead(at) OVER talk, at) - at))::bigint AS waited_s,
                lead(at) OVER talk IS NULL AS is_last
            FROM conversation_hop WINDOW talk AS (PARTITION BY conversation_id ORDER BY position)
        ) AS seen
        WHERE hop.conversation_id = seen.conversation_id AND hop.position = seen.position
          AND (seen.times > 1 OR NOT seen.is_last)
        """
    )
    op.execute(
        """
        UPDATE conversation AS talk SET last_screen = last.screen
        FROM (
            SELECT DISTINCT ON (conversation_id) conversation_id, screen
            FROM conversation_hop ORDER BY conversation_id, position DESC
        ) AS last
        WHERE talk.id = last.conversation_id
        """
    )


def outcomes(allowed: tuple[str, ...]) -> None:
    op.drop_constraint("ck_conversation_outcome", "conversation")
    op.create_check_constraint("outcome", "conversation", f"outcome IN {allowed}")


def downgrade() -> None:
    for name, table in (
        ("ix_conversation_hop_screen", "conversation_hop"),
        ("ix_conversation_outcome", "conversation"),
        ("ix_conversation_started", "conversation"),
    ):
        op.drop_index(name, table)
    op.create_index("ix_conversation_started", "conversation", ["started_at"])
    op.execute("UPDATE conversation SET outcome = 'dropped' WHERE outcome IN ('open', 'timed_out')")
    outcomes(BEFORE)
    for column in ("waited_s", "first"):
        op.drop_column("conversation_hop", column)
    for column in ("gateway_cost", "gateway_hops", "gateway_duration_ms", "last_screen", "flow"):
        op.drop_column("conversation", column)
