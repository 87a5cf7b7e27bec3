"""The ways through the office: groups of pages, each with the endpoints that belong to it."""

from dataclasses import dataclass

from admin_web.access import can


@dataclass(frozen=True, slots=True)
class Way:
    """A page of the navigation: its endpoint, its words, and the pages behind it that mark it as the present one."""

    endpoint: str
    words: str
    behind: tuple[str, ...] = ()

    def marks(self, here: str) -> str:
        """What aria-current says of it when one is at the endpoint `here`; "" where one is elsewhere."""
        return "page" if here == self.endpoint else "true" if here in self.behind else ""


def _way(endpoint: str, words: str, behind: str = "") -> Way:
    return Way(endpoint, words, tuple(behind.split()))


GROUPS: tuple[tuple[str, tuple[Way, ...]], ...] = (
    ("Every day", (
        _way("home", "Home"),
        _way("customers", "Customers", "customer new_customer new_phone links"),
        _way("readings", "Readings", "reading_sheet save_sheet reading_review reading_estimates anomalies anomaly"),
        _way("payments", "Payments", "receipts receipt intent suspense move_money approvals refunds notices notice "
                                     "bounce_cheque"),
        _way("desk", "Cash desk", "take_payment desk_days desk_day close_desk"),
        _way("faults", "Faults", "fault close_one"),
        _way("messages", "Messages", "inbox inbox_talk reply_to bulk_sends bulk_send new_bulk texts edit_text numbers"),
        _way("conversations", "Conversations", "conversation funnel flow_map"),
    )),
    ("Billing", (
        _way("runs", "Billing runs", "run new_run confirm_issue confirm_cancel"),
        _way("invoices", "Invoices", "invoice void_invoice corrections"),
        _way("dunning", "Debts", "policy debtors aging"),
        _way("reconciliation", "Reconciliation", "reconciled_day bank new_statement bank_import mpesa_statements "
                                                 "mpesa_statement"),
        _way("ledger", "Books", "ledger_account journal_file"),
        _way("tariffs", "Tariffs", "tariff new_tariff new_version save_version levies"),
    )),
    ("Network", (
        _way("connections", "Connections", "connection new_connection open_one edit_connection assign new_zone "
                                           "bulk_edits bulk_edit"),
        _way("meters", "Meters", "meter new_meter"),
    )),
    ("Office", (
        _way("imports", "Imports", "upload_import import_file undo_import"),
        _way("users", "Officers", "add_user officer_page reset_password"),
        _way("audit", "Audit"),
    )),
)  # fmt: skip


def open_ways() -> list[tuple[str, list[Way]]]:
    """The groups with the ways that the present officer may go, without those that are empty for her."""
    found = [(group, [way for way in ways if can(way.endpoint)]) for group, ways in GROUPS]
    return [(group, ways) for group, ways in found if ways]
