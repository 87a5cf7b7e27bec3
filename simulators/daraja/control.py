"""What the handset and the tests use and no utility ever sees: prompts, wallets, the book, the faults."""

import time
from typing import Literal

from flask import Blueprint, Response, jsonify, request

from simulators.daraja.keys import Keys
from simulators.daraja.mpesa import Mpesa
from simulators.daraja.oauth import Tokens
from simulators.daraja.prompts import Prompt

MISTAKES: dict[str, str] = {
    "wrong_pin": "Wrong PIN.",
    "no_funds": "You do not have enough money in your M-PESA account.",
    "rejected": "The account number is not known. No money was sent.",
    "above_maximum": "M-PESA does not allow so large an amount.",
}


def blueprint(mpesa: Mpesa, tokens: Tokens, keys: Keys) -> Blueprint:
    web = Blueprint("control", __name__, url_prefix="/sim")
    _add_reading(web, mpesa)
    _add_acting(web, mpesa)

    @web.route("/faults", methods=["GET", "POST"])
    def faults() -> Response | tuple[Response, int]:
        if request.method == "POST":
            try:
                mpesa.faults = mpesa.faults.changed(request.get_json())
            except ValueError as error:
                return jsonify(error=str(error)), 400
        return jsonify(mpesa.faults.as_json())

    @web.get("/faults/known")
    def known() -> Response:
        """Each fault in words, with its value and its most, for a form."""
        return jsonify(faults=mpesa.faults.known())

    @web.get("/certificate")
    def certificate() -> Response:
        return Response(keys.certificate, mimetype="application/x-pem-file")

    @web.post("/tokens/revoke")
    def revoke() -> Response:
        tokens.revoke_all()
        return jsonify(ok=True)

    @web.post("/reset")
    def reset() -> Response:
        mpesa.reset()
        return jsonify(ok=True)

    return web


def _add_reading(web: Blueprint, mpesa: Mpesa) -> None:
    @web.get("/prompts")
    def prompts() -> Response:
        return jsonify(prompts=_prompts(mpesa, _phone()))

    @web.get("/wallet")
    def wallet() -> Response:
        return jsonify(_wallet(mpesa, _phone()))

    @web.get("/book")
    def book() -> Response:
        return jsonify(payments=[payment.as_json() for payment in mpesa.bank.book()])

    @web.get("/log")
    def log() -> Response:
        return jsonify(log=[e.as_json() for e in mpesa.journal.since(_after("after"), _phone() or None)])

    @web.get("/news")
    def news() -> Response:
        """All of the above that is new to one handset, in one request."""
        phone = _phone()
        return jsonify(
            prompts=_prompts(mpesa, phone),
            wallet=_wallet(mpesa, phone),
            messages=[m.as_json() for m in mpesa.messages.since(_after("messages"), phone)],
            log=[e.as_json() for e in mpesa.journal.since(_after("log"), phone)],
        )


def _add_acting(web: Blueprint, mpesa: Mpesa) -> None:
    @web.post("/prompts/<checkout_id>")
    def answer(checkout_id: str) -> tuple[Response, int]:
        said = request.get_json()
        if isinstance(said.get("pin"), str):
            outcome = mpesa.enter_pin(checkout_id, said["pin"])
        elif said.get("action") == "cancel":
            outcome = mpesa.cancel(checkout_id)
        else:
            return jsonify(error='Send {"pin": "1234"} or {"action": "cancel"}.'), 400
        status = {"done": 200, "gone": 409, "unknown": 404}[outcome]
        return jsonify(outcome=outcome), status

    @web.post("/paybill")
    def paybill() -> tuple[Response, int]:
        said = request.get_json()
        account, amount = str(said.get("account", "")).strip(), str(said.get("amount", ""))
        if not 1 <= len(account) <= 20:
            return jsonify(ok=False, text="Enter an account number of up to 20 characters."), 400
        if not amount.isascii() or not amount.isdigit() or int(amount) < 1:
            return jsonify(ok=False, text="Enter a whole amount in shillings."), 400
        phone = _msisdn(str(said.get("phone", "")))
        outcome, payment = mpesa.pay_bill(phone, account, int(amount), str(said.get("pin", "")))
        if payment is None:
            return jsonify(ok=False, outcome=outcome, text=MISTAKES[outcome]), 200
        text = f"{payment.receipt} Confirmed."
        return jsonify(ok=True, outcome=outcome, receipt=payment.receipt, text=text), 200


def _prompts(mpesa: Mpesa, phone: str) -> list[dict[str, object]]:
    prompt = mpesa.prompts.on_screen(phone)
    return [_prompt_json(prompt, mpesa.settings.business_name)] if prompt else []


def _prompt_json(prompt: Prompt, business: str) -> dict[str, object]:
    push = prompt.push
    text = f"Do you want to pay KES {push.amount:,} to {business} Account no. {push.account}?"
    return {
        "id": push.checkout_id,
        "phone": push.phone,
        "amount": push.amount,
        "account": push.account,
        "business": business,
        "text": text,
        "seconds_left": max(0, round(prompt.gone_at - time.monotonic())),
    }


def _wallet(mpesa: Mpesa, phone: str) -> dict[str, object]:
    return {"phone": phone, "balance": mpesa.bank.balance(phone), "paybill": mpesa.settings.shortcode}


def _phone() -> str:
    return _msisdn(request.args.get("phone", ""))


def _msisdn(phone: str) -> str:
    """`+254..` as Daraja writes it; a `+` that was not escaped arrives as a blank."""
    return phone.strip().lstrip("+")


def _after(name: Literal["after", "messages", "log"]) -> int:
    return request.args.get(name, 0, type=int)
