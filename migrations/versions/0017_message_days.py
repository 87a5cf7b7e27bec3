"""The messages of a day are found without reading those of all days."""

from alembic import op

revision = "0017_message_days"
down_revision = "0016_imports"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_message_created", "message", ["created_at"], postgresql_using="brin")


def downgrade() -> None:
    op.drop_index("ix_message_created", "message")
