"""The verdict, from the books alone: what was wanted stands there once, and nothing else does."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic, sleep

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from billing.models import Customer, CustomerPhone, FaultReport, Reading
from core.database import transaction
from core.messages import Message
from core.phone import Phone
from payments.models import PaymentIntent
from ussd_app.chaos.callers import WORD
from ussd_app.chaos.scripts import Write
from ussd_app.chaos.town import Neighbour
from ussd_app.effects import Effect
from ussd_app.late import LATE
from ussd_app.stores import patient

BY_USSD = "customer_ussd"
FIRST_LANGUAGE = "en"
Done = Counter[tuple[int, Write]]
"""How often each write stands in the books, by the connection of whoever it was made for."""


@dataclass
class Verdict:
    """Each entry names one violation."""

    wrong: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    crossed: list[str] = field(default_factory=list)


def judge(wanted: Mapping[Neighbour, Write | None], belongs: Mapping[str, Neighbour]) -> Verdict:
    """Compare the books with what each customer wanted."""
    verdict = Verdict()
    with transaction() as session:
        done = _done(session, list(wanted))
        repeated = _written_twice(session)
        verdict.crossed += _texted_to_others(session, belongs)
    for one, write in wanted.items():
        if write is not None and not done[one.connection_id, write]:
            verdict.lost.append(f"{one.phone}: {write}")
    intended = {(one.connection_id, write) for one, write in wanted.items() if write is not None}
    for (connection_id, write), times in done.items():
        if (connection_id, write) not in intended:
            verdict.wrong.append(f"connection {connection_id}: {write}")
        elif times > 1:
            verdict.doubled.append(f"connection {connection_id}: {write}, {times} times")
    verdict.doubled += repeated
    return verdict


def wait_for_promises(seconds: float) -> bool:
    """Wait until every promised answer has been worked out; whether they all were."""
    end = monotonic() + seconds
    while patient().zcard(LATE):
        if monotonic() > end:
            return False
        sleep(0.2)
    return True


def _done(session: Session, neighbours: Sequence[Neighbour]) -> Done:
    at_phone = {one.phone: one.connection_id for one in neighbours}
    done: Done = Counter()
    readings = select(Reading.connection_id, Reading.value).where(Reading.source == BY_USSD)
    for connection_id, value in session.execute(readings):
        done[connection_id, Write("submit_reading", (f"{value:.0f}",))] += 1
    for intent in session.scalars(select(PaymentIntent)):
        mine = at_phone.get(intent.phone) == intent.connection_id
        amount = f"{intent.amount_minor // 100}" if mine else f"{intent.amount_minor} from {intent.phone}"
        done[intent.connection_id, Write("request_payment", (amount,))] += 1
    for report in session.scalars(select(FaultReport)):
        mine = at_phone.get(report.phone) == report.connection_id
        detail = (report.kind, report.note) if mine else (report.kind, report.note, report.phone)
        done[report.connection_id or 0, Write("report_fault", detail)] += 1
    for phone, language in _languages(session):
        if language != FIRST_LANGUAGE:
            done[at_phone[phone], Write("set_language", (language,))] += 1
    return done


def _languages(session: Session) -> "Sequence[Row[tuple[Phone, str]]]":
    return session.execute(
        select(CustomerPhone.phone, Customer.language).join(Customer, Customer.id == CustomerPhone.customer_id)
    ).all()


def _written_twice(session: Session) -> list[str]:
    """Conversations that made the same write more than once; each script makes it once."""
    rows = session.execute(
        select(Effect.conversation, Effect.action, func.count())
        .where(Effect.action != "unfinished")
        .group_by(Effect.conversation, Effect.action)
        .having(func.count() > 1)
    )
    return [f"{conversation}: {action}, {times} times" for conversation, action, times in rows]


def _texted_to_others(session: Session, belongs: Mapping[str, Neighbour]) -> list[str]:
    return [
        f"{phone} was texted {word}: {body!r}"
        for phone, body in session.execute(select(Message.phone, Message.body).where(Message.direction == "out"))
        for word in WORD.findall(body)
        if word in belongs and belongs[word].phone != phone
    ]
