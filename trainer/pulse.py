"""The signs of life of an attempt: the lease, and what its lab has logged."""

import logging
import math
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import Error, close_old_connections, transaction

from trainer.clocks import since_boot
from trainer.handoff.rundir import RunDirectory
from trainer.models import Run, RunMember, RunMetric
from trainer.progress import Progress

logger = logging.getLogger(__name__)

BEAT_SECONDS = 2.0
SOFT, HARD = 0.65, 0.9
"""Shares of the lease without a beat: then the lab is asked to stop, then it is killed."""


class AttemptLost(Exception):
    """Somebody cancelled the run, or another attempt has it: nothing may be written."""


class Leaving(Exception):
    """This worker must leave the run to others: it was told to, or the database is away for too long."""


class Pulse:
    """Renews the lease and copies new metrics into rows, in one transaction, fenced by the attempt."""

    def __init__(self, run: Run, *, clock: Callable[[], datetime], stopping: Callable[[], bool]) -> None:
        self.run, self.clock, self.stopping = run, clock, stopping
        self.directory = RunDirectory(run.folder)
        self.progress = Progress(run.folder, least=settings.RUN_HANG_AFTER.total_seconds())
        self.lease = settings.RUN_LEASE.total_seconds()
        self.line, self.step, self.steps = 0, 0, 0
        self.times: list[float] = []
        self.renewed: Callable[[], None] = lambda: None
        """What else has to know that the lease holds."""
        self.is_lost = False
        self.heard_at = since_boot()
        self.tried_at = -math.inf

    def watch(self) -> None:
        """To be called again and again while this attempt is at work.

        :raises AttemptLost: stop, and write nothing.
        :raises Leaving: stop, and give the run back.
        """
        if self.stopping():
            raise Leaving
        self.hold()
        if since_boot() - self.heard_at > SOFT * self.lease:
            raise Leaving

    def hold(self) -> None:
        """Keep the run as long as it takes to leave it in order.

        :raises AttemptLost: stop, and write nothing.
        """
        if since_boot() - self.tried_at >= BEAT_SECONDS:
            self.beat()
        if self.is_lost:
            raise AttemptLost

    def beat(self) -> None:
        """A database that is away is asked again the next time."""
        asked_at = self.tried_at = since_boot()
        try:
            self.is_lost = not self._send()
        except Error:
            logger.warning("Run %s could not be reported; trying again.", self.run.pk, exc_info=True)
            close_old_connections()
            return
        if not self.is_lost:
            # Counted from the question, not from the answer, which may have been long under way.
            self.heard_at = asked_at
            self.renewed()

    @property
    def is_hung(self) -> bool:
        return self.progress.is_hung(self.times)

    def _send(self) -> bool:
        lines, line = self.directory.read_metrics(self.line)
        if lines:
            self.step, self.steps = int(lines[-1]["step"]), int(lines[-1]["steps"])
        now = self.clock()
        told: dict[str, Any] = {"step": self.step, "steps": self.steps}
        if self.progress.look() or lines:
            told["progressed_at"] = now
        with transaction.atomic():
            if not self.run.extend(now=now, lease=settings.RUN_LEASE, **told):
                return False
            RunMetric.objects.bulk_create(
                RunMetric(run=self.run, attempt=self.run.attempt, line=number, values=storable(values))
                for number, values in enumerate(lines, start=self.line + 1)
            )
        self.line = line
        self.times += [values["at"] for values in lines if "at" in values]
        return True


class MemberPulse(Pulse):
    """Of a node that helps: it tells that it is there, and asks whether the attempt still stands."""

    def __init__(
        self, member: RunMember, *, clock: Callable[[], datetime], stopping: Callable[[], bool]
    ) -> None:
        super().__init__(member.run, clock=clock, stopping=stopping)
        self.member = member

    @property
    def is_hung(self) -> bool:
        return False  # who holds the run sees that

    def _send(self) -> bool:
        return self.member.beat(now=self.clock())


def storable(values: Mapping[str, Any]) -> dict[str, Any]:
    """JSON as databases take it: no NaN and no infinity."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in values.items()
    }
