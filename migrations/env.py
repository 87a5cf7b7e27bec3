"""Alembic's entry: migrates the database of the settings, one process at a time."""

import importlib

from alembic import context
from sqlalchemy import Connection, text

from core.database import Base, engine

LOCK = 0x4D495441  # any number that no other program locks: "MITA"
MODELS = (
    "core.outbox", "core.messages", "core.conversations", "core.opt_outs",
    "core.message_hold", "core.message_failures", "core.message_templates", "core.audit",
    "billing.models", "billing.importing.models", "payments.models", "payments.desk_models", "payments.move_models",
    "payments.matching_models", "payments.mpesa_models", "ussd_app.effects", "admin_web.models",
)  # fmt: skip

for module in MODELS:
    importlib.import_module(module)


def migrate(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=Base.metadata, compare_server_default=False)
    with context.begin_transaction():
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        context.run_migrations()


with engine().connect() as connection:
    migrate(connection)
    connection.commit()
