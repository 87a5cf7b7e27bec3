"""Taking a request to pay over HTTP, with all that the faults do to it."""

from typing import Literal

from simulators.momo.provider import Provider
from simulators.momo.requests import Ask, Ending
from simulators.serving import hang_up

LONGEST_WAIT_S = 10.0

Taken = Literal["taken", "exists", "too_many", "broken"]


def take(provider: Provider, ask: Ask, decided: tuple[Ending, float] | None = None) -> Taken:
    """What the provider shall answer. Where the answer is to be lost, the connection has ended by then."""
    if provider.strikes("too_many", f"pay:{ask.phone}"):
        return "too_many"
    if provider.strikes("broken", ask.phone):
        return "broken"
    if provider.requests.find(ask.reference) is None and provider.strikes("forgotten", ask.phone):
        return "taken"
    request = provider.take(ask, decided)
    if request is None:
        return "exists"
    if provider.faults.strikes("answer_after_callback", request.about):
        request.delivered.wait(LONGEST_WAIT_S)
    if provider.faults.strikes("answer_lost", request.about):
        hang_up()
    return "taken"
