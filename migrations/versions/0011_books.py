"""What the books still lacked."""

revision = "0011_books"
down_revision = "0010_bills"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
