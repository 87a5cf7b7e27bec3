"""The editor for the texts that the system sends by itself, in each language."""

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

# These make their texts known.
import billing.bill_messages
import billing.contact_texts  # noqa: F401
import payments.texts  # noqa: F401
from admin_web.access import ADMINISTRATORS, DESK, officer, page
from admin_web.forms import Form, filled
from admin_web.message_counter import counted, typed
from core.i18n import LANGUAGES
from core.inbox import waiting
from core.message_templates import (
    TEMPLATES,
    MessageTemplate,
    at_widest,
    default_wording,
    fault_in,
    missing_from,
    placeholders,
    reword,
    wording,
)


@page("/texts", roles=DESK)
def texts(session: Session) -> ResponseReturnValue:
    """Every text by its name, with what it takes in each language when all its values are as long as they get."""
    own = set(session.execute(select(MessageTemplate.name, MessageTemplate.language)).tuples())
    sizes = {
        (name, language): counted(at_widest(name, wording(session, name, language), language))
        for name in TEMPLATES
        for language in LANGUAGES
    }
    return render_template(
        "office/texts.html", templates=TEMPLATES, languages=LANGUAGES, own=own, sizes=sizes, waiting=waiting(session)
    )


@page("/texts/<name>/<language>", roles=ADMINISTRATORS, methods=("GET", "POST"))
def edit_text(session: Session, name: str, language: str) -> ResponseReturnValue:
    """One text in one language. Only its own placeholders may stand in braces."""
    if name not in TEMPLATES or language not in LANGUAGES:
        abort(404)
    form = filled(body=wording(session, name, language))
    if request.method == "POST":
        body = "" if request.form.get("do") == "restore" else typed("body")
        form = Form(raw={"body": body})
        fault = fault_in(name, body) if request.form.get("do") != "restore" else None
        if fault is None:
            reword(session, name, language, body, officer().actor)
            flash("Saved. The next message says it so.", "good")
            left_out = missing_from(name, body) if body else []
            if left_out:
                flash("It leaves out " + ", ".join(f"{{{one}}}" for one in left_out) + ". Was that meant?", "note")
            return redirect(url_for("office.texts"), 303)
        form.refuse("body", fault)
    shown = at_widest(name, str(form.raw["body"]), language)
    return render_template(
        "office/text_edit.html",
        template=TEMPLATES[name],
        language=language,
        language_name=LANGUAGES[language],
        placeholders=placeholders(name),
        default=default_wording(name, language),
        own=session.get(MessageTemplate, (name, language)),
        form=form,
        shown=shown,
        counted=counted(shown),
    ), 200 if form.fine else 422
