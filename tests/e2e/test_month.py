"""A customer's month over the wire, while every process is killed once: it ends right all the same."""

import uuid

import pytest

from core.money import Money
from tests.e2e.conftest import House, eventually
from tests.e2e.customer import Customer

UNKNOWN = "+254711222333"


@pytest.fixture(scope="module")
def urls(house: House) -> dict[str, str]:
    found: dict[str, str] = house.json("urls")
    return found


@pytest.fixture
def customer(house: House, urls: dict[str, str]) -> Customer:
    """The seeded customer who owes most, speaks English and has one connection."""
    seeded = house.seeded()
    phones = [row["phone"] for row in seeded]
    alone = [row for row in seeded if phones.count(row["phone"]) == 1 and row["language"] == "en"]
    return Customer(house, max(alone, key=lambda row: row["owes"])["phone"], urls)


def owed(customer: Customer) -> Money:
    """As the balance screen says it; negative is her credit."""
    shown = customer.dial_and_pick("3.")
    line = next(line for line in shown.splitlines() if "KES" in line)
    amount = line.partition("KES ")[2].partition(" ")[0].rstrip(".").replace(",", "")
    return -Money.of(amount) if "in credit" in shown else Money.of(amount)


def sound(house: House) -> None:
    books = house.json("books", "check")
    broken = [row for row in books["invariants"] if row["violations"]]
    assert not broken, broken


@pytest.mark.parametrize("killed", [None, "web", "ussd", "worker", "valkey", "postgres", "relay"])
def test_she_pays_whatever_dies(house: House, customer: Customer, killed: str | None) -> None:
    before, amount = owed(customer), 20 + sum(map(ord, killed or ""))  # M-Pesa refuses the same amount twice
    shown = customer.dial()
    assert "Maji Safi Water" in shown
    customer.say("2", "2", str(amount))
    if killed:
        house.kill(killed)
    shown = customer.say("1")
    assert shown.startswith("END"), shown
    repeated = customer.repeat()
    assert repeated == shown
    prompt = customer.enter_pin()
    assert prompt["amount"] == amount
    texts = eventually(lambda: customer.inbox(f"KES {amount} "), 90, "the receipt's SMS")
    assert len(texts) == 1
    assert before - owed(customer) == Money.of(amount)
    sound(house)


def test_a_lost_callback_is_made_good(house: House, customer: Customer) -> None:
    before = owed(customer)
    house.faults(callback_copies=0)
    try:
        customer.text("PAY 23")
        customer.enter_pin()
        eventually(lambda: customer.inbox("KES 23 "), 90, "the receipt, without a callback")
    finally:
        house.faults(callback_copies=1)
    assert before - owed(customer) == Money.of(23)
    sound(house)


def test_five_copies_of_a_callback_are_one_payment(house: House, customer: Customer) -> None:
    before = owed(customer)
    house.faults(callback_copies=5, confirm_pushes=True)
    try:
        customer.text("PAY 29")
        customer.enter_pin()
        eventually(lambda: customer.inbox("KES 29 "), 60, "the receipt")
    finally:
        house.faults(callback_copies=1, confirm_pushes=False)
    assert before - owed(customer) == Money.of(29)
    assert len(customer.inbox("KES 29 ")) == 1
    sound(house)


def test_unknown_registers_and_reads_her_meter(house: House, urls: dict[str, str]) -> None:
    newcomer = Customer(house, UNKNOWN, urls)
    free = house.unlinked_account()
    shown = newcomer.dial()
    assert "not registered" in shown
    shown = newcomer.say("1", "Neema Wekesa", "1", free)
    assert free in shown
    shown = newcomer.say("1")
    assert "Welcome, Neema Wekesa" in shown
    shown = newcomer.dial()
    assert "Neema Wekesa" in shown
    sound(house)


def test_reading_in_the_middle_of_which_valkey_is_emptied(house: House, customer: Customer) -> None:
    customer.dial()
    shown = customer.say("1")
    last = int(shown.partition("Last reading ")[2].partition(" ")[0].replace(",", "").rstrip("."))
    house.empty_valkey()
    shown = customer.say(str(last - 1))
    assert "below the last reading" in shown
    shown = customer.say(str(last + 9))
    if "Are you sure" in shown:
        shown = customer.say("1")
    assert shown.startswith("END Thank you"), shown
    house.empty_valkey()
    assert customer.repeat() == shown
    assert house.readings_of(customer.phone, last + 9) == 1
    sound(house)


def test_keywords_answer_by_sms(house: House, customer: Customer) -> None:
    for words, answer in (("BAL", "owe"), ("BILL", "Bill "), ("HELP", "PAY 500"), (str(uuid.uuid4()), "PAY 500")):
        before = len(customer.inbox(answer))
        customer.text(words)
        eventually(lambda: len(customer.inbox(answer)) > before, 30, f"an answer to {words}")  # noqa: B023


def test_she_pays_by_sms(house: House, customer: Customer) -> None:
    before = owed(customer)
    customer.text("pay 17")
    customer.enter_pin()
    eventually(lambda: customer.inbox("KES 17 "), 60, "the receipt's SMS")
    assert before - owed(customer) == Money.of(17)


def test_wrong_pin_pays_nothing_and_says_so(house: House, customer: Customer) -> None:
    before = owed(customer)
    customer.text("PAY 19")
    customer.enter_pin("9999")
    eventually(lambda: customer.inbox("PIN was wrong"), 60, "why nothing was paid")
    assert owed(customer) == before
    sound(house)
