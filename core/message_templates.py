"""The texts that the system sends by itself: each has a name, its own wording, and the office's where it made one.

A template is known by the msgid of its text, so whoever queues a `Text` need not know that the office has reworded it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from string import Formatter

from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.clock import now
from core.database import Base
from core.i18n import Text, catalog, say, written
from core.text import is_gsm7

LONGEST = 612  # four parts of an SMS in GSM-7
_LOADED = "message_templates"


class MessageTemplate(Base):
    """The office's wording of a template in one language."""

    __tablename__ = "message_template"

    name: Mapped[str] = mapped_column(primary_key=True)
    language: Mapped[str] = mapped_column(primary_key=True)
    body: Mapped[str]
    changed_at: Mapped[datetime]
    changed_by: Mapped[str]


@dataclass(frozen=True, slots=True)
class Template:
    """`widest` makes the text with the longest values it can have; its parts are counted with them."""

    name: str
    title: str
    widest: Callable[[], Text]


TEMPLATES: dict[str, Template] = {}


def template(name: str, title: str, widest: Callable[[], Text]) -> None:
    """Make a text known to the office's editor; called once, beside the function that words it."""
    TEMPLATES[name] = Template(name, title, widest)


@dataclass(frozen=True, slots=True)
class Worded:
    """A text as it goes out; `by_office` where the office chose the wording, with signs of its own perhaps."""

    body: str
    by_office: bool


def word(session: Session, text: Text, language: str) -> Worded:
    """`text` in `language`, as the office words it or as we do."""
    own = _own_wordings(session).get((_name_of(text.msgid), language)) if TEMPLATES else None
    if own is not None:
        try:
            return Worded(fill(own, text.params, language), True)
        except (KeyError, ValueError, IndexError):
            # A later release names its values otherwise than the one for which this was written.
            return Worded(say(text, language), False)
    return Worded(say(text, language), False)


def fill(body: str, params: Mapping[str, object], language: str) -> str:
    """A wording with its values in place. Raises KeyError or ValueError where it asks for one that is not there."""
    return body.format(**{name: written(value, language) for name, value in params.items()})


def wording(session: Session, name: str, language: str) -> str:
    """The pattern in force, with its placeholders."""
    return _own_wordings(session).get((name, language)) or default_wording(name, language)


def default_wording(name: str, language: str) -> str:
    msgid = TEMPLATES[name].widest().msgid
    return catalog(language).get(msgid, msgid)


def placeholders(name: str) -> list[str]:
    """What a wording of the template may name in braces."""
    return sorted(TEMPLATES[name].widest().params)


def at_widest(name: str, body: str, language: str) -> str:
    """A wording with the longest values it can get; the wording itself where it cannot be filled in."""
    try:
        return fill(body, TEMPLATES[name].widest().params, language)
    except (KeyError, ValueError, IndexError, AttributeError):
        return body


def fault_in(name: str, body: str) -> str | None:
    """What is wrong with a wording, or None: nothing but the template's own placeholders may stand in braces."""
    if not body.strip():
        return "Write the text."
    if len(body) > LONGEST:
        return f"At most {LONGEST} characters."
    try:
        named = list(_named(body))
    except ValueError:
        return "A brace has no partner. Write {{ and }} where you mean braces."
    known = placeholders(name)
    strange = [one for one in named if one not in known]
    if strange:
        return f"There is no {{{strange[0]}}} in this text. It may name " + ", ".join(f"{{{k}}}" for k in known) + "."
    return None


def missing_from(name: str, body: str) -> list[str]:
    """Placeholders of our wording that this one leaves out: allowed, and worth a word."""
    try:
        named = set(_named(body))
    except ValueError:
        return []
    return [one for one in placeholders(name) if one not in named]


def _named(body: str) -> Iterator[str]:
    for _, field, spec, conversion in Formatter().parse(body):
        if field is not None:
            yield field + (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else "")


def reword(session: Session, name: str, language: str, body: str, by: str) -> None:
    """Keep the office's wording; the same as ours, or an empty one, takes it back. It must have no `fault_in` it."""
    body = body.replace("\r\n", "\n").strip()
    kept = session.get(MessageTemplate, (name, language), with_for_update=True)
    if not body or body == default_wording(name, language):
        if kept is not None:
            session.delete(kept)
    elif kept is None:
        session.add(MessageTemplate(name=name, language=language, body=body, changed_at=now(), changed_by=by))
    else:
        kept.body, kept.changed_at, kept.changed_by = body, now(), by
    session.flush()
    session.info.pop(_LOADED, None)


def strange_signs(text: str) -> list[str]:
    """The characters that make an SMS UCS-2, which holds 70 of them instead of 160; each once, in order."""
    return [sign for sign in dict.fromkeys(text) if not is_gsm7(sign)]


def _own_wordings(session: Session) -> dict[tuple[str, str], str]:
    """All of the office's wordings, read once a transaction: a thousand bills ask for them."""
    scope = session.get_transaction()
    kept = session.info.get(_LOADED)
    if kept is None or kept[0] is not scope or scope is None:
        rows = session.execute(select(MessageTemplate.name, MessageTemplate.language, MessageTemplate.body)).all()
        kept = (session.get_transaction(), {(name, language): body for name, language, body in rows})
        session.info[_LOADED] = kept
    own: dict[tuple[str, str], str] = kept[1]
    return own


def _name_of(msgid: str) -> str:
    return _names(len(TEMPLATES)).get(msgid, "")


_by_msgid: dict[int, dict[str, str]] = {}


def _names(known: int) -> dict[str, str]:
    """Template names by msgid, made anew when modules have added templates."""
    if known not in _by_msgid:
        _by_msgid.clear()
        _by_msgid[known] = {one.widest().msgid: one.name for one in TEMPLATES.values()}
    return _by_msgid[known]
