"""The doorbell. The run row is the queue: a ring that is lost, or comes twice, changes nothing."""

import logging

from celery import current_app
from django.db import transaction

logger = logging.getLogger(__name__)

# A worker that is busy longer than this looks at the queue by itself when it is done.
RING_EXPIRES = 60
# The page must not wait for a broker that is away.
AT_ONCE = {"max_retries": 1, "interval_start": 0, "interval_step": 0, "socket_connect_timeout": 1}


def ring() -> None:
    """Tell the workers, once this transaction commits, that a run may be waiting."""
    transaction.on_commit(lambda: _ring("trainer.tasks.execute_next_run"))


def ring_for_export() -> None:
    """Tell the workers, once this transaction commits, that an export may be waiting."""
    transaction.on_commit(lambda: _ring("trainer.tasks.execute_next_export"))


def _ring(task: str) -> None:
    try:
        with current_app.connection_for_write(transport_options=AT_ONCE) as connection:
            current_app.send_task(task, connection=connection, expires=RING_EXPIRES, retry=False)
    except Exception as error:  # whatever the transport raises: the sweep finds it within seconds
        logger.warning("The broker did not take the doorbell (%s); the next sweep finds what waits.", error)
