"""The office's pages about messages: what holds them, the inbox, our texts, messages to many."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from admin_web.message_counter import counted
from billing.models import Customer, CustomerPhone
from core.clock import now
from core.i18n import LANGUAGES
from core.inbox import pass_to_office, waiting
from core.message_bulk import BulkSend
from core.message_failures import FailingNumber
from core.message_hold import hold
from core.message_templates import TEMPLATES, at_widest, default_wording, fault_in, reword, word
from core.messages import Message, queue_message
from core.money import Money
from core.opt_outs import stop
from core.outbox import Outbox
from core.phone import Phone
from core.text import sms_parts
from payments.texts import receipt_text
from tests.admin_web.conftest import Browser
from ussd_app.inbound import receive

AMINA, JOHN = Phone("+254700000001"), Phone("+254700000002")


@pytest.fixture
def people(session: Session) -> None:
    for number, (phone, language) in enumerate([(AMINA, "sw"), (JOHN, "en")]):
        one = Customer(name=f"Customer {number}", language=language, created_at=now())
        session.add(one)
        session.flush()
        session.add(CustomerPhone(phone=phone, customer_id=one.id, added_by="x", created_at=now()))
    session.commit()


def came(session: Session, phone: Phone, body: str, gateway_id: str) -> int:
    assert receive(session, gateway_id, phone, body, answerable=False)
    message_id = session.scalars(select(Message.id).where(Message.gateway_id == gateway_id)).one()
    assert pass_to_office(session, message_id)
    assert not pass_to_office(session, message_id), "once"
    session.commit()
    return message_id


def test_what_holds_the_queue_is_told_and_can_be_tried_again(clerk: Browser, session: Session) -> None:
    message = queue_message(session, AMINA, "Hello", "receipt")
    assert message
    message.send_after, message.failure_reason = now() + timedelta(minutes=9), "InsufficientBalance"
    untried, tomorrow = queue_message(session, JOHN, "Hello", "answer"), queue_message(session, JOHN, "Hello", "bill")
    assert untried
    assert tomorrow
    untried.send_after = tomorrow.send_after = now() + timedelta(minutes=9)
    hold(session, "africastalking", "account", "InsufficientBalance")
    session.commit()
    page = clerk.get("/messages").text
    assert "Messages are held" in page
    assert page.count("Our credit at the gateway is used up.") == 2, "above the list, and at the message"
    assert "Messages are held" in clerk.get("/now").text
    assert clerk.post("/messages/resume", form_on="/messages").status_code == 303
    session.expire_all()
    assert "Messages are held" not in clerk.get("/messages").text
    assert message.send_after <= now()
    assert untried.send_after <= now()
    assert tomorrow.send_after > now(), "what waits for the morning waits on"
    assert session.scalars(select(Outbox.id).where(Outbox.job == "messages.drain")).all()


def test_a_dead_number_is_shown_and_cleared(clerk: Browser, session: Session) -> None:
    session.add(FailingNumber(phone=AMINA, failures=3, reason="UserDoesNotExist", failed_at=now(), flagged_at=now()))
    stop(session, JOHN, "sms")
    session.commit()
    page = clerk.get("/messages/numbers").text
    assert "There is no such number." in page
    assert "0700 000002" in clerk.get("/messages/numbers?show=stopped").text
    assert clerk.post("/messages/numbers/clear", form_on="/messages/numbers", phone=AMINA).status_code == 303
    session.expire_all()
    assert session.get(FailingNumber, AMINA) is None


def test_a_message_is_answered_in_its_conversation(clerk: Browser, session: Session, people: None) -> None:
    queue_message(session, AMINA, "Your bill is KES 500", "bill")
    first = came(session, AMINA, "Why is <b>my</b> bill so high?", "in-1")
    page = clerk.get(f"/inbox/{first}").text
    assert "&lt;b&gt;my&lt;/b&gt;" in page
    assert "Your bill is KES 500" in page
    assert "1 message to answer" in clerk.get("/now").text
    later = came(session, AMINA, "Hello?", "in-2")
    answer = clerk.post(
        f"/inbox/{first}/reply", form_on=f"/inbox/{first}", text="Ndugu, “tutaangalia” kesho.", up_to=first
    )
    assert answer.status_code == 303
    session.expire_all()
    sent = session.scalars(select(Message).where(Message.kind == "reply")).one()
    assert (sent.phone, sent.language, sent.priority, sent.status) == (AMINA, "sw", 0, "queued")
    assert sent.body == "Ndugu, “tutaangalia” kesho.", "as it was written and counted"
    assert session.get_one(Message, first).inbox == "answered"
    assert session.get_one(Message, later).inbox == "open", "it was not on the screen"
    assert waiting(session) == 1
    assert clerk.post(f"/inbox/{later}/close", form_on=f"/inbox/{later}").status_code == 303
    session.expire_all()
    assert (session.get_one(Message, later).inbox, waiting(session)) == ("closed", 0)


@pytest.mark.parametrize("text", ["", "x" * 700])
def test_an_answer_that_cannot_be_is_not_sent(clerk: Browser, session: Session, people: None, text: str) -> None:
    first = came(session, AMINA, "Hello", "in-1")
    assert clerk.post(f"/inbox/{first}/reply", form_on=f"/inbox/{first}", text=text).status_code == 422
    assert session.scalars(select(Message).where(Message.kind == "reply")).all() == []


def test_the_counter_says_what_one_strange_sign_costs(clerk: Browser) -> None:
    def count(text: str, **more: str) -> str:
        return clerk.post("/messages/count", form_on="/bulk/new", field="body", body=text, **more).text

    assert '<b data-testid="parts">1 SMS</b>: 160 of 160 characters (GSM-7)' in count("x" * 160)
    assert "2 SMS</b>: 161 of 306 characters" in count("x" * 161)
    dear = count("x" * 100 + "ê")
    assert "2 SMS</b>: 101 of 134 characters (UCS-2)" in dear
    assert "because of <code>ê</code>" in dear
    assert "Without it this takes 1 SMS." in dear
    assert "M-Pesa receipt NLJ7RT61SV" in count("M-Pesa receipt {receipt}", template="receipt", language="en")
    assert counted("€" * 80).count.units == 160


def test_a_text_is_reworded_and_taken_back(administrator: Browser, session: Session) -> None:
    words = "Asante! {amount} / {account} / {receipt}. {left}"
    assert administrator.post("/texts/receipt/sw", body=words).status_code == 303
    said = receipt_text(Money.of("500"), "1000017", "NLJ7RT61SV", Money.of("0"))
    assert word(session, said, "sw").body.startswith("Asante! KES 500 / 1000017 / NLJ7RT61SV. ")
    assert word(session, said, "en").body.startswith("Received KES 500")
    queued = queue_message(session, AMINA, said, "receipt", language="sw")
    assert queued
    assert queued.body.startswith("Asante!")
    session.rollback()
    assert "reworded" in administrator.get("/texts").text
    assert administrator.post("/texts/receipt/sw", do="restore").status_code == 303
    session.rollback()
    assert word(session, said, "sw").body.startswith("Tumepokea")


@pytest.mark.parametrize(
    "body",
    ["", "{amont}", "{amount", "{}", "{0}", "{amount!r}", "{amount:>9}", "{amount.minor}", "{amount[0]}", "x" * 613],
)
def test_a_wording_with_a_fault_is_refused(administrator: Browser, body: str) -> None:
    assert fault_in("receipt", body) is not None
    assert administrator.post("/texts/receipt/en", body=body).status_code == 422


def test_a_wording_that_a_later_release_cannot_fill_is_not_used(session: Session) -> None:
    reword(session, "receipt", "en", "Thanks for {sum}", "amina")
    said = receipt_text(Money.of("500"), "1000017", "NLJ7RT61SV", Money.of("0"))
    assert word(session, said, "en").body.startswith("Received KES 500")


@pytest.mark.parametrize("language", LANGUAGES)
def test_our_own_wordings_fit_one_sms_with_the_widest_values(database: str, language: str) -> None:
    assert len(TEMPLATES) >= 9
    for name in TEMPLATES:
        body = default_wording(name, language)
        assert fault_in(name, body) is None, name
        said = sms_parts(at_widest(name, body, language))
        assert (said.encoding, said.parts) == ("GSM-7", 1), f"{name}: {said}"


def test_a_message_to_many_shows_its_cost_before_it_goes(clerk: Browser, session: Session, people: None) -> None:
    made = clerk.post("/bulk/new", title="Works", text_sw="Hakuna maji kesho. " * 10, text_en="No water tomorrow.")
    assert made.status_code == 303
    path = made.location.removeprefix("/office")
    page = clerk.get(path).text
    assert 'data-testid="recipients">2<' in page
    assert 'data-testid="parts">3<' in page
    assert "2.40" in page
    assert session.scalars(select(Message)).all() == [], "nothing is queued before it is confirmed"
    token = clerk.tokens(path)
    for _ in range(2):
        clerk.client.post(f"/office{path}/send", data=token)
    session.expire_all()
    bulk = session.scalars(select(BulkSend)).one()
    assert (bulk.status, bulk.recipients, bulk.parts) == ("filling", 2, 3)
    assert len(session.scalars(select(Outbox).where(Outbox.job == "billing.fill_bulk")).all()) == 1
    assert "0 of 2 recipients" in clerk.get(f"{path}/progress").text
    assert clerk.post(f"{path}/stop", form_on="/bulk/new").status_code == 303
    assert "Stopped" in clerk.get(path).text


@pytest.mark.parametrize(
    "fields",
    [{"title": "Works"}, {"text_en": "Hello"}, {"title": "Works", "text_en": "x" * 700},
     {"title": "Works", "text_en": "Hello", "language": "xx"}, {"title": "Works", "text_en": "Hello", "owing": "-1"}],
)  # fmt: skip
def test_a_message_to_many_with_a_fault_is_not_kept(clerk: Browser, session: Session, fields: dict[str, str]) -> None:
    assert clerk.post("/bulk/new", **fields).status_code == 422
    assert session.scalars(select(BulkSend)).all() == []


def test_a_reader_sees_everything_and_sends_nothing(
    enter: Callable[[str], Browser], session: Session, people: None
) -> None:
    reader = enter("auditor")
    first = came(session, AMINA, "Hello", "in-1")
    for path in ("/messages", "/inbox", f"/inbox/{first}", "/messages/numbers", "/texts", "/bulk"):
        page = reader.get(path)
        assert page.status_code == 200
        assert "<textarea" not in page.text, path
