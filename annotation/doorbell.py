"""Tells a worker that something waits. A row is the queue: a ring that is lost changes nothing."""

import logging
from functools import partial

from celery import current_app
from django.db import transaction

logger = logging.getLogger(__name__)

RING_EXPIRES = 60
"""Seconds. A worker that is busy longer than this looks at the queue by itself when it is done."""
# The page must not wait for a broker that is away.
AT_ONCE = {
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0,
    "socket_connect_timeout": 1,
    # One that stands still accepts connections, and then says nothing.
    "socket_timeout": 1,
}


def ring(task: str) -> None:
    """Have a worker carry out ``task`` once this transaction commits."""
    transaction.on_commit(partial(_ring, task))


def _ring(task: str) -> None:
    try:
        with current_app.connection_for_write(transport_options=AT_ONCE) as connection:
            current_app.send_task(task, connection=connection, expires=RING_EXPIRES, retry=False)
    except Exception as error:  # whatever the transport raises: the sweep looks within seconds
        logger.warning("The broker did not take the doorbell (%s); the next sweep will look.", error)
