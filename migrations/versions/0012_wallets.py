"""Wallets of several providers: our own id at each, when each was last asked, and how fast it may be."""

import sqlalchemy as sa
from alembic import op

revision = "0012_wallets"
down_revision = "0011_books"
branch_labels = None
depends_on = None


def upgrade() -> None:
    reference = sa.Column("reference", sa.Text, nullable=False, server_default=sa.text("gen_random_uuid()::text"))
    op.add_column("payment_intent", reference)
    op.add_column("payment_intent", sa.Column("asked_at", sa.DateTime(timezone=True)))
    op.create_index("uq_payment_intent_reference", "payment_intent", ["reference"], unique=True)
    op.create_table(
        "wallet_pace",
        sa.Column("provider", sa.Text, primary_key=True),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("wallet_pace")
    op.drop_index("uq_payment_intent_reference", "payment_intent")
    op.drop_column("payment_intent", "asked_at")
    op.drop_column("payment_intent", "reference")
