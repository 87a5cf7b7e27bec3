"""Invoices on paper."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from billing.models import Connection, Customer, Invoice, Zone
from billing.notes import void
from billing.pdf import making
from billing.pdf.drawing import payment_code
from billing.pdf.facts import papers
from billing.pdf.making import files, invoice_pdf, invoices_of, pdf
from billing.pdf.words import figure, label, printable, words
from billing.single_bills import bill_one
from core.clock import frozen
from core.i18n import LANGUAGES
from core.money import Money
from tests.billing.estate import Estate, must_read

FEBRUARY, MARCH = date(2026, 2, 1), date(2026, 3, 1)


@pytest.fixture
def bills(session: Session) -> Iterator[list[Invoice]]:
    """Two connections, two months each."""
    with frozen(datetime(2026, 4, 2, 9, tzinfo=UTC)):
        estate = Estate(session)
        homes = [estate.metered("+254700000001"), estate.metered()]
        for month, value in ((FEBRUARY, 120), (MARCH, 150)):
            for home in homes:
                must_read(session, home, value, date(2026, month.month, 28))
                bill_one(session, home.id, month, "x")
        yield list(session.scalars(select(Invoice).order_by(Invoice.id)))


def test_a_paper_has_all_that_a_customer_needs(session: Session, bills: list[Invoice]) -> None:
    [paper] = papers(session, [bills[2].id])
    assert (paper.number, paper.usage, paper.amount, paper.arrears) == ("INV-000003", 30, Money(30_000), Money(20_000))
    assert paper.to_pay == Money(50_000)
    assert paper.history == [(FEBRUARY, Decimal(20)), (MARCH, Decimal(30))]
    assert (paper.opening, paper.closing) == ((120, date(2026, 2, 28)), (150, date(2026, 3, 28)))
    assert sum(line.amount.minor for line in paper.lines) == 30_000
    code = payment_code(paper.account_no, paper.number, paper.to_pay.number)
    assert code.split("\n") == ["PayBill 600100", f"Account {paper.account_no}", "Amount 500", "INV-000003"]


@pytest.mark.parametrize("size", ["a5", "thermal"])
def test_the_same_invoice_is_the_same_file(session: Session, bills: list[Invoice], size: str) -> None:
    made = invoice_pdf(session, bills[0].id, size)
    assert made is not None
    assert made.startswith(b"%PDF-")
    assert made == invoice_pdf(session, bills[0].id, size)
    assert made != invoice_pdf(session, bills[1].id, size)


def test_a_draft_is_no_document(session: Session, bills: list[Invoice]) -> None:
    assert invoice_pdf(session, 0) is None


def test_a_void_invoice_says_so(session: Session, bills: list[Invoice]) -> None:
    whole = invoice_pdf(session, bills[3].id)
    void(session, bills[3].id, "Wrong", "x")
    assert papers(session, [bills[3].id])[0].status == "void"
    assert invoice_pdf(session, bills[3].id) != whole


def test_a_zones_month_comes_in_files(session: Session, bills: list[Invoice], monkeypatch: pytest.MonkeyPatch) -> None:
    zone_id = session.scalars(select(Zone.id)).one()
    assert invoices_of(session, zone_id, date(2026, 4, 1)) == []
    found = invoices_of(session, zone_id, MARCH)
    assert found == [bills[2].id, bills[3].id]
    monkeypatch.setattr(making, "IN_A_FILE", 1)
    assert len(list(files(session, found))) == 2
    monkeypatch.setattr(making, "IN_A_FILE", 1000)
    [together] = files(session, found)
    assert b"/Count 2" in together


def test_it_is_in_the_customers_language(session: Session, bills: list[Invoice]) -> None:
    [paper] = papers(session, [bills[2].id])
    customer = session.get_one(Customer, session.get_one(Connection, bills[2].connection_id).customer_id)
    made = {}
    for language in LANGUAGES:
        customer.language = language
        session.flush()
        [again] = papers(session, [bills[2].id])
        assert again.language == language
        made[language] = {size: pdf([again], size) for size in ("a5", "thermal")}
    assert len({each["a5"] for each in made.values()}) == len({each["thermal"] for each in made.values()}) == 5
    assert paper.meter
    assert words("sw")["to_pay"] == "Ya kulipa"
    lines = [("Usage 6 to 20", "fr"), ("Sewer over 8", "id"), ("Usage 0 to 6, flat", "en"), ("VAT 16%", "rw")]
    assert [label(*one) for one in lines] == ["Conso 6-20", "Air limbah > 8", "Usage 0 to 6, flat", "VAT 16%"]
    assert [figure(Money(125_050), one) for one in ("en", "fr", "id")] == ["1,250.50", "1 250,50", "1.250,50"]


def test_a_page_shows_what_it_must(session: Session, bills: list[Invoice], monkeypatch: pytest.MonkeyPatch) -> None:
    """Uncompressed, each text of a page stands in the file."""
    monkeypatch.setattr(making, "COMPRESSED", 0)
    [paper] = papers(session, [bills[2].id])
    paper.estimated = True
    for size in ("a5", "thermal"):
        page = pdf([paper], size).decode("latin-1")
        for text in (
            "INV-000003", paper.account_no, paper.meter, "KES 500", "16 Apr 2026", "Estimated", "300.00",
            "Owed from before", "200.00", "PayBill 600100", "Feb", "Mar",
        ):  # fmt: skip
            assert f"({text}" in page or f" {text}" in page, text


def test_letters_that_the_paper_lacks_become_plain() -> None:
    assert printable("Ngũgĩ wa Thiong'o, Møller") == "Ngugi wa Thiong'o, Møller"


def test_many_charges_fit(session: Session, bills: list[Invoice]) -> None:
    [paper] = papers(session, [bills[0].id])
    paper.lines *= 40
    paper.customer = "A very long name of a customer that goes on and on and on, and further still"
    for size in ("a5", "thermal"):
        assert len(pdf([paper] * 3, size)) > 1000
