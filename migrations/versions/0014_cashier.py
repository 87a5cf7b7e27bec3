"""Money over the counter, matching, closing of the day."""

revision = "0014_cashier"
down_revision = "0013_mpesa"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
