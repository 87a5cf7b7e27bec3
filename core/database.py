"""The database session: one engine a process, one transaction a request or job."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, DateTime, Engine, MetaData, Numeric, Text, create_engine
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker

from core.config import settings
from core.phone import Phone

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """All tables. Text without a length, moments with a zone, identifiers of 64 bits, exact numbers."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {
        str: Text(),
        Phone: Text(),
        int: BigInteger(),
        datetime: DateTime(timezone=True),
        Decimal: Numeric(14, 3),
        dict[str, Any]: JSONB(),
    }


_url: str | None = None


def configure(url: str) -> None:
    """Use the database at `url` from now on; the settings' own is used where nobody calls this."""
    global _url
    if engine.cache_info().currsize:
        engine().dispose()
    engine.cache_clear()
    sessions.cache_clear()
    _url = url


@cache
def engine() -> Engine:
    """The process's connection pool. It checks a connection before lending it, so a restart of PostgreSQL heals."""
    url = (_url or settings().database_url).replace("postgres://", "postgresql://", 1)
    return create_engine(
        url.replace("postgresql://", "postgresql+psycopg://", 1),
        pool_pre_ping=True,
        pool_size=8,
        max_overflow=8,
        pool_timeout=5,
        hide_parameters=True,  # an error in the log shows no names, numbers or amounts
        connect_args={"connect_timeout": 3, "application_name": "mita"},
    )


@cache
def sessions() -> sessionmaker[Session]:
    return sessionmaker(engine(), expire_on_commit=False)


@contextmanager
def transaction() -> Iterator[Session]:
    """One transaction: committed when the block ends, rolled back when it raises. Make no network call inside."""
    with sessions().begin() as session:
        yield session
