"""What may be made to go wrong at Daraja, beside what may at any provider."""

from dataclasses import dataclass

from simulators.seeded import SeededFaults, fault

SHAPES = ("500", "4999", "400", "any")


@dataclass(frozen=True, slots=True)
class Faults(SeededFaults):
    """With these values Daraja behaves. They hold for every payment until they are changed."""

    confirm_pushes: bool = fault(False, "A push is confirmed by the PayBill's notice too, under the same receipt")
    wrong_shortcode: float = fault(0.0, "A confirmation names another short code")
    query_denies: float = fault(0.0, "A query says that a paid push has failed")
    pending_shape: str = fault("500", "How a query says that it is not decided", choices=SHAPES)
    queries_a_minute: int = fault(0, "More STK queries than this get HTTP 429; 0: no limit", 10**6)

    def shape(self, about: str) -> str:
        """How the query about this says that it is not decided."""
        return self.drawn("shape", about).choice(SHAPES[:3]) if self.pending_shape == "any" else self.pending_shape
