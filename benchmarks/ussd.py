"""The speed of USSD: our service beside the limit of its server, both measured in the same run."""

from collections.abc import Callable
from dataclasses import replace
from itertools import count

from benchmarks import load
from benchmarks.counting import counted
from benchmarks.customers import fill, first_rows
from benchmarks.load import Load, Result
from benchmarks.place import SECRET, Place, measuring, serving

OURS, BARE = "ussd_app.wsgi:app", "benchmarks.bare:app"
PATH = f"/ussd/{SECRET}/africastalking"
WARM_S = 2.0
Say = Callable[[str], None]


class Wrong(RuntimeError):
    """Screens were not what they should have been, so the figures mean nothing."""


def measure(server: str, seconds: float, customers: int, threads: int, say: Say) -> dict[str, object]:
    """Steps a second at saturation and times at half load, of the limit and of ours."""
    with measuring() as place:
        settle(place, customers, say)
        limit, limit_half = _one(place, server, BARE, Load(0, "/bare", customers, (load.bare,)), seconds, threads, say)
        ours, ours_half = _one(place, server, OURS, Load(0, PATH, customers), seconds, threads, say)
        costs = counted(customers)
    return {
        "server": server,
        "customers": customers,
        "limit": limit.as_json(),
        "limit_half_load": limit_half.as_json(),
        "ours": ours.as_json(),
        "ours_half_load": ours_half.as_json(),
        "ratio": round(ours.rate / limit.rate, 3),
        "cpu_ratio": round((limit.cpu_s / len(limit.times_ms)) / (ours.cpu_s / len(ours.times_ms)), 3),
        "p99_ratio_half_load": round(ours_half.quantile(0.99) / limit_half.quantile(0.99), 2),
        **costs,
    }


def measure_growth(server: str, seconds: float, sizes: tuple[int, ...], threads: int, say: Say) -> dict[str, object]:
    """Our steps a second with ever more customers in the books."""
    found: dict[str, object] = {}
    with measuring() as place:
        before = 0
        for size in sizes:
            settle(place, size, say, since=before)
            with serving(place, server, OURS, threads) as served:
                # Those who paid a moment ago are not asked to pay the same again.
                loaded = Load(served.port, PATH, size, started=count(before), cpu_s=served.cpu_s)
                loaded.run(WARM_S)
                found[str(size)] = _checked(loaded.run(seconds), place).as_json()
            before = size
            say(f"{size:,} customers: {found[str(size)]}")
    return {"server": server, "by_customers": found}


def measure_length(server: str, seconds: float, threads: int, say: Say) -> dict[str, object]:
    """How long a step takes early and late in a conversation of sixty steps, in milliseconds, one caller at a time."""
    with measuring() as place:
        settle(place, 1000, say)
        with serving(place, server, OURS, threads) as served:
            loaded = Load(served.port, PATH, 1000, (load.long,), callers=1, cpu_s=served.cpu_s)
            loaded.run(WARM_S)
            result = _checked(loaded.run(seconds), place)
    medians = {at: round(Result(times_ms=times).quantile(0.5), 3) for at, times in sorted(result.by_position.items())}
    return {"server": server, "p50_ms_by_position": {str(at): medians[at] for at in (1, 10, 20, 30, 40, 50, 58)}}


def settle(place: Place, customers: int, say: Say, since: int = 0) -> None:
    """Fill the books up to so many customers."""
    from core.database import transaction

    say(f"{customers:,} customers are made …")
    with transaction() as session:
        zone, tariff = first_rows(session)
    fill(place.database_url, zone, tariff, since, customers - 1)


def _one(
    place: Place, server: str, app: str, loaded: Load, seconds: float, threads: int, say: Say
) -> tuple[Result, Result]:
    """At saturation, and at half of that."""
    with serving(place, server, app, threads) as served:
        loaded = replace(loaded, port=served.port, cpu_s=served.cpu_s)
        loaded.run(WARM_S)
        full = _checked(loaded.run(seconds), place)
        say(f"{app}: {full.as_json()}")
        half = _checked(loaded.run(seconds, rate=full.rate / 2), place)
        say(f"{app} at half load: {half.as_json()}")
    return full, half


def _checked(result: Result, place: Place) -> Result:
    if result.wrong:
        logged = (place.logs / "service.log").read_text()[-2000:]
        raise Wrong(f"{len(result.wrong)} wrong screens, the first: {result.wrong[0]}\n{logged}")
    return result
