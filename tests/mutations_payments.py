"""`python -m tests.mutations_payments`: does the suite notice when a guard of the money is taken away?

Each mutation takes one guard out of a copy of the project; the tests named beside it must turn red there. Those that
stay green are printed as such, and the exit code is 1. Nothing in the project itself is changed. A name or a part of
one as argument runs only the mutations that have it: `python -m tests.mutations_payments amount`.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", ".mita", "__pycache__", ".*_cache", ".hypothesis")
AT_ONCE, SETTLING, PUSHING = (f"tests/payments/test_{name}.py" for name in ("money_at_once", "settlement", "push"))
RED = 1
"""pytest's exit code where tests ran and some failed; any other is a mistake of the mutation."""


@dataclass(frozen=True)
class Edit:
    """In `file`, `old` stands exactly once and becomes `new`."""

    file: str
    old: str
    new: str

    def fits(self, root: Path) -> bool:
        return (root / self.file).read_text().count(self.old) == 1

    def make(self, root: Path) -> None:
        path = root / self.file
        path.write_text(path.read_text().replace(self.old, self.new))


@dataclass(frozen=True)
class Mutation:
    """A guard, how it is taken away, and the tests that must notice."""

    name: str
    edits: tuple[Edit, ...]
    tests: tuple[str, ...]


SETTLEMENT, INTENTS = "payments/settlement.py", "payments/intents.py"
MUTATIONS = (
    Mutation(
        "no UNIQUE for a receipt's number",
        (
            Edit("migrations/versions/0003_payments.py", '"receipt"], unique=True)', '"receipt"])'),
            Edit("payments/models.py", '"provider", "shortcode", "receipt", unique=True)', '"provider", "receipt")'),
        ),
        (f"{AT_ONCE}::test_the_database_itself_refuses_a_second_row_of_a_receipt",),
    ),
    Mutation(
        "a receipt's entry is not once in the ledger",
        (Edit("payments/receipts.py", 'return f"{what}:', 'return f"{now().timestamp()}{what}:'),),
        (f"{AT_ONCE}::test_fifty_copies_at_once_are_one_credit_and_one_receipt",),
    ),
    Mutation(
        "no guard on the state that an attempt comes from",
        (Edit(INTENTS, ", PaymentIntent.state.in_(list(come_from)))", ")"),),
        (
            f"{PUSHING}::test_the_prompt_goes_out_once_however_often_the_job_runs",
            f"{SETTLING}::test_success_with_a_receipt_wins_over_failure_in_any_order",
        ),
    ),
    Mutation(
        "a push of M-Pesa is sent again after a death",
        (Edit("payments/jobs.py", 'payer.facts.resend_is_safe else ["created"]', 'True else ["created"]'),),
        (f"{PUSHING}::test_a_lost_answer_is_unknown_and_never_sent_again",),
    ),
    Mutation(
        "paid by ResponseCode instead of ResultCode",
        (
            Edit(
                "payments/daraja_answers.py",
                'code, words = str(heard.body.get("ResultCode", ""))',
                'code, words = str(heard.body.get("ResponseCode", ""))',
            ),
        ),
        (f"{PUSHING}::test_a_query_has_three_ways_to_say_wait",),
    ),
    Mutation(
        "a callback is credited whatever its ResultCode",
        (Edit("payments/forms.py", 'if data["result_code"] != "0":', "if receipt is None:"),),
        ("tests/payments/test_hostile.py::test_a_receipt_in_a_failure_pays_nothing",),
    ),
    Mutation(
        "no check of the amount",
        (Edit(SETTLEMENT, "if amount is not None and amount != asked.major:", "if False:"),),
        (f"{AT_ONCE}::test_a_made_up_callback_credits_nothing_and_is_put_aside",),
    ),
    Mutation(
        "no binding to the token of the address",
        (
            Edit(
                SETTLEMENT,
                "PaymentIntent.token == notice.token",
                "PaymentIntent.checkout_request_id == outcome.checkout_request_id",
            ),
        ),
        (f"{AT_ONCE}::test_a_made_up_callback_credits_nothing_and_is_put_aside",),
    ),
    Mutation(
        "no binding to the CheckoutRequestID",
        (
            Edit(
                SETTLEMENT,
                "return intent.checkout_request_id == checkout_request_id",
                "return bool(checkout_request_id)",
            ),
        ),
        (f"{AT_ONCE}::test_a_made_up_callback_credits_nothing_and_is_put_aside",),
    ),
    Mutation(
        "no check of the short code",
        (Edit(SETTLEMENT, "if not is_ours(payment.shortcode):", "if not payment.shortcode:"),),
        (f"{AT_ONCE}::test_a_made_up_callback_credits_nothing_and_is_put_aside",),
    ),
    Mutation(
        "a notice is kept without its work",
        (Edit("payments/notices.py", "id, $8 FROM kept)", "id, $8 FROM kept WHERE false)"),),
        (f"{AT_ONCE}::test_fifty_copies_at_once_are_one_credit_and_one_receipt",),
    ),
)


def run(mutation: Mutation) -> str:
    """ "red" where a test noticed, else what happened instead."""
    if not all(edit.fits(ROOT) for edit in mutation.edits):
        return "does not fit"
    with tempfile.TemporaryDirectory(prefix="mita-mutation-") as place:
        copy = Path(place) / "project"
        shutil.copytree(ROOT, copy, ignore=LEFT_OUT)
        for edit in mutation.edits:
            edit.make(copy)
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *mutation.tests]
        done = subprocess.run(command, cwd=copy, capture_output=True, text=True, timeout=600, env=dict(os.environ))
    if done.returncode == RED:
        return "red"
    return "STAYS GREEN" if done.returncode == 0 else f"pytest ended with {done.returncode}: {done.stdout[-500:]}"


def main(words: list[str]) -> int:
    """Print the table; 1 where any mutation was not noticed."""
    chosen = [one for one in MUTATIONS if all(word in one.name for word in words)]
    verdicts = []
    for mutation in chosen:
        verdicts.append(run(mutation))
        print(f"{mutation.name:<50} {verdicts[-1]}", flush=True)
    return 0 if chosen and set(verdicts) == {"red"} else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
