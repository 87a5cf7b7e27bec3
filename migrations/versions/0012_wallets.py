"""Wallets of several providers."""

revision = "0012_wallets"
down_revision = "0010_bills"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
