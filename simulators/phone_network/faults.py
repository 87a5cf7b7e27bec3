"""The page on which the providers of mobile money are made to go wrong."""

from collections.abc import Mapping

import requests
from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Redirect

from simulators.phone_network.news import LABELS
from simulators.phone_network.settings import NetworkSettings
from simulators.wire import call

TIMEOUT_S = 4.0
Fault = dict[str, object]


def blueprint(settings: NetworkSettings) -> Blueprint:
    web = Blueprint("faults", __name__, url_prefix="/faults")

    @web.get("/")
    def page() -> str:
        known = {name: known_faults(url) for name, url in settings.wallets.items()}
        said = {"changed": request.args.get("changed", ""), "wrong": request.args.get("wrong", "")}
        return render_template("faults.html", known=known, labels=LABELS, **said)

    @web.post("/<name>")
    def change(name: str) -> Redirect | Response:
        """All of a provider's faults at once; `well` puts all to rights."""
        url = settings.wallets.get(name)
        if url is None:
            return Response("There is no such provider.", 404)
        wrong = _changed(url, request.form)
        changed = "" if wrong else LABELS[name]
        return redirect(url_for("faults.page", wrong=wrong or None, changed=changed or None), 303)

    return web


def known_faults(url: str) -> list[Fault] | None:
    """What may go wrong at a provider, and how it is now; None where it does not answer."""
    try:
        faults = call("GET", f"{url}/sim/faults/known", timeout_s=TIMEOUT_S).json()["faults"]
    except (requests.RequestException, ValueError, KeyError):
        return None
    return [{**fault, "kind": _kind(fault)} for fault in faults]


def _kind(fault: Mapping[str, object]) -> str:
    if fault["choices"]:
        return "choice"
    if isinstance(fault["value"], bool):
        return "switch"
    return "count" if isinstance(fault["value"], int) else "number"


def _changed(url: str, form: Mapping[str, str]) -> str:
    """Set what the form says; "" or what is wrong with it."""
    known = known_faults(url)
    if known is None:
        return "The provider does not answer."
    try:
        values = {str(fault["name"]): _value(fault, form) for fault in known}
    except ValueError:
        return "A number was expected."
    try:
        answer = call("POST", f"{url}/sim/faults", json=values, timeout_s=TIMEOUT_S)
        return "" if answer.status_code == 200 else str(answer.json()["error"])
    except (requests.RequestException, ValueError, KeyError):
        return "The provider does not answer."


def _value(fault: Fault, form: Mapping[str, str]) -> object:
    """A fault's value as typed; as at the start where all is to be well. Raises ValueError."""
    name = str(fault["name"])
    if "well" in form:
        return fault["default"]
    match fault["kind"]:
        case "switch":
            return name in form
        case "choice":
            return form.get(name, "")
        case "count":
            return int(form.get(name, ""))
    return float(form.get(name, ""))
