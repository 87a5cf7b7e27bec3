"""The live counter beside a text: how many signs and parts it takes, and what one strange sign costs."""

from dataclasses import dataclass

from flask import abort, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from admin_web.access import SUPPORT, page
from core.i18n import LANGUAGES
from core.message_templates import TEMPLATES, at_widest, strange_signs
from core.text import SmsParts, sms_parts, to_gsm7

LONGEST = 2000  # of what is counted; a text that may be saved is far shorter
ROOM = {"GSM-7": (160, 153), "UCS-2": (70, 67)}


@dataclass(frozen=True, slots=True)
class Counted:
    """What a text takes, the signs that make it UCS-2, and what it would take without them."""

    count: SmsParts
    room: int
    signs: list[str]
    plain: SmsParts

    @property
    def dearer(self) -> bool:
        """Whether the strange signs cost parts."""
        return self.plain.parts < self.count.parts


def counted(text: str) -> Counted:
    """Count as carriers do."""
    count = sms_parts(text)
    single, each = ROOM[count.encoding]
    room = single if count.parts == 1 else each * count.parts
    return Counted(count, room, strange_signs(text), sms_parts(to_gsm7(text)))


def typed(name: str) -> str:
    """A text from a form, with line ends as phones have them."""
    return request.form.get(name, "").replace("\r\n", "\n").strip()


@page("/messages/count", roles=SUPPORT, methods=("POST",), repeatable=True)
def count_message(session: Session) -> ResponseReturnValue:
    """The counter of the field that is named in the form; a template's with its longest values in place."""
    field = request.form.get("field", "")
    text = typed(field)[:LONGEST]
    template, language = request.form.get("template", ""), request.form.get("language", "")
    shown = None
    if template:
        if template not in TEMPLATES or language not in LANGUAGES:
            abort(404)
        shown = text = at_widest(template, text, language)
    return render_template("office/_counted.html", counted=counted(text), shown=shown)
