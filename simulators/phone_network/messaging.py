"""Africa's Talking's SMS endpoint."""

import hmac

from flask import Blueprint, Response, g, jsonify, request

from simulators import gsm
from simulators.phone_network.settings import NetworkSettings
from simulators.phone_network.sms import SmsCentre


def blueprint(settings: NetworkSettings, centre: SmsCentre) -> Blueprint:
    web = Blueprint("messaging", __name__)

    @web.post("/version1/messaging")
    def send() -> tuple[Response | str, int]:
        given = request.headers.get("apiKey", "")
        if not hmac.compare_digest(given.encode(), settings.at_api_key.encode()):
            return "The supplied authentication is invalid", 401
        form = request.form
        for name in ("username", "to", "message"):
            if not form.get(name):
                return f"Request is missing required form field '{name}'", 400
        phones = [phone.strip() for phone in form["to"].split(",")]
        g.exchange.phone = phones[0]
        g.exchange.septets = gsm.septets(form["message"])
        recipients = [centre.to_phone(phone, form.get("from", ""), form["message"]) for phone in phones]
        accepted = [r for r in recipients if r["statusCode"] == 101]
        parts = sum(int(str(r["messageParts"])) for r in accepted)
        summary = f"Sent to {len(accepted)}/{len(phones)} Total Cost: KES {0.8 * parts:.4f}"
        return jsonify(SMSMessageData={"Message": summary, "Recipients": recipients}), 201

    return web
