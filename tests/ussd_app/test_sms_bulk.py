"""Messages to many: counted before they go, queued once each, sent together, stopped."""

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import parse_qs

import pytest
from redis import Redis
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from billing.audiences import Audience, cost_of, estimate
from billing.bulk_messages import cancel, confirm, draft, fill, progress
from billing.models import Balance, Customer, CustomerPhone
from core.clock import now
from core.config import Settings
from core.message_bulk import BulkSend
from core.message_failures import FailingNumber
from core.messages import Message
from core.opt_outs import stop
from tests.billing.estate import Estate
from tests.ussd_app.fake_gateway import FakeGateway
from tests.ussd_app.sending import phone, taking_everything
from ussd_app import sms


@pytest.fixture
def fake(settings: Settings, redis: "Redis", monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGateway]:
    with taking_everything(settings, monkeypatch) as told:
        yield told


@pytest.fixture
def customers(session: Session) -> Estate:
    """Six customers: four read Swahili, one of whom has stopped and one of whom has a dead number."""
    estate = Estate(session)
    for number in range(6):
        one = Customer(name=f"N{number}", language="sw" if number < 4 else "en", created_at=now())
        session.add(one)
        session.flush()
        for extra in (0, 50):  # the second phone is not written to
            session.add(CustomerPhone(phone=phone(number + extra), customer_id=one.id, added_by="x",
                                      created_at=now() + timedelta(seconds=extra)))  # fmt: skip
    stop(session, phone(2), "sms")
    session.add(FailingNumber(phone=phone(3), failures=3, reason="x", failed_at=now(), flagged_at=now()))
    session.commit()
    return estate


TEXTS = {"sw": "Hakuna maji kesho. " * 10, "en": "No water tomorrow."}


def test_an_estimate_is_what_is_then_sent(fake: FakeGateway, session: Session, customers: Estate) -> None:
    bulk = draft(session, "Works", Audience(), TEXTS, "amina")
    expected = estimate(session, Audience(), TEXTS)
    assert [(share.language, share.recipients, share.stopped, share.flagged) for share in expected.shares] == [
        ("en", 2, 0, 0),
        ("sw", 2, 1, 1),
    ]
    assert (expected.recipients, expected.parts, str(expected.cost)) == (4, 2 + 2 * 2, "KES 4.80")
    assert confirm(session, bulk.id, "amina") is not None
    assert confirm(session, bulk.id, "amina") is None, "once"
    session.commit()
    sms.fill_bulk(bulk.id)
    sms.fill_bulk(bulk.id)
    sms.drain(0)
    session.expire_all()
    sent = session.scalars(select(Message).where(Message.bulk_id == bulk.id, Message.status == "sent")).all()
    assert sum(message.parts for message in sent) == expected.parts
    assert progress(session, bulk.id) == {"sent": 4, "skipped": 2}
    assert len(fake.bodies) == 2, "one call for each text"
    assert sorted(len(parse_qs(body)["to"][0].split(",")) for body in fake.bodies) == [2, 2]
    assert {message.gateway_id for message in sent} == {f"id{message.phone}" for message in sent}


def test_a_batch_that_dies_goes_on_where_it_was(session: Session, customers: Estate) -> None:
    bulk = draft(session, "Works", Audience(), TEXTS, "amina")
    confirm(session, bulk.id, "amina")
    session.commit()
    assert fill(session, bulk.id, batch=2)
    session.commit()
    fill(session, bulk.id, batch=2)
    session.rollback()
    session.execute(update(BulkSend).values(filled_to=0))  # even the note of how far it was is lost
    while fill(session, bulk.id, batch=2):
        session.commit()
    session.commit()
    phones = session.scalars(select(Message.phone).where(Message.bulk_id == bulk.id)).all()
    assert sorted(phones) == [phone(number) for number in range(6)]


def test_a_lost_answer_leaves_a_whole_call_unknown_and_sends_nobody_twice(
    fake: FakeGateway, session: Session, customers: Estate
) -> None:
    fake.hang_up = True
    bulk = draft(session, "Works", Audience(language="en"), TEXTS, "amina")
    confirm(session, bulk.id, "amina")
    session.commit()
    sms.fill_bulk(bulk.id)
    sms.drain(0)
    sms.drain(0)
    assert progress(session, bulk.id) == {"unknown": 2}
    assert len(fake.bodies) == 1


def test_a_bulk_message_that_is_stopped_is_not_sent(fake: FakeGateway, session: Session, customers: Estate) -> None:
    bulk = draft(session, "Works", Audience(), TEXTS, "amina")
    confirm(session, bulk.id, "amina")
    fill(session, bulk.id, batch=3)
    session.commit()
    assert cancel(session, bulk.id)
    session.commit()
    sms.fill_bulk(bulk.id)
    sms.drain(0)
    assert progress(session, bulk.id) == {"skipped": 3}
    assert fake.bodies == []


def test_an_audience_is_who_it_says(session: Session, customers: Estate) -> None:
    home = customers.connection()
    owner = session.scalars(select(Customer).order_by(Customer.id)).first()
    assert owner is not None
    home.customer_id = owner.id
    session.flush()
    session.execute(Balance.__table__.insert().values(connection_id=home.id, amount_minor=50_001))
    for audience, count in (
        (Audience(), 4), (Audience(language="sw"), 2), (Audience(zone_id=home.zone_id), 1),
        (Audience(zone_id=home.zone_id + 1), 0), (Audience(owing_minor=50_000), 1), (Audience(owing_minor=50_001), 0),
        (Audience(owing_minor=0, language="en"), 0),
    ):  # fmt: skip
        assert estimate(session, audience, TEXTS).recipients == count, audience
    assert str(cost_of(3, "0.80")) == "KES 2.40"
