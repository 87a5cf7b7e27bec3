"""Which tables the database keeps a record of, how, and why the others need none. A test holds it to the triggers."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Audited:
    """How the changes of one table are kept.

    `key` names a row. `secret` columns are kept as "hidden", `quiet` ones not at all: they count or note by themselves.
    What the service does by the thousand and tells elsewhere is left out, and kept where anybody else does it: new
    rows where `routine_insert`, changes of rows that hold `routine_while`.
    """

    key: tuple[str, ...] = ("id",)
    secret: tuple[str, ...] = ()
    quiet: tuple[str, ...] = ()
    routine_insert: bool = False
    routine_while: dict[str, str] = field(default_factory=dict)

    def rule(self) -> dict[str, object]:
        """As the triggers get it; what is empty is left out."""
        parts: dict[str, object] = {
            "key": list(self.key),
            "secret": list(self.secret),
            "quiet": list(self.quiet),
            "routine_insert": self.routine_insert,
            "routine_while": self.routine_while,
        }
        return {name: value for name, value in parts.items() if value}


AUDITED: dict[str, Audited] = {
    "zone": Audited(),
    "customer": Audited(secret=("pin_hash",), quiet=("pin_tries",)),
    "customer_phone": Audited(key=("phone",)),
    "connection": Audited(),
    "meter": Audited(),
    "meter_assignment": Audited(),
    "reading": Audited(routine_insert=True),
    "tariff": Audited(),
    "tariff_version": Audited(),
    "levy_rate": Audited(key=("series", "month")),
    "billing_run": Audited(quiet=("done", "failed", "skipped", "issued")),
    "invoice": Audited(routine_insert=True, routine_while={"status": "draft"}),
    "adjustment": Audited(),
    "credit_policy": Audited(key=("kind",)),
    "payment_plan": Audited(),
    "plan_instalment": Audited(key=("plan_id", "position")),
    "dunning_step": Audited(routine_insert=True),
    "receipt": Audited(routine_insert=True),
    "fault_report": Audited(routine_insert=True),
    "link_request": Audited(routine_insert=True),
    "message_template": Audited(key=("name", "language")),
    "bulk_send": Audited(quiet=("filled_to",)),
    "opt_out": Audited(key=("phone",)),
    "office_user": Audited(secret=("password_hash", "totp_sealed"), quiet=("last_login_at", "totp_step")),
    "recovery_code": Audited(secret=("code_hash",)),
    "water_budget": Audited(key=("connection_id", "since")),
    "anomaly": Audited(routine_insert=True),
    "desk_day": Audited(),
    "money_move": Audited(),
    "bank_profile": Audited(key=("account",)),
    "bank_line": Audited(routine_insert=True),
    "day_closing": Audited(routine_insert=True),
    "day_difference": Audited(routine_insert=True),
}

NOT_AUDITED: dict[str, str] = {
    "audit_entry": "is the record itself; the database refuses to change it",
    "ledger_entry": "append-only; the database refuses to change it",
    "posting": "append-only; the database refuses to change it",
    "ledger_unsettled": "a note of the ledger's own guard, gone at the end of the transaction",
    "balance": "follows the postings; the check of the books compares them",
    "books_check": "what the check of the books found, by the clock",
    "number_series": "a counter; the check of the books finds gaps",
    "run_batch": "how far a run is",
    "run_problem": "what a run could not bill, made by the run",
    "invoice_line": "made with its invoice and frozen with it; the check of the books adds it up",
    "reading_correction": "is a record itself, append-only",
    "self_reading": "worked out from the readings",
    "payment_intent": "moves by itself; every state is kept in intent_event",
    "intent_event": "append-only record of an intent's states",
    "notice": "what a provider sent, kept as it came",
    "effect": "what a conversation did, once for each turn",
    "conversation": "what a customer said and was told, kept as it was",
    "conversation_hop": "part of a conversation",
    "message": "its states are its own record; nobody edits one",
    "sms_hold": "why the gateway rests, by the sender",
    "failing_number": "counted by the sender",
    "import_file": "is a record itself: who brought what, when; each row it makes is in the audit",
    "import_row": "part of an import; what it makes is in the audit",
    "import_name": "names of an import's rows, to look them up; part of an import",
    "bulk_edit": "is a record itself: who edited which rows; each row it changes is in the audit",
    "bulk_edit_row": "part of a bulk edit; what it changes is in the audit",
    "dunning_round": "how far a round of reminders is; each step it takes is in the audit",
    "zone_season": "worked out from the readings",
    "anomaly_search": "how far a search is",
    "wallet_pace": "when a provider may be asked again, by the service",
    "pull_run": "what the service fetched from a provider",
    "mpesa_request": "what was asked of M-Pesa, with its answer; a record itself",
    "mpesa_statement": "is a record itself: who brought what, when",
    "mpesa_statement_row": "part of a statement, as it came",
    "desk_payment": "made with its receipt and frozen with it",
    "bank_import": "is a record itself: who brought what, when",
    "provider_line": "what a provider's statement says, as it came",
    "outbox": "work to be done",
    "office_session": "logins: they are in the list of sessions, and expire",
    "login_throttle": "wrong passwords, counted by the login page",
    "sent_form": "forms that were sent, forgotten after a week",
}
