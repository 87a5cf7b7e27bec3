"""What the handset and the tests use and no utility ever sees: prompts, wallets, the book, the faults."""

import time

from flask import Blueprint, Response, jsonify, request

from simulators.momo.provider import Provider
from simulators.momo.requests import Request


def blueprint(provider: Provider) -> Blueprint:
    web = Blueprint("control", __name__, url_prefix="/sim")
    _add_reading(web, provider)
    _add_acting(web, provider)
    _add_faults(web, provider)
    return web


def _add_reading(web: Blueprint, provider: Provider) -> None:
    @web.get("/prompts")
    def prompts() -> Response:
        return jsonify(prompts=_prompts(provider, _phone()))

    @web.get("/wallet")
    def wallet() -> Response:
        return jsonify(_wallet(provider, _phone()))

    @web.get("/book")
    def book() -> Response:
        return jsonify(payments=[payment.as_json() for payment in provider.book.payments()])

    @web.get("/log")
    def log() -> Response:
        return jsonify(log=[e.as_json() for e in provider.journal.since(_after("after"), _phone() or None)])

    @web.get("/news")
    def news() -> Response:
        """All of the above that is new to one handset, in one request."""
        phone = _phone()
        return jsonify(
            prompts=_prompts(provider, phone),
            wallet=_wallet(provider, phone),
            messages=[m.as_json() for m in provider.messages.since(_after("messages"), phone)],
            log=[e.as_json() for e in provider.journal.since(_after("log"), phone)],
        )


def _add_acting(web: Blueprint, provider: Provider) -> None:
    @web.post("/prompts/<reference>")
    def answer(reference: str) -> tuple[Response, int]:
        said = request.get_json()
        if isinstance(said.get("pin"), str):
            outcome = provider.enter_pin(reference, said["pin"])
        elif said.get("action") == "cancel":
            outcome = provider.cancel(reference)
        else:
            return jsonify(error='Send {"pin": "1234"} or {"action": "cancel"}.'), 400
        return jsonify(outcome=outcome), {"done": 200, "gone": 409, "unknown": 404}[outcome]

    @web.post("/tokens/revoke")
    def revoke() -> Response:
        provider.tokens.revoke_all()
        return jsonify(ok=True)

    @web.post("/reset")
    def reset() -> Response:
        provider.reset()
        return jsonify(ok=True)


def _add_faults(web: Blueprint, provider: Provider) -> None:
    @web.route("/faults", methods=["GET", "POST"])
    def faults() -> Response | tuple[Response, int]:
        if request.method == "POST":
            try:
                provider.faults = provider.faults.changed(request.get_json())
            except ValueError as error:
                return jsonify(error=str(error)), 400
        return jsonify(provider.faults.as_json())

    @web.get("/faults/known")
    def known() -> Response:
        """Each fault in words, with its value and its most, for a form."""
        return jsonify(faults=provider.faults.known())


def _prompts(provider: Provider, phone: str) -> list[dict[str, object]]:
    shown = provider.requests.on_screen(phone)
    return [_prompt_json(provider, shown)] if shown else []


def _prompt_json(provider: Provider, shown: Request) -> dict[str, object]:
    ask, name = shown.ask, provider.settings.business_name
    return {
        "id": ask.reference,
        "phone": ask.phone,
        "amount": str(ask.amount),
        "account": ask.account,
        "business": name,
        "title": provider.wire.label,
        "text": f"Do you want to pay {provider.money(ask.amount)} to {name}? {ask.account}",
        "seconds_left": max(0, round(shown.gone_at - time.monotonic())),
    }


def _wallet(provider: Provider, phone: str) -> dict[str, object]:
    return {
        "phone": phone,
        "label": provider.wire.label,
        "balance": str(provider.book.balance(phone)),
        "currency": provider.settings.currency,
    }


def _phone() -> str:
    """`+254..` without the plus; a plus that was not escaped arrives as a blank."""
    return request.args.get("phone", "").strip().lstrip("+")


def _after(name: str) -> int:
    return request.args.get(name, 0, type=int)
