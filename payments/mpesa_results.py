"""M-Pesa's result codes: which of them are final, and why nothing was paid.

Daraja 3.0, "M-Pesa Express", result codes, with those that the sandbox and production were seen to send beside them.
A code that is not here is no answer: the attempt stays open until its receipt comes, or nothing more can be pulled.
"""

from payments.wallets.protocol import Cause

LOCKED = "1001"
CAUSES: dict[str, Cause] = {
    "1": "funds",  # the balance is insufficient
    "2": "limit",  # less than the smallest amount
    "3": "limit",  # more than the largest amount
    "4": "limit",  # more than the day's limit
    "8": "other",  # our own account may hold no more
    "17": "repeated",  # the same amount within two minutes
    "26": "other",  # the system is busy
    LOCKED: "busy",  # another session is open on the phone
    "1019": "silent",  # expired before the PIN was typed
    "1025": "other",  # the prompt could not be sent, such as for its length
    "1032": "cancelled",
    "1037": "silent",  # the phone is off, busy, or in another session
    "2001": "pin",
    "2028": "other",  # our kind of short code and our request do not agree
    "SFC_IC0003": "other",  # the same, in other words
    "8006": "blocked",  # the PIN was locked after too many wrong ones
}
"""Each of them says for sure that this request moved no money."""
FAILED = frozenset(CAUSES)
OURS = frozenset({"1025", "2028", "SFC_IC0003"})
"""Nobody but us is to blame for these: our settings are wrong, and every customer gets them."""
