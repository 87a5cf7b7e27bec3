"""Where people go on and where they leave."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from admin_web.funnel_figures import Chosen, Funnel, counts, funnels
from core.clock import now, today
from core.config import Settings
from core.database import engine
from tests.admin_web.conftest import Browser
from tests.admin_web.talks import AMOUNT, DONE, MENU, talk


def of(session: Session, **filters: str) -> list[Funnel]:
    return funnels(session, Chosen(now() - timedelta(days=1), now() + timedelta(days=1), **filters))


def many(session: Session) -> None:
    """Seven conversations about paying and one that chose nothing."""
    talk(session, MENU, AMOUNT, DONE)
    talk(session, MENU, AMOUNT, (AMOUNT[0], AMOUNT[1], 12), DONE, network="63903")
    talk(session, MENU, AMOUNT, outcome="dropped")
    talk(session, MENU, AMOUNT, outcome="dropped", network="63903", language="en")
    talk(session, MENU, AMOUNT, outcome="timed_out")
    talk(session, MENU, AMOUNT, outcome="failed")
    talk(session, MENU, AMOUNT, outcome="open", channel="sms", network="")
    talk(session, MENU, outcome="dropped", flow="")


def test_every_conversation_is_counted_once_at_each_screen(session: Session) -> None:
    many(session)
    pay, nothing = of(session)
    assert (pay.flow, nothing.flow) == ("pay", "")
    assert [step.screen for step in pay.steps] == [MENU[0], AMOUNT[0], DONE[0]]
    figures = [(s.reached, s.went_on, s.ended, s.dropped, s.timed_out, s.failed, s.waiting) for s in pay.steps]
    assert figures == [(7, 7, 0, 0, 0, 0, 0), (7, 2, 0, 2, 1, 1, 1), (2, 0, 2, 0, 0, 0, 0)]
    assert (pay.conversations, pay.completed, pay.dropped, pay.timed_out, pay.failed) == (7, 2, 2, 1, 1)
    assert [step.median_s for step in pay.steps] == [8, 18, None]
    assert (nothing.conversations, nothing.steps[0].left) == (1, 1)


def test_filters_and_the_period_choose_the_conversations(session: Session) -> None:
    many(session)
    talk(session, MENU, DONE, began=now() - timedelta(days=3))

    def counted(**filters: str) -> int:
        return sum(funnel.conversations for funnel in of(session, **filters))

    assert counted() == 8
    assert counted(network="63903") == 2
    assert counted(network="63903", language="en") == 1
    assert counted(channel="sms") == 1
    assert counted(language="fr") == 0


def test_a_question_that_many_flows_ask_goes_by_what_it_asked_in_this_one(clerk: Browser, session: Session) -> None:
    sure = ("choose:yes|no", "CON Pay KES 1,250.50 for 1000017?\n1. Yes\n2. No", 9)
    talk(session, MENU, sure, DONE)
    page = clerk.get("/funnel").text
    assert "Pay KES … for …?" in page
    assert "1000017" not in page


def test_the_page_shows_them(clerk: Browser, session: Session) -> None:
    many(session)
    page = clerk.get("/funnel").text
    assert "8 conversations" in page
    assert "Nothing chosen" in page
    assert "Amount in KES:" in page, "a screen that no map knows goes by what stood on it"
    assert "Main menu" in page
    assert '<option value="63903">Airtel</option>' in page
    assert "1 ran out of time" in page
    assert 'class="left"' in page
    assert "1 conversation<" in clerk.get("/funnel?channel=sms").text
    assert "No conversation in that time" in clerk.get("/funnel?language=fr").text
    assert "No conversation in that time" in clerk.get("/funnel?since=2020-01-01&until=2020-01-02").text


@pytest.mark.parametrize(
    "query",
    ["since=nonsense", "since=2026-13-45&until=x", "since=9999-12-31&until=0001-01-01", "network=%00'--",
     "until=0001-01-01", "language[]=x&channel=%ff"],
)  # fmt: skip
def test_a_bent_address_is_taken_calmly(clerk: Browser, query: str) -> None:
    assert clerk.get(f"/funnel?{query}").status_code == 200


def test_days_begin_at_midnight_where_the_utility_is(clerk: Browser, session: Session, settings: Settings) -> None:
    """Half past midnight in Nairobi is the evening before in UTC."""
    day = today(settings.utility_zone) - timedelta(days=1)
    began = datetime.combine(day, time(0, 30), ZoneInfo(settings.utility_zone))
    assert began.astimezone(UTC).date() == day - timedelta(days=1)
    talk(session, MENU, DONE, began=began)
    assert "1 conversation<" in clerk.get(f"/funnel?since={day}&until={day}").text
    before = day - timedelta(days=1)
    assert "No conversation" in clerk.get(f"/funnel?since={before}&until={before}").text


def test_a_short_period_of_a_long_history_reads_its_own_part_alone(session: Session) -> None:
    """The plan of the query over 20,000 conversations with 100,000 turns: indexes for a day, no table as a whole."""
    for statement in (
        """
        INSERT INTO conversation (channel, provider, session_id, phone, service_code, network, language,
            started_at, ended_at, outcome, hops, flow, last_screen)
        SELECT 'ussd', 'at', 's' || i, '+254700000001', '*384*7#', '63902', 'sw', now() - i * interval '5 minutes',
            now(), 'completed', 5, 'pay', 'end'
        FROM generate_series(1, 20000) AS i
        """,
        """
        INSERT INTO conversation_hop (conversation_id, position, said, reply, screen, at, ms, first, waited_s)
        SELECT id, place, '1', repeat('a screen ', 15), 'ask:' || place, now(), 5, true, nullif(place, 4)
        FROM conversation, generate_series(0, 4) AS place
        """,
    ):
        session.execute(text(statement))
    session.commit()
    with engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE conversation, conversation_hop"))
    [pay] = of(session)
    assert 280 <= pay.conversations <= 290
    query = counts(Chosen(now() - timedelta(days=1), now() + timedelta(days=1)))
    compiled = str(query.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True}))
    plan = "\n".join(session.scalars(text("EXPLAIN " + compiled.replace(":", r"\:"))))
    assert "Seq Scan" not in plan, plan
    assert "Index Only Scan using ix_conversation_started" in plan
    assert "Index Only Scan using ix_conversation_hop_screen" in plan
