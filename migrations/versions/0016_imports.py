"""Imports and bulk edits."""

revision = "0016_imports"
down_revision = "0015_officers"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
