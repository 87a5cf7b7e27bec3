"""The gateways' callbacks: a route for each dialect of USSD, and those for SMS. What is refused has had no effect."""

from collections.abc import Callable, Iterable
from functools import partial

from flask import Blueprint, Response, abort, request
from marshmallow import Schema, ValidationError

from core import opt_outs
from core.config import settings
from core.database import transaction
from core.phone import parse_phone
from ussd_app import delivery, inbound
from ussd_app.gateways import infobip_callbacks_sms
from ussd_app.gateways.advanta import ADVANTA
from ussd_app.gateways.africastalking import AFRICASTALKING
from ussd_app.gateways.africastalking_forms import LONGEST_TEXT, DeliveryForm, InboundForm, OptOutForm, sender_of
from ussd_app.gateways.dialect import Dialect, Ended, Fields, Latest, Malformed, read_json
from ussd_app.gateways.hubtel import HUBTEL
from ussd_app.gateways.notices import keep_end
from ussd_app.gateways.secret import behind_secret, behind_secret_of
from ussd_app.take import take_step
from ussd_app.turn import Answer, Turn

DIALECTS = (AFRICASTALKING, HUBTEL, ADVANTA)
LARGEST_BODY = 16 * 1024
METHODS = {"form": ["POST"], "json": ["POST"], "query": ["GET", "POST"]}
SILENCE = Answer("", ends=True)
"""What a notice is answered with; nobody sees it."""

gateway = Blueprint("gateways", __name__)


@gateway.before_request
def bound_body() -> None:
    request.max_content_length = LARGEST_BODY


@gateway.errorhandler(ValidationError)
def malformed(error: ValidationError) -> Response:
    return refused(sorted(map(str, error.messages)) if isinstance(error.messages, dict) else [])


def serve(dialect: Dialect) -> None:
    """Give a dialect its routes."""
    address = f"/ussd/<secret>/{dialect.name}"
    step = behind_secret(partial(hop, dialect), dialect.name)
    gateway.add_url_rule(address, dialect.name, step, methods=METHODS[dialect.fields_in])
    if dialect.read_end is not None:
        notice = behind_secret(partial(end, dialect, dialect.read_end), dialect.name)
        gateway.add_url_rule(f"{address}/events", f"{dialect.name}_events", notice, methods=["POST"])


def hop(dialect: Dialect) -> Response:
    """A step of a session; the answer is the next screen."""
    if request.method == "HEAD":  # Flask takes it for GET; but a step has effects, and nobody would see its answer
        abort(405)
    asked = dialect.read(fields_of(dialect))
    match asked:
        case Malformed():
            return refused(asked.fields)
        case Turn() | Latest():
            answer = take_step(asked)
        case Ended():
            keep_end(dialect, asked)
            answer = SILENCE
    wire = dialect.write(asked.session_id, answer)
    return Response(wire.body, 200, wire.headers, content_type=wire.content_type)


def end(dialect: Dialect, read_end: Callable[[Fields], Ended | Malformed]) -> Response:
    """A notice that a session is over."""
    asked = read_end(fields_of(dialect))
    if isinstance(asked, Malformed):
        return refused(asked.fields)
    keep_end(dialect, asked)
    return plain("")


@gateway.post("/sms/<secret>/africastalking/inbound")
@behind_secret_of("africastalking")
def message_came() -> Response:
    """A message to us. It is a row before it is answered 200; the gateway repeats it for 12 hours otherwise."""
    form = checked(InboundForm)
    phone, answerable = sender_of(form["sender"])
    with transaction() as session:
        inbound.receive(session, form["gateway_id"], phone, form["text"][:LONGEST_TEXT], answerable=answerable)
    return plain("")


@gateway.post("/sms/<secret>/africastalking/delivery")
@behind_secret_of("africastalking")
def message_reported() -> Response:
    form = checked(DeliveryForm)
    with transaction() as session:
        delivery.report(
            session, form["gateway_id"], parse_phone(form["phone"], settings().region), form["status"], form["reason"]
        )
    return plain("")


@gateway.post("/sms/<secret>/africastalking/opt-out")
@behind_secret_of("africastalking")
def opted_out() -> Response:
    """A customer has blocked our sender id at her network: no bulk message would reach her any more."""
    phone, is_number = sender_of(checked(OptOutForm)["sender"])
    if not is_number:
        return refused(["phoneNumber"])
    with transaction() as session:
        opt_outs.stop(session, phone, "africastalking")
    return plain("")


def fields_of(dialect: Dialect) -> Fields:
    """The fields of the request at hand, wherever this gateway puts them."""
    if dialect.fields_in == "json":
        return read_json(request.get_data())
    return request.form.to_dict() if request.method == "POST" else request.args.to_dict()


def checked(schema: type[Schema]) -> dict[str, str]:
    """The posted form. Raises ValidationError, which becomes a 400."""
    return dict(schema().load(request.form.to_dict()))


def refused(names: Iterable[str]) -> Response:
    """Which fields are wrong, never their values."""
    return plain("Wrong or missing: " + ", ".join(names), 400)


def plain(body: str, status: int = 200) -> Response:
    return Response(body, status, content_type="text/plain; charset=utf-8")


for each in DIALECTS:
    serve(each)
gateway.register_blueprint(infobip_callbacks_sms.callbacks)
