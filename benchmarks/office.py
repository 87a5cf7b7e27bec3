"""The speed of the office's pages on large books: every page that can be looked at, as the server answers it."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from statistics import median
from time import perf_counter
from typing import Any

from benchmarks.accounts import fill
from benchmarks.billing import _place, _run
from benchmarks.customers import account_of, phone_of

TIMES = 5
FILES = ("csv", "xlsx", "file")
Say = Callable[[str], None]


def measure(accounts: int, workers: int, say: Say) -> dict[str, object]:
    """Milliseconds of each page, the median of some calls, on books of so many accounts with a month that is billed."""
    with _place() as (url, folder):
        from billing import books
        from billing.jobs import review_run
        from core.clock import frozen
        from core.database import sessions, transaction

        say(f"{accounts:,} accounts are made …")
        with sessions()() as session:
            fill(session, url, accounts)
        with frozen(datetime(2026, 11, 2, 9, tzinfo=UTC)):
            _run(url, folder, workers, say)
            review_run(1)
        with transaction() as own:
            books.remember(own, books.check(own))  # as the clock does every hour
        with _officer() as browser:
            found = {path: _timed(browser, path) for path in _paths(browser, accounts)}
    slowest = sorted(found.items(), key=lambda one: -one[1])
    return {
        "accounts": accounts,
        "pages": len(found),
        "median_ms": round(median(found.values()), 1),
        "slowest_ms": slowest[0][1],
        "over_100_ms": [path for path, ms in slowest if ms > 100],
        "ms": dict(slowest),
    }


@contextmanager
def _officer() -> Iterator[Any]:
    """A browser of an administrator, in this process: what is timed is the server's work and no network."""
    from admin_web.users import create_user
    from core.config import settings
    from core.database import transaction
    from ussd_app.app import create_app

    os.environ["PUBLIC_BASE_URL"] = "http://localhost"
    settings.cache_clear()
    with transaction() as session:
        create_user(session, "bench", "correct horse battery staple", "administrator")
    with create_app(settings()).test_client() as browser:
        login = browser.get("/office/login").text
        token = login.partition('name="csrf_token" value="')[2].partition('"')[0]
        form = {"username": "bench", "password": "correct horse battery staple", "csrf_token": token}
        answer = browser.post("/office/login", data=form)
        assert answer.status_code == 303, answer.text
        yield browser


def _paths(browser: Any, accounts: int) -> list[str]:
    """Every page without a part in its address, one of each kind with one, and some searches; no files."""
    rules = browser.application.url_map.iter_rules()
    plain = [
        rule.rule for rule in rules
        if rule.endpoint.startswith("office.") and "GET" in rule.methods and not rule.arguments
        and not rule.rule.endswith(FILES)
    ]  # fmt: skip
    middle = 1000 + accounts // 2
    one = [f"/office/{path}" for path in (
        f"customers/{middle}", f"connections/{middle}", f"connections/{middle}/account", f"meters/{middle}",
        f"invoices/{accounts // 2}", f"readings/{accounts}", "runs/1", "tariffs/1", "ledger/receivable",
        f"customers?q=Otieno+{accounts // 2}", f"search?q={account_of(accounts // 2)}",
        f"search?q={phone_of(accounts // 3)[-9:]}", "search?q=Amina", "connections?zone=1", "invoices?run=1",
    )]  # fmt: skip
    return [path for path in (*plain, *one) if browser.get(path).status_code in (200, 303)]


def _timed(browser: Any, path: str) -> float:
    times = []
    for _ in range(TIMES):
        begun = perf_counter()
        browser.get(path)
        times.append(1000 * (perf_counter() - begun))
    return round(median(times), 1)
