"""The jobs of the books."""

from billing.batches import compute_batch, issue_batch
from billing.runs import COMPUTE, ISSUE
from core.database import transaction
from core.outbox import job


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
