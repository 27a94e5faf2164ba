"""Carries out queued runs, in threads beside Celery: they train whether or not its broker is there.

A Celery message only wakes it. It looks at the queue every few seconds by itself, takes back what other
workers lost, and tells that this node is alive.
"""

import logging
import os
import select
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from celery import bootsteps
from django.conf import settings
from django.db import close_old_connections, connection

from trainer import this_machine
from trainer.actions.execution import carry_out_run, claim_next_run, reclaim_overdue_runs
from trainer.actions.helping import help_out
from trainer.actions.members import join_next_run
from trainer.actions.nodes import QUEUE, keep_node, register_node
from trainer.actions.rehearsals import carry_out_rehearsal, claim_next_rehearsal
from trainer.actions.retention import collect_garbage
from trainer.clocks import database_now, since_boot
from trainer.models import Rehearsal, Run, RunMember

logger = logging.getLogger(__name__)

SWEEP_SECONDS = 10.0
GARBAGE_SECONDS = 3600.0

# Made before the worker forks: a task in one of its children wakes the threads of its main process.
_heard, _bell = os.pipe()
os.set_blocking(_heard, False)
os.set_blocking(_bell, False)


def wake() -> None:
    """Have the runner of this worker look at the queue now."""
    with suppress(BlockingIOError):  # it has been woken often enough
        os.write(_bell, b".")


class Runner:
    """A thread that looks after the queue, one for each run that it has taken, and one for those who ask what
    a run would take."""

    def __init__(self, name: str, stopping: Callable[[], bool] = lambda: False) -> None:
        self.name = name
        self.told_to_stop = stopping
        self.leaving = threading.Event()
        self.slots: list[threading.Thread] = []
        self.sweeper = threading.Thread(target=self._sweep_on, name="sweeper", daemon=True)
        self.rehearser: threading.Thread | None = None
        self.is_registered = False
        self.collected_at = since_boot()

    def start(self) -> None:
        self.sweeper.start()

    def stop(self) -> None:
        """Give every run back, each with its state saved."""
        self.leaving.set()
        wake()
        for thread in (self.sweeper, *self.slots, self.rehearser):
            if thread:
                thread.join()

    def stopping(self) -> bool:
        return self.leaving.is_set() or self.told_to_stop()

    def sweep(self) -> None:
        now = database_now()
        if not self.is_registered:
            register_node(self.name, now=now)
            self.is_registered = True
        reclaim_overdue_runs(now=now)
        self._fill_slots()
        self._rehearse()
        keep_node(self.name, running=len(self.slots), now=now)
        if since_boot() - self.collected_at > GARBAGE_SECONDS:
            self.collected_at = since_boot()
            collect_garbage(now=now)

    def _sweep_on(self) -> None:
        while not self.stopping():
            try:
                self.sweep()
            except Exception:  # whatever it was: a worker that no longer looks at the queue is worse
                logger.exception("The queue could not be looked at; trying again.")
                close_old_connections()
            if select.select([_heard], [], [], SWEEP_SECONDS)[0]:
                os.read(_heard, 4096)
        connection.close()

    def _fill_slots(self) -> None:
        self.slots = [slot for slot in self.slots if slot.is_alive()]
        while not self.stopping() and len(self.slots) < settings.RUNS_AT_A_TIME:
            # Who waits for helpers holds back its node and theirs, so it is helped first.
            now = database_now()
            work = join_next_run(worker=self.name, now=now) or claim_next_run(
                worker=self.name, now=now, **this_machine.place()
            )
            if work is None:
                return
            slot = threading.Thread(target=self._carry_out, args=(work,), name=f"{work}", daemon=True)
            self.slots.append(slot)
            slot.start()

    def _rehearse(self) -> None:
        """One at a time, beside the runs: whoever asks is looking at a page."""
        if self.stopping() or (self.rehearser and self.rehearser.is_alive()):
            return
        if row := claim_next_rehearsal(worker=self.name, now=database_now()):
            self.rehearser = threading.Thread(
                target=self._carry_out, args=(row,), name=f"rehearsal {row.pk}", daemon=True
            )
            self.rehearser.start()

    def _carry_out(self, work: Run | RunMember | Rehearsal) -> None:
        try:
            if isinstance(work, Rehearsal):
                carry_out_rehearsal(
                    work, runs_beside=len(self.slots), clock=database_now, stopping=self.stopping
                )
            elif isinstance(work, RunMember):
                help_out(work, clock=database_now, stopping=self.stopping)
            else:
                carry_out_run(work, clock=database_now, stopping=self.stopping)
        except Exception:
            logger.exception("%s was left alone; its lease runs out.", work)
        finally:
            connection.close()
            self.slots = [slot for slot in self.slots if slot is not threading.current_thread()]
            wake()


class RunnerStep(bootsteps.StartStopStep):  # type: ignore[misc]  # Celery ships no types
    """Starts the runner once the pool has forked, and before the first try to reach the broker."""

    requires = ("celery.worker.components:Pool",)

    def include_if(self, parent: Any) -> bool:
        return QUEUE in parent.app.amqp.queues.consume_from

    def create(self, parent: Any) -> Runner:
        from trainer.tasks import is_shutting_down

        return Runner(parent.hostname, stopping=is_shutting_down)
