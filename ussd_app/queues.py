"""The two RQ queues: what a customer waits for, and the bulk work behind it. They carry ids of outbox rows alone."""

from rq import Queue
from rq.serializers import JSONSerializer

from ussd_app.stores import patient

PROMPT, BULK = "mita", "mita-bulk"
BULK_PACKAGES = ("billing.", "messages.drain")
QUICK = frozenset({"payments.settle"})
RUN_JOBS = "ussd_app.jobs.run_jobs"
TOGETHER = 10  # settling a notice takes a few milliseconds; to fetch each alone would take as long
LONGEST_JOB_S = 600


def queue(name: str) -> Queue:
    return Queue(name, connection=patient(), serializer=JSONSerializer)


def together(job: str) -> int:
    """How many rows of an outbox job a worker fetches at once."""
    return TOGETHER if job in QUICK else 1


def name_for(job: str) -> str:
    """The queue of an outbox job."""
    return BULK if job.startswith(BULK_PACKAGES) else PROMPT


def hand(name: str, outbox_ids: list[int], together: int = 1) -> None:
    """Put rows into a queue, so many as one piece of work. A row that is handed twice is done once.

    Raises redis.RedisError.
    """
    pieces = [outbox_ids[at : at + together] for at in range(0, len(outbox_ids), together)]
    queue(name).enqueue_many(
        [
            Queue.prepare_data(
                RUN_JOBS,
                [piece],
                job_id=f"outbox-{piece[0]}",
                timeout=LONGEST_JOB_S,
                result_ttl=0,
                failure_ttl=3600,
                description=f"outbox {piece[0]}",
            )
            for piece in pieces
        ]
    )
