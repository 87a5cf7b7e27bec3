"""What the office sees of a conversation."""

import re

import pytest
from sqlalchemy.orm import Session

from core.phone import Phone
from tests.admin_web.conftest import Browser
from tests.admin_web.talks import AMOUNT, DONE, MENU, PHONE, talk


def test_a_conversation_reads_like_a_phone(clerk: Browser, session: Session) -> None:
    kept = talk(session, MENU, AMOUNT, DONE)
    text = clerk.get(f"/conversations/{kept.id}").text
    screens = re.findall(r'<p class="screen">(.*?)</p>', text, re.DOTALL)
    assert screens[0].startswith("Maji Safi Water\nWanjiku")
    assert not any(word in text for word in ("CON ", "END "))
    pauses = re.findall(r'class="pause">.*?</span>([^<]+)</span>', text)
    assert pauses == ["8 s", "22 s"]
    assert "answered in 12 ms" in text
    assert text.count("end of the session") == 1
    assert "Finished" in text
    assert "30 s, 3 screens" in text
    assert "What the gateway said" not in text


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        ("dropped", "Broken off"),
        ("timed_out", "Ran out of time"),
        ("failed", "Our answer failed"),
        ("open", "Going on"),
    ],
)
def test_how_it_ended_is_said_in_words_with_the_screen(
    clerk: Browser, session: Session, outcome: str, words: str
) -> None:
    kept = talk(session, MENU, AMOUNT, outcome=outcome)
    for page in (f"/conversations/{kept.id}", "/conversations"):
        text = clerk.get(page).text
        assert words in text
        assert "at: ask:amount" in text


def test_the_gateways_notice_is_shown_as_evidence(clerk: Browser, session: Session) -> None:
    kept = talk(
        session, MENU, outcome="timed_out", gateway_status="Incomplete", gateway_error="no answer <b>",
        gateway_duration_ms=61_250, gateway_hops=2, gateway_cost="KES 0.10",
    )  # fmt: skip
    text = clerk.get(f"/conversations/{kept.id}").text
    for words in ("It ended while an answer was waited for.", "no answer &lt;b&gt;", "61.2 s", "We have 1.", "KES 0.10",
                  "1 min 1 s, 1 screen<"):  # fmt: skip
        assert words in text


def test_the_list_is_filtered(clerk: Browser, session: Session) -> None:
    talk(session, MENU, AMOUNT, outcome="dropped", phone=Phone("+254700000002"))
    talk(session, MENU, DONE, channel="sms", provider="sms")
    talk(session, MENU, DONE)

    def shown(query: str) -> int:
        return clerk.get(f"/conversations{query}").text.count('scope="row"')

    assert shown("") == 3
    assert shown("?channel=sms") == 1
    assert shown("?ended=dropped") == 1
    assert shown("?ended=completed&channel=ussd") == 1
    assert shown("?ended=nonsense&channel=nonsense") == 3
    assert shown(f"?q={PHONE.removeprefix('+254')}&ended=completed") == 2
