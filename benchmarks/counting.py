"""What a step costs elsewhere: the round trips to Redis and PostgreSQL, and the statements, counted in this process."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import Any
from unittest.mock import patch
from urllib.parse import urlencode

import psycopg
from redis.connection import AbstractConnection

from benchmarks.customers import phone_of
from benchmarks.load import MIX
from benchmarks.place import SECRET
from core.statements import Statements

ROUNDS = 25


def counted(customers: int) -> dict[str, float]:
    """Per step of the mixed load. A write's BEGIN and COMMIT are round trips, but no statements."""
    from core.config import settings
    from ussd_app.app import create_app
    from ussd_app.edge import Edge
    from ussd_app.gateways.web import DIALECTS

    service, steps = Edge(create_app(settings()).wsgi_app, DIALECTS), 0
    tally: Counter[str] = Counter()
    for at in range(2 * ROUNDS * len(MIX)):
        if at == ROUNDS * len(MIX):
            steps = 0
            tally.clear()
        number = customers - 1 - at % customers
        session = MIX[at % len(MIX)](number, 50 + at // customers)
        with _counting(tally):
            steps += _lived(service, session, number, at)
    return {
        "redis_round_trips_per_step": round(tally["redis"] / steps, 2),
        "postgres_round_trips_per_step": round((tally["statement"] + tally["begin"] + tally["commit"]) / steps, 2),
        "statements_per_step": round(tally["statement"] / steps, 2),
    }


def _lived(service: Any, session: Any, number: int, at: int) -> int:
    steps, text = 0, next(session)
    while True:
        screen = _step(service, number, at, text)
        steps += 1
        try:
            text = session.send(screen)
        except StopIteration:
            return steps


def _step(service: Any, number: int, at: int, text: str) -> str:
    body = urlencode(
        {"sessionId": f"count{at}", "phoneNumber": phone_of(number), "networkCode": "63902",
         "serviceCode": "*384*7#", "text": text}
    ).encode()  # fmt: skip
    environ = {
        "PATH_INFO": f"/ussd/{SECRET}/africastalking", "REQUEST_METHOD": "POST", "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": "application/x-www-form-urlencoded", "wsgi.input": BytesIO(body), "REMOTE_ADDR": "127.0.0.1",
        "QUERY_STRING": "",
    }  # fmt: skip
    return b"".join(service(environ, lambda *_: None)).decode()


@contextmanager
def _counting(tally: "Counter[str]") -> Iterator[None]:
    """Every write to a Redis connection is a round trip; statements go through the driver's cursor, or beside it."""
    run: Any = Statements._run
    send: Any = AbstractConnection.send_packed_command  # without types
    execute, commit = psycopg.Cursor.execute, psycopg.Connection.commit

    def executing(cursor: Any, *args: Any, **named: Any) -> Any:
        tally["begin"] += (
            cursor.connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
            and not cursor.connection.autocommit
        )
        tally["statement"] += 1
        return execute(cursor, *args, **named)

    def committing(connection: Any) -> None:
        tally["commit"] += connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE
        commit(connection)

    def sending(connection: Any, *args: Any, **named: Any) -> None:
        tally["redis"] += 1
        send(connection, *args, **named)

    def running(ours: Statements, statement: str, values: Sequence[object]) -> Any:
        begins = ours.connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        tally["begin"] += begins and not ours.connection.autocommit
        tally["statement"] += 1
        return run(ours, statement, values)

    with (
        patch.object(Statements, "_run", running),
        patch.object(psycopg.Cursor, "execute", executing),
        patch.object(psycopg.Connection, "commit", committing),
        patch.object(AbstractConnection, "send_packed_command", sending),
    ):
        yield
