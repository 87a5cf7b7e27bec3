"""What must always hold of money received, as SQL."""

from sqlalchemy import text
from sqlalchemy.orm import Session

from billing.books import Invariant

# The entries of a receipt: its own, the one by which its attempt took it out of suspense, those of its moves.
ENTRIES = """
    entries AS (
        SELECT id AS receipt_id, entry_id FROM receipt
        UNION ALL
        SELECT receipt.id, ledger_entry.id FROM receipt JOIN ledger_entry
        ON ledger_entry.source = 'suspense:' || receipt.provider || ':' || receipt.shortcode || ':' || receipt.receipt
        UNION ALL
        SELECT receipt_id, entry_id FROM money_move WHERE entry_id IS NOT NULL
    ),
    stands AS (
        SELECT entries.receipt_id, posting.account, posting.connection_id, -sum(posting.amount_minor) AS minor
        FROM entries JOIN posting USING (entry_id) WHERE posting.account IN ('receivable', 'suspense')
        GROUP BY 1, 2, 3
    )
"""
CHECKS = {
    "each receipt has one balanced entry of its amount": """
        SELECT receipt.receipt FROM receipt
        WHERE (SELECT count(*) FROM posting WHERE posting.entry_id = receipt.entry_id) <> 2 OR NOT EXISTS (
            SELECT FROM posting WHERE posting.entry_id = receipt.entry_id AND posting.account LIKE 'cash:%'
            AND posting.amount_minor = receipt.amount_minor)
    """,
    "each entry of a receipt has its receipt": """
        SELECT ledger_entry.source FROM ledger_entry
        WHERE ledger_entry.source LIKE 'receipt:%:%:%'
        AND NOT EXISTS (SELECT FROM receipt WHERE receipt.entry_id = ledger_entry.id)
    """,
    "no customer is credited with cash that has no receipt": """
        SELECT ledger_entry.source FROM ledger_entry JOIN posting ON posting.entry_id = ledger_entry.id
        WHERE ledger_entry.kind = 'payment' AND posting.amount_minor > 0
        AND posting.account LIKE 'cash:%' AND posting.account <> 'cash:bank'
        AND NOT EXISTS (SELECT FROM receipt WHERE receipt.entry_id = ledger_entry.id)
    """,
    "no entry is behind two receipts": """
        SELECT entry_id::text FROM receipt GROUP BY entry_id HAVING count(*) > 1
    """,
    "what a receipt brought is with customers, in suspense, or went back": """
        WITH @entries, gone AS (
            SELECT receipt_id, sum(amount_minor) AS minor FROM money_move
            WHERE status = 'posted' AND kind IN ('refund', 'bounce') GROUP BY 1
        )
        SELECT receipt.receipt FROM receipt JOIN stands ON stands.receipt_id = receipt.id
        LEFT JOIN gone ON gone.receipt_id = receipt.id
        GROUP BY receipt.id, gone.minor
        HAVING sum(stands.minor) + coalesce(gone.minor, 0) <> receipt.amount_minor OR min(stands.minor) < 0
    """,
    "what of a receipt is held lies in suspense": """
        WITH @entries
        SELECT receipt.receipt FROM receipt
        LEFT JOIN stands ON stands.receipt_id = receipt.id AND stands.account = 'suspense'
        WHERE receipt.held_minor <> coalesce(stands.minor, 0)
    """,
    "a receipt names a connection that it was credited to": """
        WITH @entries
        SELECT receipt.receipt FROM receipt WHERE connection_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM stands WHERE stands.receipt_id = receipt.id AND stands.connection_id = receipt.connection_id)
    """,
    "suspense is what receipts hold there, and nothing else": """
        SELECT 'suspense ' || held.minor || ', receipts ' || waiting.minor
        FROM (SELECT coalesce(-sum(amount_minor), 0) AS minor FROM posting WHERE account = 'suspense') held,
            (SELECT coalesce(sum(held_minor), 0) AS minor FROM receipt) waiting
        WHERE held.minor <> waiting.minor
    """,
    "each move has one entry of its amount, and is undone by another alone": """
        SELECT 'move ' || money_move.id FROM money_move
        LEFT JOIN ledger_entry ON ledger_entry.id = money_move.entry_id
        LEFT JOIN posting ON posting.entry_id = money_move.entry_id
        WHERE money_move.status = 'posted'
        GROUP BY money_move.id, ledger_entry.source
        HAVING count(posting.id) <> 2 OR max(posting.amount_minor) <> money_move.amount_minor
            OR ledger_entry.source <> 'move:' || money_move.id
    """,
    "refunds owed are those that are not paid out": """
        SELECT 'refunds ' || booked.minor || ', owed ' || owed.minor
        FROM (SELECT coalesce(-sum(amount_minor), 0) AS minor FROM posting WHERE account = 'refunds') booked,
            (SELECT coalesce(sum(amount_minor), 0) AS minor FROM money_move
             WHERE status = 'posted' AND kind = 'refund' AND payout <> 'paid') owed
        WHERE booked.minor <> owed.minor
    """,
    "office receipts are numbered without a gap": """
        SELECT shortcode FROM receipt JOIN desk_payment ON desk_payment.receipt_id = receipt.id GROUP BY shortcode
        HAVING count(*) <> max(substring(receipt.receipt FROM '[0-9]+$')::bigint)
    """,
    "a closed day took nothing after it was closed": """
        SELECT 'day ' || desk_day.id FROM desk_day JOIN desk_payment ON desk_payment.day_id = desk_day.id
        JOIN receipt ON receipt.id = desk_payment.receipt_id
        WHERE desk_day.closed_at < receipt.created_at
    """,
    "a drawer holds what was kept and what was taken since": """
        WITH last AS (SELECT DISTINCT ON (cashier) * FROM desk_day ORDER BY cashier, id DESC),
        booked AS (
            SELECT account, sum(amount_minor) AS minor FROM posting WHERE account LIKE 'cash:drawer:%' GROUP BY 1)
        SELECT last.cashier FROM last LEFT JOIN booked ON booked.account = 'cash:drawer:' || last.cashier
        WHERE last.status = 'closed' AND coalesce(booked.minor, 0) <> last.kept_minor
    """,
    "a bank line moves its amount through the bank's account, once": """
        SELECT 'line ' || bank_line.id FROM bank_line
        WHERE bank_line.entry_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM posting WHERE posting.entry_id = bank_line.entry_id AND posting.account = 'cash:bank'
            AND posting.amount_minor = bank_line.amount_minor)
    """,
    "an attempt has one receipt at most": """
        SELECT intent_id::text FROM receipt WHERE intent_id IS NOT NULL GROUP BY intent_id HAVING count(*) > 1
    """,
    "a paid attempt has a receipt of its amount": """
        SELECT payment_intent.id::text FROM payment_intent
        WHERE payment_intent.state = 'paid' AND NOT EXISTS (
            SELECT FROM receipt WHERE receipt.intent_id = payment_intent.id
            AND receipt.amount_minor = payment_intent.amount_minor)
    """,
    "a receipt's attempt is paid": """
        SELECT receipt.receipt FROM receipt JOIN payment_intent ON payment_intent.id = receipt.intent_id
        WHERE payment_intent.state <> 'paid'
    """,
    "a receipt that was credited was thanked for once at most": """
        SELECT key FROM message WHERE key LIKE 'receipt:%' GROUP BY key HAVING count(*) > 1
    """,
}
SAMPLE = 5


def check(session: Session) -> list[Invariant]:
    """Each invariant with the number of its violations and a few of them."""
    found = []
    for name, query in CHECKS.items():
        rows = [str(row[0]) for row in session.execute(text(query.replace("@entries", ENTRIES)))]
        found.append(Invariant(name, len(rows), rows[:SAMPLE]))
    return found
