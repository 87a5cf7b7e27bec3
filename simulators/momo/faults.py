"""What may be made to go wrong at MTN or Airtel, beside what may at any provider."""

from dataclasses import dataclass

from simulators.seeded import SeededFaults, fault


@dataclass(frozen=True, slots=True)
class MomoFaults(SeededFaults):
    """With these values the provider behaves. They hold for every request until they are changed."""

    vague_status: float = fault(0.0, "A status that is not decided is told by its least clear word (CREATED, TA)")
    forgotten: float = fault(0.0, "A request is answered as if it were taken, and is not: its status is unknown")
    statuses_a_second: int = fault(0, "More status requests than this get HTTP 429; 0: no limit", 10**6)
    wrong_hash: float = fault(0.0, "A signed callback has another hash than it should")
