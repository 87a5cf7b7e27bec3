"""The two RQ queues: what a customer waits for, and the bulk work behind it. They carry ids of outbox rows alone."""

from rq import Queue
from rq.serializers import JSONSerializer

from ussd_app.stores import patient

PROMPT, BULK = "mita", "mita-bulk"
BULK_PACKAGES = ("billing.", "messages.drain")
RUN_JOB = "ussd_app.jobs.run_job"
LONGEST_JOB_S = 600


def queue(name: str) -> Queue:
    return Queue(name, connection=patient(), serializer=JSONSerializer)


def name_for(job: str) -> str:
    """The queue of an outbox job."""
    return BULK if job.startswith(BULK_PACKAGES) else PROMPT


def hand(name: str, outbox_ids: list[int]) -> None:
    """Put rows into a queue. A row that is handed twice is done once. Raises redis.RedisError."""
    queue(name).enqueue_many(
        [
            Queue.prepare_data(
                RUN_JOB,
                [outbox_id],
                job_id=f"outbox-{outbox_id}",
                timeout=LONGEST_JOB_S,
                result_ttl=0,
                failure_ttl=3600,
                description=f"outbox {outbox_id}",
            )
            for outbox_id in outbox_ids
        ]
    )
