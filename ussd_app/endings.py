"""How a conversation ended, and what it was about: read from its turns and from the gateway's notice."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.i18n import LANGUAGES
from flows import codec
from flows.journal import Said
from flows.menu import CODES

SORRY = "sorry"
"""The screen's name where all we could answer was an apology."""

# Africa's Talking help centre, article 1284071: how long a network keeps a session, and waits for an answer.
SESSION_LIMIT_S = 180
IDLE_LIMIT_S = {"63902": 30, "63903": 60, "63999": 30}
IDLE_S = 30
LEEWAY_S = 5
"""The notice counts from the dialling, we from the first hop."""

MENUS_OF_TASKS = {"bills", "account"}
"""Options that open another menu: what is taken there says more."""
AS_BY_SMS = {"last": "bill"}
"""Where the menu and the keywords have two names for one task."""
OTHER_CHOICES = {*LANGUAGES, "yes", "no", "continue", "again"}


@dataclass(frozen=True, slots=True)
class Notice:
    """The gateway's word on a session's end, as far as it came; `duration_ms` is that of the whole session."""

    status: str | None
    duration_ms: int | None


def outcome(*, ended: bool, last_screen: str, lasted_s: float, network: str, notice: Notice) -> str:
    """One of core.conversations.OUTCOMES. `lasted_s` is from the first turn to the last."""
    if notice.status == "Failed" or (ended and last_screen == SORRY):
        return "failed"
    if ended:
        return "completed"
    if notice.status == "Success":  # it carried an END that is not among our turns: only apologies are not kept
        return "failed" if last_screen else "completed"
    if notice.status == "Timeout":  # Hubtel's own word
        return "timed_out"
    return "timed_out" if _ran_out(lasted_s, network, notice) else "dropped"


def _ran_out(lasted_s: float, network: str, notice: Notice) -> bool:
    """Whether the network ended it, and not she: the session was at its longest, or she was silent for too long."""
    idle_s = IDLE_LIMIT_S.get(network, IDLE_S)
    if notice.duration_ms is None:
        return lasted_s > SESSION_LIMIT_S - idle_s
    took_s = notice.duration_ms / 1000
    return took_s >= SESSION_LIMIT_S - LEEWAY_S or took_s - lasted_s >= idle_s


def flow_of(state: str) -> str:
    """What a conversation was about: the option last taken from its first menu. "" where that cannot be told."""
    try:
        said = [entry for entry in codec.loads(state).journal if isinstance(entry, Said)]
    except ValueError:  # an older release wrote it in another form
        return ""
    chosen = [(names, _taken(entry.text, names)) for entry in said if (names := _names(entry.screen))]
    flow, first = "", chosen[0][0] if chosen else ()
    for at, (names, name) in enumerate(chosen):
        if names == first and name:
            beneath = chosen[at + 1][1] if name in MENUS_OF_TASKS and at + 1 < len(chosen) else ""
            flow = beneath or name
    return AS_BY_SMS.get(flow, flow)


def _names(screen: str) -> Sequence[str]:
    """The options of a menu of tasks; none for a question, a choice of language or of something of her own."""
    kind, _, rest = screen.partition(":")
    names = tuple(rest.split("|"))
    named = all(name.replace("_", "").isalpha() and name.isascii() for name in names)
    return names if kind == "choose" and len(names) > 1 and named and not set(names) <= OTHER_CHOICES else ()


def _taken(text: str, names: Sequence[str]) -> str:
    if text in CODES:
        return CODES[text]
    if text.isascii() and text.isdigit() and len(text) < 3 and 1 <= int(text) <= len(names):
        return names[int(text) - 1]
    return ""
