"""Which clock to ask. Leases go by the database's, whatever a node's own may say; what must neither jump nor
stand still while the machine sleeps, by the time since the boot."""

import time
from datetime import datetime

from django.db import connection
from django.utils import timezone


def database_now() -> datetime:
    """SQLite is on this machine, and has its clock."""
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        [now] = cursor.fetchone()
    return now  # type: ignore[no-any-return]  # of a driver that says nothing about its rows


def since_boot() -> float:
    """Seconds."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
