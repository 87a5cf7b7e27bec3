"""Africa's Talking: its callbacks for USSD and SMS. Any refusal is plain text, and has had no effect."""

from flask import Blueprint, Response, request
from marshmallow import Schema, ValidationError

from core.config import settings
from core.database import transaction
from core.phone import Phone, parse_phone
from ussd_app import delivery, inbound
from ussd_app.archive import gateway_ended
from ussd_app.gateways.africastalking_forms import (
    LONGEST_TEXT,
    DeliveryForm,
    EndForm,
    InboundForm,
    UssdForm,
    sender_of,
)
from ussd_app.gateways.secret import behind_secret
from ussd_app.take import take
from ussd_app.turn import Turn

PROVIDER = "africastalking"
LARGEST_BODY = 16 * 1024

gateway = Blueprint("africastalking", __name__)


@gateway.before_request
def bound_body() -> None:
    request.max_content_length = LARGEST_BODY


@gateway.errorhandler(ValidationError)
def malformed(error: ValidationError) -> Response:
    """Which fields are wrong, never their values."""
    names = sorted(error.messages) if isinstance(error.messages, dict) else []
    return plain("Wrong or missing: " + ", ".join(map(str, names)), 400)


@gateway.post("/ussd/<secret>/africastalking")
@behind_secret
def ussd() -> Response:
    """A hop of a session; the answer is the next screen."""
    form = checked(UssdForm)
    turn = Turn(
        provider=PROVIDER,
        session_id=form["session_id"],
        phone=Phone(form["phone"]),
        service_code=form["service_code"],
        network=form["network"],
        inputs=inputs_of(form["text"], form["service_code"]),
    )
    return plain(take(turn).line)


@gateway.post("/ussd/<secret>/africastalking/events")
@behind_secret
def session_ended() -> Response:
    form = checked(EndForm)
    with transaction() as session:
        gateway_ended(
            session, PROVIDER, form["session_id"], Phone(form["phone"]), service_code=form["service_code"],
            network=form["network"], status=form["status"], error=form["error"][:300],
        )  # fmt: skip
    return plain("")


@gateway.post("/sms/<secret>/africastalking/inbound")
@behind_secret
def message_came() -> Response:
    """A message to us. It is a row before it is answered 200; the gateway repeats it for 12 hours otherwise."""
    form = checked(InboundForm)
    phone, answerable = sender_of(form["sender"])
    with transaction() as session:
        inbound.receive(session, form["gateway_id"], phone, form["text"][:LONGEST_TEXT], answerable=answerable)
    return plain("")


@gateway.post("/sms/<secret>/africastalking/delivery")
@behind_secret
def message_reported() -> Response:
    form = checked(DeliveryForm)
    with transaction() as session:
        delivery.report(
            session, form["gateway_id"], parse_phone(form["phone"], settings().region), form["status"], form["reason"]
        )
    return plain("")


def checked(schema: type[Schema]) -> dict[str, str]:
    """The posted form. Raises ValidationError, which becomes a 400."""
    return dict(schema().load(request.form.to_dict()))


def inputs_of(text: str, service_code: str) -> tuple[str, ...]:
    """What she typed, step by step. Digits dialled behind our code (*384*7*2*500#) are steps as well.

    Africa's Talking puts those into `text`; a gateway that leaves them in the service code has them put in front.
    """
    own = settings().service_code.removesuffix("#") + "*"
    dialled = service_code.removesuffix("#").removeprefix(own) if service_code.startswith(own) else ""
    if dialled and text != dialled and not text.startswith(dialled + "*"):
        text = f"{dialled}*{text}" if text else dialled
    return tuple(text.split("*")) if text else ()


def plain(body: str, status: int = 200) -> Response:
    return Response(body, status, content_type="text/plain; charset=utf-8")
