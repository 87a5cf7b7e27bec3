"""The limit: what the chosen server gives to a handler that does nothing but what every such service must.

It parses the form, makes one load and one commit in Redis (the same two scripts, with values of the same size), and
answers. There is no conversation, no database, no check of anything.
"""

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl

from ussd_app.session import About, Commit, Hop, SessionStore, key_of
from ussd_app.stores import quick

STATE = '[[{"n":"identify","r":' + '"x' + "x" * 420 + '","w":false}],0,"en"]'
TAPE = '["identify",{"x":"' + "x" * 420 + '"}]\n'
SCREEN = "CON Maji Safi Water\nAmina Otieno\n1. Read my meter\n2. Pay\n3. Balance\n4. Bills and usage\n5. Help"


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """One step: the reply is always the same screen."""
    body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    form = dict(parse_qsl(body.decode(), keep_blank_values=True))
    store, key = SessionStore(quick()), key_of("bare", form["sessionId"])
    position = form["text"].count("*") + 1 if form["text"] else 0
    stored = store.load(key, position)
    about = About("bare", form["sessionId"], form["phoneNumber"], form["serviceCode"], form["networkCode"], 0.0)
    store.commit(
        key,
        Commit(
            stored.revision if stored else "", position, "d" * 32, form["phoneNumber"], STATE, TAPE, False, SCREEN,
            about, Hop("1", "menu", "en", 0.0, 1),
        ),
    )  # fmt: skip
    reply = SCREEN.encode()
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(reply)))])
    return (reply,)
