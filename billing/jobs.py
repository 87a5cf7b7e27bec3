"""The jobs of the books."""

from billing import statistics
from billing.anomalies import JOB as ANOMALIES
from billing.anomalies import search
from billing.batches import compute_batch, issue_batch
from billing.dunning_rounds import JOB as DUNNING
from billing.dunning_rounds import go_on
from billing.run_review import REVIEW, make_review
from billing.runs import COMPUTE, ISSUE
from core.database import transaction
from core.outbox import after_commit, job


@job(COMPUTE)
def rate_batch(batch_id: int) -> None:
    """Compute a batch of a billing run."""
    with transaction() as session:
        compute_batch(session, batch_id)


@job(ISSUE)
def post_batch(batch_id: int) -> None:
    """Issue a batch of a billing run."""
    with transaction() as session:
        issue_batch(session, batch_id)


@job(REVIEW)
def review_run(run_id: int) -> None:
    """Sum up a large run for those who look at it."""
    with transaction() as session:
        statistics.refresh(session)
        make_review(session, run_id)


@job(ANOMALIES)
def look_for_anomalies(run_id: int) -> None:
    """Look through a part of what a run billed, and have the rest looked through."""
    with transaction() as session:
        if search(session, run_id).done_at is None:
            after_commit(session, ANOMALIES, run_id)


@job(DUNNING)
def go_on_with_dunning(round_id: int) -> None:
    """Tell or charge the next debtors of a round."""
    with transaction() as session:
        go_on(session, round_id)
