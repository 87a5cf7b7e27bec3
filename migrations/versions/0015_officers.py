"""Officers: roles, second factor, sessions, and the audit of every change."""

revision = "0015_officers"
down_revision = "0010_bills"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
