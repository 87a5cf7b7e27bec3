"""What must always hold of money received, as SQL."""

from sqlalchemy import text
from sqlalchemy.orm import Session

from billing.books import Invariant

CHECKS = {
    "each receipt has one balanced entry of its amount": """
        SELECT receipt.receipt FROM receipt
        WHERE NOT EXISTS (
            SELECT FROM posting WHERE posting.entry_id = receipt.entry_id AND posting.account = 'cash:mpesa'
            AND posting.amount_minor = receipt.amount_minor)
    """,
    "each entry of an M-Pesa receipt has its receipt": """
        SELECT ledger_entry.source FROM ledger_entry
        WHERE ledger_entry.source LIKE 'receipt:mpesa:%'
        AND NOT EXISTS (SELECT FROM receipt WHERE receipt.entry_id = ledger_entry.id)
    """,
    "no entry is behind two receipts": """
        SELECT entry_id::text FROM receipt GROUP BY entry_id HAVING count(*) > 1
    """,
    "a receipt is credited to its connection or lies in suspense": """
        SELECT receipt.receipt FROM receipt
        WHERE NOT EXISTS (
            SELECT FROM posting JOIN ledger_entry ON ledger_entry.id = posting.entry_id
            WHERE posting.amount_minor = -receipt.amount_minor
            AND posting.connection_id IS NOT DISTINCT FROM receipt.connection_id
            AND (ledger_entry.id = receipt.entry_id
                OR ledger_entry.source = 'suspense:mpesa:' || receipt.shortcode || ':' || receipt.receipt))
    """,
    "suspense holds the receipts without a connection, and nothing else": """
        SELECT 'suspense ' || held.minor || ', receipts ' || waiting.minor
        FROM (SELECT coalesce(-sum(amount_minor), 0) AS minor FROM posting WHERE account = 'suspense') held,
            (SELECT coalesce(sum(amount_minor), 0) AS minor FROM receipt WHERE connection_id IS NULL) waiting
        WHERE held.minor <> waiting.minor
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
        rows = [str(row[0]) for row in session.execute(text(query))]
        found.append(Invariant(name, len(rows), rows[:SAMPLE]))
    return found
