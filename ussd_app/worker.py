"""The worker process: RQ's loop around ussd_app.jobs.run_job, in one process that has everything imported."""

import structlog
from rq import SimpleWorker
from rq.serializers import JSONSerializer

from core.outbox import JOBS
from ussd_app import jobs, logs, metrics
from ussd_app.queues import BULK, PROMPT, queue
from ussd_app.stores import patient

log = structlog.get_logger("worker")


class OutboxWorker(SimpleWorker):
    """Runs jobs in its own process: no fork for each job, so database connections live on between them."""

    max_connection_wait_time = 2.0  # Redis comes back within seconds, so look often


def run_forever() -> None:
    """Work until SIGTERM or SIGINT; the job at hand is finished first."""
    logs.configure()
    jobs.load()
    metrics.start()
    log.info("worker.started", jobs=sorted(JOBS))
    worker = OutboxWorker(
        [queue(PROMPT), queue(BULK)], connection=patient(), serializer=JSONSerializer, log_job_description=False
    )
    worker.work(logging_level="WARNING")
