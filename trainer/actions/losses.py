"""What becomes of a run whose attempt was lost, and of words that a database did not take at once."""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import InterfaceError, OperationalError, close_old_connections
from django.utils.translation import gettext as _

from trainer.models import Run, RunAttempt

logger = logging.getLogger(__name__)

AWAY = (OperationalError, InterfaceError)
"""What a database raises that cannot be reached, or is too busy."""
AGAIN_SECONDS = 1.0
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(minutes=5)


def lose_attempt(run: Run, failure: str, reason: str, *, now: datetime, **more: Any) -> bool:
    """Queue the run again, after a pause that grows; or end it where another attempt would end the same way.

    Losses count as long as no attempt gets further than the one before it.
    """
    before = run.attempts.filter(number=run.attempt - 1).first()
    if before and _is_poison(run, before):
        words = _("%(reason)s The attempt before ended at the same step, %(step)d, so it is not tried again.")
        return run.fail(words % {"reason": reason, "step": run.step}, now=now, failure=failure, **more)
    losses = 1 if before is None or run.step > before.last_step else run.lost_attempts + 1
    if losses >= Run.MOST_LOSSES:
        words = _("%(reason)s It did so %(count)d times without getting any further.")
        return run.fail(words % {"reason": reason, "count": losses}, now=now, failure=failure, **more)
    pause = min(FIRST_PAUSE * 3 ** (losses - 1), LONGEST_PAUSE)
    return run.lose(failure, reason, now=now, losses=losses, not_before=now + pause, **more)


def _is_poison(run: Run, before: RunAttempt) -> bool:
    """Twice the same step is no accident. An attempt that came to no step of its own proves nothing."""
    return before.ending in {"lost", "hung"} and before.last_step == run.step > 0


def silent(run: Run) -> str:
    return _(
        "Its worker %(worker)s fell silent. The machine may have been switched off or run out of memory."
    ) % {"worker": run.worker or "?"}


def insist(write: Callable[[], object], stopping: Callable[[], bool]) -> None:
    """Until the database takes it. A worker that has to leave meanwhile lets the lease run out."""
    while True:
        try:
            write()
            return
        except AWAY:
            if stopping():
                raise
            logger.warning("The database is away; trying again.", exc_info=True)
            close_old_connections()
            time.sleep(AGAIN_SECONDS)
