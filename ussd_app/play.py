"""Playing a turn: the conversation, from where it is stored or from its beginning, up to the next screen."""

from functools import cache

from core.config import settings
from core.i18n import Text
from flows import player
from flows.journal import State
from flows.menu import ussd_menu
from flows.pages import Keys, budget_for
from ussd_app.turn import Turn
from ussd_app.turn_books import Books
from ussd_app.world import World, leave


class Lost(Exception):
    """The conversation so far is not at hand, and the gateway sends only what was typed last."""


def played(
    turn: Turn, state: State | None, tape: str, books: Books, *, new: bool = False, left: str = "",
    note: Text | None = None,
) -> tuple[player.Reply, str]:  # fmt: skip
    """The reply to the latest input where `state` is at hand, else to all of them; and the tape as it is then.

    `new` says that no write of this turn can be in the books yet. Raises Lost.
    """
    world = World(turn.phone, "ussd", turn.conversation, tape, new=new, books=books, left=left)
    budget = budget_for(turn.network, _keys(settings().navigation()))
    if state is not None:
        reply = player.answer(ussd_menu, state, turn.inputs[-1], turn.position, world, budget, note)
    elif turn.earlier:
        raise Lost
    else:
        reply = player.replay(ussd_menu, turn.inputs, world, budget, settings().default_language)
    return reply, world.tape


@cache
def _keys(navigation: tuple[str, str, str]) -> Keys:
    return Keys(*navigation)


def dropped_at(turn: Turn, reply: player.Reply) -> str:
    """What a later dial may take up if the session is dropped here; "" where there is nothing."""
    if reply.ends or reply.resume == "none" or not reply.answers:
        return ""
    return leave(turn.conversation, reply.resume, reply.answers)
