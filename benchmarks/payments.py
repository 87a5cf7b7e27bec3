"""The speed of money coming in: callbacks over HTTP to settled credits, beside the same rows from a bare script.

What is measured is the running service: the web processes that answer, the relay, the workers. The sending of the
receipts' SMS is left out: it is the gateway's pace.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg

from benchmarks import payments_letters
from benchmarks.cpu import postgres_s
from benchmarks.customers import fill, first_rows
from benchmarks.payments_limit import limit
from benchmarks.payments_load import Answered, post_all
from benchmarks.place import SECRET, Cores, Place, _settle
from ussd_app.embedded.folder import ROOT, DataFolder, is_free
from ussd_app.embedded.instance import is_ready
from ussd_app.embedded.running import running
from ussd_app.embedded.servers import embedded_postgres, embedded_valkey

CUSTOMERS = 2_000
WARM = 200
WORKERS = 2
READY_S, STOPS_S, SETTLED_S = 180.0, 20.0, 600.0
TICK_S = 0.05
SHORTCODE = "600100"
Say = Callable[[str], None]
OPEN = "SELECT EXISTS (SELECT FROM notice WHERE outcome IS NULL)"
LATER = """
    CREATE FUNCTION bench_later() RETURNS trigger LANGUAGE plpgsql
        AS 'BEGIN NEW.run_after := now() + interval ''1000 days''; RETURN NEW; END';
    CREATE TRIGGER bench_later BEFORE INSERT ON outbox FOR EACH ROW WHEN (NEW.job = 'messages.send')
        EXECUTE FUNCTION bench_later();
