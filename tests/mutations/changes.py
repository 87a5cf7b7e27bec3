"""The breaks: a place in the source or in a migration, what is put there, and the tests that must turn red."""

from dataclasses import dataclass

RATING, SEGMENTS = "tests/billing/test_rating.py", "tests/billing/test_segments.py"
BOUNDS = "tests/billing/test_bounds.py"
LEDGER, RUNS, FAULTS = "tests/billing/test_ledger.py", "tests/billing/test_runs.py", "tests/billing/test_run_faults.py"
DOUBTS, ESTIMATES = "tests/billing/test_doubts.py", "tests/billing/test_estimates.py"
READINGS, ARREARS, BOOKS = (
    "tests/billing/test_readings.py", "tests/billing/test_arrears.py", "tests/billing/test_books.py",
)  # fmt: skip
CORRECTIONS, ANOMALIES = "tests/billing/test_corrections.py", "tests/billing/test_anomalies.py"
SETTLEMENT = "tests/payments/test_settlement.py"


@dataclass(frozen=True, slots=True)
class Mutation:
    """`old` stands in the file exactly once."""

    what: str
    path: str
    old: str
    new: str
    tests: tuple[str, ...]


MUTATIONS = (
    # Bounds: exclusive below, inclusive above.
    Mutation("a block is entered at its lower bound", "billing/usage_lines.py",
             "if place and usage <= tier.above:", "if place and usage < tier.above:", (RATING,)),
    Mutation("an upper bound belongs to the block above", "billing/usage_lines.py",
             "if tier.to is None or usage <= tier.to)", "if tier.to is None or usage < tier.to)", (RATING,)),
    Mutation("a schedule's largest total belongs to the next", "billing/usage_lines.py",
             "if most is None or usage <= most:", "if most is None or usage < most:", (RATING,)),
    Mutation("a bracket's end belongs to the next", "billing/rating.py",
             "usage <= bracket.to * days:", "usage < bracket.to * days:", (BOUNDS,)),
    Mutation("the first day of a window is outside of it", "billing/bounds.py",
             "proration.window[0] <= period.days", "proration.window[0] < period.days", (BOUNDS, SEGMENTS)),
    Mutation("the last day of a window is outside of it", "billing/bounds.py",
             "period.days <= proration.window[1]", "period.days < proration.window[1]", (BOUNDS, SEGMENTS)),
    # Rating.
    Mutation("half a cent is rounded to even", "billing/sheet.py",
             "to_integral_value(ROUND_HALF_UP)", "to_integral_value('ROUND_HALF_EVEN')", (RATING,)),
    Mutation("a season below one is left out", "billing/usage_lines.py",
             "multiplier is None or multiplier == 1:", "multiplier is None or multiplier <= 1:", (RATING,)),
    Mutation("a tax is taxed", "billing/sheet.py",
             'if line.group != "tax")', "if line.group)", (BOUNDS, SEGMENTS)),
    Mutation("the minimum bill is forgotten", "billing/rating.py",
             "and total < minimum:", "and total > minimum:", (BOUNDS, SEGMENTS)),
    Mutation("a changed tariff rules from the day after", "billing/segments.py",
             "(version, version.valid_from, last)]", "(version, version.valid_from + DAY, last)]", (SEGMENTS,)),
    # Readings.
    Mutation("an estimate is not overtaken", "billing/readings.py",
             'overtake(session, reading, judgement.previous, ("estimate",), by)', "pass", (ESTIMATES,)),
    Mutation("a late arrival leaves the next usage as it was", "billing/readings.py",
             "after.usage -= reading.usage", "pass", (DOUBTS,)),
    Mutation("any lower value is a rollover", "billing/judgement.py",
             'if moved.turn == "rollover" and (', 'if moved.turn == "never" and (', (DOUBTS, READINGS)),
    Mutation("a rollover is one short", "billing/chain.py",
             'link(meter, earlier, later, "forward") or Link("rollover", later + 10**meter.digits - earlier)',
             'link(meter, earlier, later, "forward") or Link("rollover", later + 10**meter.digits - earlier - 1)',
             (DOUBTS, READINGS)),
    # The ledger and what is made of it.
    Mutation("a leg of a note is left out", "billing/notes.py",
             "Leg(one.account, -one.amount_minor)", "Leg(one.account, one.amount_minor)", (CORRECTIONS,)),
    Mutation("a leg of an issued bill is left out", "billing/issuing.py",
             "SELECT entry_id, account, NULL, amount_minor FROM credits",
             "SELECT entry_id, account, NULL, amount_minor FROM credits WHERE account <> 'revenue:water'", (RUNS,)),
    Mutation("a void reverses nothing", "billing/voids.py",
             'if charged is not None else None\n    session.execute(VOID',
             "if False else None\n    session.execute(VOID",
             (CORRECTIONS,)),
    Mutation("who proposed it approves it", "billing/notes.py",
             "if approve and by == one.proposed_by:", "if approve and by == one.kind:", (CORRECTIONS,)),
    Mutation("a charge that was taken back is a debt", "billing/arrears.py",
             "AND NOT EXISTS (SELECT FROM ledger_entry r WHERE r.reverses_id = e.id)", "", (ARREARS,)),
    Mutation("the thirtieth day is in the second bucket", "billing/arrears.py",
             "if days <= most)", "if days < most)", (ARREARS,)),
    # What the database refuses by itself.
    Mutation("a month may be billed twice", "migrations/versions/0010_bills.py",
             '"uq_invoice_period", "invoice", PERIOD, unique=True,', '"uq_invoice_period", "invoice", PERIOD,',
             (BOOKS, FAULTS, RUNS)),
    Mutation("a number may be given twice", "migrations/versions/0010_bills.py",
             '"uq_invoice_number", "invoice", ["number"], unique=True,', '"uq_invoice_number", "invoice", ["number"],',
             (BOOKS,)),
    Mutation("a source may be posted twice", "migrations/versions/0002_billing.py",
             'sa.UniqueConstraint("source", name="uq_ledger_entry_source"),', "", (LEDGER,)),
    Mutation("an entry may be taken back twice", "migrations/versions/0010_bills.py",
             '"uq_ledger_entry_reverses_id", "ledger_entry", ["reverses_id"], unique=True,',
             '"uq_ledger_entry_reverses_id", "ledger_entry", ["reverses_id"],', (LEDGER, CORRECTIONS)),
    Mutation("a receipt may be settled twice", "migrations/versions/0003_payments.py",
             '"receipt", ["provider", "shortcode", "receipt"], unique=True',
             '"receipt", ["provider", "shortcode", "receipt"]',
             (SETTLEMENT,)),
    Mutation("an entry need not sum to zero", "migrations/versions/0010_bills.py",
             "IF total <> 0 THEN", "IF false THEN", (LEDGER,)),
    Mutation("postings may be changed", "migrations/versions/0002_billing.py",
             '"""CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON posting',
             '"""CREATE TRIGGER append_only BEFORE TRUNCATE ON posting', (LEDGER,)),
    Mutation("an issued bill may be changed", "migrations/versions/0010_bills.py",
             "AND to_jsonb(NEW) - 'status' = to_jsonb(OLD) - 'status' THEN", "THEN", (RUNS, CORRECTIONS)),
    Mutation("balances are not kept", "migrations/versions/0002_billing.py",
             '"""CREATE TRIGGER keep_balances AFTER INSERT ON posting REFERENCING NEW TABLE AS added',
             '"""CREATE TRIGGER keep_balances AFTER DELETE ON posting REFERENCING OLD TABLE AS added', (LEDGER,)),
    # What stands out.
    Mutation("half as much again is a leak", "billing/anomaly_rules.py",
             "daily > ABOVE * usual:", "daily >= ABOVE * usual:", (ANOMALIES,)),
    Mutation("flagged months are part of what is usual", "billing/anomaly_rules.py",
             "if not one.estimated and not one.flagged", "if not one.estimated", (ANOMALIES,)),
)  # fmt: skip
