"""All of M-Pesa."""

revision = "0013_mpesa"
down_revision = "0012_wallets"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
