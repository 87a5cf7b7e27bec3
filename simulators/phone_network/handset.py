"""The handset page and the JSON API that it and the terminal speak."""

import re
from dataclasses import asdict
from datetime import UTC, datetime
from urllib.parse import quote

import requests
from flask import Blueprint, Response, jsonify, render_template, request

from simulators.phone_network.news import LABELS, Newsroom, vacant
from simulators.phone_network.settings import NETWORKS, Network, NetworkSettings, network_of
from simulators.phone_network.sms import SmsCentre
from simulators.phone_network.ussd import Screen, Ussd
from simulators.wire import call

LONGEST_SMS = 918
PAYBILL_TIMEOUT_S = 15.0
"""Longer than the 8 s that the utility has to say whether it wants the payment."""

Answer = Response | tuple[Response, int]


def blueprint(settings: NetworkSettings, ussd: Ussd, centre: SmsCentre, newsroom: Newsroom) -> Blueprint:
    web = Blueprint("handset", __name__)

    @web.get("/")
    def page() -> str:
        free = vacant(settings.demo_url)
        return render_template("handset.html", settings=settings, networks=NETWORKS, now=_now(), vacant=free)

    @web.get("/api/settings")
    def about() -> Response:
        networks = [asdict(network) for network in NETWORKS]
        return jsonify(service_code=settings.service_code, short_code=settings.short_code, networks=networks)

    @web.get("/api/customers")
    def customers() -> Response:
        return jsonify(customers=newsroom.customers())

    @web.get("/api/news")
    def news() -> Response:
        return jsonify(asdict(newsroom.since(_e164(request.args.get("phone", "")), request.args)))

    _add_ussd(web, ussd)
    _add_sms(web, centre)
    _add_mpesa(web, settings)
    return web


def _add_ussd(web: Blueprint, ussd: Ussd) -> None:
    @web.post("/api/dial")
    def dial() -> Answer:
        said = _said()
        line = _line(said)
        if isinstance(line, str):
            return _refused(line)
        return jsonify(asdict(ussd.dial(*line, said.get("code", "").strip())))

    @web.post("/api/answer")
    def answer() -> Answer:
        said = _said()
        screen: Screen | None = ussd.answer(said.get("session", ""), said.get("said", ""))
        return jsonify(asdict(screen)) if screen else _refused("This session waits for no answer.", 409)

    @web.post("/api/hangup")
    def hang_up() -> Answer:
        ussd.end(_said().get("session", ""))
        return jsonify(ok=True)


def _add_sms(web: Blueprint, centre: SmsCentre) -> None:
    @web.post("/api/messages")
    def send() -> Answer:
        said = _said()
        line, text = _line(said), said.get("text", "")
        if isinstance(line, str):
            return _refused(line)
        if not text.strip() or len(text) > LONGEST_SMS:
            return _refused(f"Write something, up to {LONGEST_SMS} characters.")
        return jsonify(centre.from_phone(*line, text).as_json())


def _add_mpesa(web: Blueprint, settings: NetworkSettings) -> None:
    @web.post("/api/prompts/<prompt_id>")
    def prompt(prompt_id: str) -> Answer:
        name, _, reference = prompt_id.partition(":")
        url = settings.wallets.get(name)
        if not url:
            return _refused("No such prompt.", 404)
        return _passed_on(f"{url}/sim/prompts/{quote(reference, safe='')}", LABELS[name])

    @web.post("/api/paybill")
    def paybill() -> Answer:
        return _passed_on(f"{settings.daraja_url}/sim/paybill", LABELS["mpesa"])


def _passed_on(url: str, label: str) -> Answer:
    """The provider's own answer to the same body."""
    try:
        answer = call("POST", url, json=_said(), timeout_s=PAYBILL_TIMEOUT_S)
        return jsonify(answer.json()), answer.status_code
    except (requests.RequestException, ValueError):
        return _refused(f"{label} does not answer.", 502)


def _said() -> dict[str, str]:
    """The strings of the JSON object that was posted; anything else in it is left out."""
    body = request.get_json()
    return {k: v for k, v in body.items() if isinstance(v, str)} if isinstance(body, dict) else {}


def _line(said: dict[str, str]) -> tuple[str, Network] | str:
    """The phone and its network, or what is wrong with them."""
    phone, network = _e164(said.get("phone", "")), network_of(said.get("network", NETWORKS[0].code))
    if not re.fullmatch(r"\+\d{9,15}", phone):
        return "A phone number looks like +254700000001."
    return (phone, network) if network else "There is no such network."


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _e164(phone: str) -> str:
    """A `+` that was not escaped in a URL arrives as a blank."""
    return "+" + phone.strip().lstrip("+")


def _refused(error: str, status: int = 400) -> Answer:
    return jsonify(error=error), status
