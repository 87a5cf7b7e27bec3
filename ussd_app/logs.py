"""Logs: one JSON line for each event on standard output, phone numbers masked wherever they stand."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from core.phone import mask

NUMBER = re.compile(r"(?<![\w.])(\+?\d{9,15})(?![\w.])")


def configure() -> None:
    """Set up structlog, and the standard library's logging behind it, for this process."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        masked,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)


def masked(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Mask what looks like a phone number in every text of an event, tracebacks included."""
    for name, value in event.items():
        if isinstance(value, str) and name != "timestamp":
            event[name] = NUMBER.sub(lambda found: mask(found.group(1)), value)
    return event
