"""How lines are logged: for people, or as JSON objects for whatever collects them."""

from typing import Any

import structlog
from structlog.typing import EventDict

# What is added to every record, ours and that of any library.
_ADDED = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
]
_DROPPED = structlog.stdlib.ProcessorFormatter.remove_processors_meta


def logging_settings(log_format: str, level: str) -> dict[str, Any]:
    """For Django's ``LOGGING``. Both formats name the request or the run that a line is about."""
    last = [structlog.processors.JSONRenderer(ensure_ascii=False)] if log_format == "json" else [_line]
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": _ADDED,
        "processors": [_DROPPED, *last],
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"chosen": formatter},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "chosen"}},
        "root": {"handlers": ["console"], "level": level},
    }


def _line(logger: Any, name: str, event: EventDict) -> str:
    # What people wrote may be quoted in it: it must not look like a line of its own.
    words = str(event.pop("event")).replace("\n", "\\n").replace("\r", "\\r")
    told = [event.pop("timestamp"), event.pop("level").upper(), event.pop("logger"), words]
    trace = event.pop("exception", None)
    names = [f"{key}={value}" for key, value in sorted(event.items()) if not key.startswith("_")]
    return " ".join([*told, *names]) + (f"\n{trace}" if trace else "")