"""
"""The SMS wait for years, so that the workers settle and nothing else."""


class Wrong(RuntimeError):
    """The books do not hold what they should, so the figures mean nothing."""


def measure(credits: int, callers: int, say: Say) -> dict[str, object]:
    """Credits a second of ours and of the limit, and how long a callback waits for its answer meanwhile."""
    with _place() as (place, folder):
        url = place.database_url
        letters = _books(url, credits, say)
        with _service(place) as port:
            _settled(url, port, letters[:WARM], callers)
            before, cpu_s = _last_notice(url), _cpu_s(folder)
            answered, seconds = _settled(url, port, letters[WARM:], callers)
            cpu_s = _cpu_s(folder) - cpu_s
        say(f"{credits} credits in {seconds:.2f} s; now the limit …")
        _check(url, len(letters))
        limit_s, limit_cpu_s, rows = limit(url, folder, before, WORKERS)
    return {
        "credits": credits, "cores": len(os.sched_getaffinity(0)), "callers": callers,
        "ours": round(credits / seconds, 1), "limit": round(credits / limit_s, 1),
        "ratio": round(limit_s / seconds, 3), "cpu_ratio": round(limit_cpu_s / cpu_s, 3),
        "cpu_ms_per_credit": round(1e3 * cpu_s / credits, 2),
        "limit_cpu_ms_per_credit": round(1e3 * limit_cpu_s / credits, 2),
        "answers_per_s": round(len(answered.times_ms) / answered.seconds, 1),
        "p50_ms": round(answered.quantile(0.5), 1), "p99_ms": round(answered.quantile(0.99), 1),
        "rows_per_credit": round(rows / credits, 2),
    }  # fmt: skip


@contextmanager
def _place() -> Iterator[tuple[Place, Path]]:
    """Servers of its own on all cores."""
    folder = Path(tempfile.mkdtemp(prefix="mita-bench-"))
    folder.chmod(0o711)
    data = DataFolder(folder / "data")
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        data.create()
        postgres, valkey = embedded_postgres(data), embedded_valkey(data)
        stack.enter_context(running(postgres.program(), data.logs / "postgres.log"))
        stack.enter_context(running(valkey.program(), data.logs / "valkey.log"))
        place = Place(postgres.url("postgres"), valkey.url, data.logs, Cores.split())
        os.environ.update(MPESA_SHORTCODE=SHORTCODE, MPESA_CONSUMER_KEY="", WEB_CONCURRENCY="2", WEB_THREADS="8")
        _settle(place)
        yield place, folder


def _books(url: str, credits: int, say: Say) -> list[bytes]:
    """Customers, and a prompt that is out for every other letter; gives the letters as HTTP requests."""
    from core.database import transaction

    say(f"{CUSTOMERS:,} customers and {credits:,} payments are made …")
    with transaction() as session:
        zone, tariff = first_rows(session)
    fill(url, zone, tariff, 0, CUSTOMERS - 1)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(LATER)
        payments_letters.attempts(connection, credits + WARM, CUSTOMERS)
        connection.execute("VACUUM ANALYZE")
    return [payments_letters.letter(at, CUSTOMERS, SECRET, SHORTCODE) for at in range(credits + WARM)]


@contextmanager
def _service(place: Place) -> Iterator[int]:
    """Web, relay and workers as the Procfile has them; gives the web's port."""
    port = next(number for number in range(18000, 19000) if is_free(number))
    web = ["gunicorn", "-c", "gunicorn.conf.py", "ussd_app.wsgi:app"]
    commands = [web, ["ussd_app.cli", "relay"], *([["ussd_app.cli", "worker"]] * WORKERS)]
    environ = {**os.environ, "BIND": f"127.0.0.1:{port}"}
    with ExitStack() as stack, (place.logs / "service.log").open("ab") as log:
        for command in commands:
            process = subprocess.Popen(  # noqa: S603 - processes of ours
                [sys.executable, "-m", *command], cwd=ROOT, stdout=log, stderr=log, env=environ
            )
            stack.callback(_stop, process)
        end = time.monotonic() + READY_S
        while not is_ready(port):
            if time.monotonic() > end:
                raise RuntimeError(f"the service does not start:\n{(place.logs / 'service.log').read_text()[-2000:]}")
            time.sleep(TICK_S)
        yield port


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(STOPS_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _settled(url: str, port: int, letters: list[bytes], callers: int) -> tuple[Answered, float]:
    """Post all; how the answers came, and the seconds from the first notice to the last one settled."""
    last = _last_notice(url)
    answered = post_all(port, letters, callers)
    end = time.monotonic() + SETTLED_S
    with psycopg.connect(url, autocommit=True) as connection:
        while connection.execute(OPEN).fetchone() == (True,):
            if time.monotonic() > end:
                raise Wrong("not everything is settled")
            time.sleep(TICK_S)
        span = connection.execute(
            "SELECT extract(epoch FROM max(processed_at) - min(received_at)) FROM notice WHERE id > %s", (last,)
        ).fetchone()
    assert span is not None
    return answered, float(span[0])


def _last_notice(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT coalesce(max(id), 0) FROM notice").fetchone()
    assert row is not None
    return int(row[0])


def _cpu_s(folder: Path) -> float:
    """The processor time of PostgreSQL and of our processes so far, in seconds."""
    ours = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            command = (stat.parent / "cmdline").read_text()
            fields = stat.read_text().rpartition(")")[2].split()
            environ = (stat.parent / "environ").read_text()
        except OSError:
            continue
        if ("gunicorn" in command or "ussd_app.cli\0relay" in command or "ussd_app.cli\0worker" in command) and (
            str(folder) in environ or SECRET in environ
        ):
            ours += int(fields[11]) + int(fields[12])
    return postgres_s(folder) + ours / os.sysconf("SC_CLK_TCK")


def _check(url: str, expected: int) -> None:
    """Each letter is one credit and one SMS, and every promise about payments holds."""
    from core.database import transaction
    from payments import books

    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT (SELECT count(*) FROM receipt WHERE connection_id IS NOT NULL), (SELECT count(*) FROM message), "
            "(SELECT count(*) FROM payment_intent WHERE state = 'paid')"
        ).fetchone()
    with transaction() as session:
        broken = [one.name for one in books.check(session) if one.violations]
    if row != (expected, expected, (expected + 1) // 2) or broken:
        raise Wrong(f"{row} receipts, messages and paid attempts of {expected} letters; broken: {broken}")
