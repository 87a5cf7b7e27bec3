"""Which connection is meant: her only one, or one of several, by building and department where she has those."""

from core.i18n import Text, _
from flows.talk import Talk, choose
from flows.values import Caller, ConnectionRef


def which(caller: Caller) -> Talk[str]:
    """The account number of the connection meant."""
    places = caller.connections
    for part, question in (("building", _("Which building?")), ("department", _("Which department?"))):
        places = yield from _narrowed(places, part, question)
    if len(places) == 1:
        return places[0].account_no
    shown = {place.account_no: _("{account} {place}", account=place.account_no, place=place.label[:20])
             for place in places}  # fmt: skip
    return (yield from choose(_("Which connection?"), shown, key="connection"))


def _narrowed(places: tuple[ConnectionRef, ...], part: str, question: Text) -> Talk[tuple[ConnectionRef, ...]]:
    """Those in the building or department that she picks, where there are several of them."""
    names = list(dict.fromkeys(getattr(place, part) for place in places))
    if len(names) < 2:
        return places
    shown = {name: Text("{name}", {"name": name[:24]}) if name else _("Elsewhere") for name in names}
    chosen = yield from choose(question, shown, key=part)
    return tuple(place for place in places if getattr(place, part) == chosen)
