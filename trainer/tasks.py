import ctypes
from multiprocessing.sharedctypes import RawValue
from typing import Any

from celery import shared_task
from celery.signals import worker_shutting_down
from django.utils import timezone

from trainer import runner
from trainer.actions import arenas, execution, exporting, nodes, pipelines
from trainer.clocks import database_now

# The signal reaches the worker's main process, the run is in one of its children: they share this byte. A
# plain byte, since an Event's lock could be held at the moment the signal comes.
_shutting_down = RawValue(ctypes.c_bool, False)


@worker_shutting_down.connect
def _leave(**kwargs: Any) -> None:
    _shutting_down.value = True


def is_shutting_down() -> bool:
    return bool(_shutting_down.value)


@shared_task(ignore_result=True)
def execute_next_run() -> None:
    """Have the worker look at the queue of runs, which it does by itself as well."""
    runner.wake()


@shared_task(ignore_result=True)
def reclaim_overdue_runs() -> None:
    now = database_now()
    nodes.note_sweep(now=now)
    execution.reclaim_overdue_runs(now=now)


@shared_task(ignore_result=True)
def execute_next_export() -> None:
    """Do nothing if no export waits: the doorbell may ring twice."""
    if not _shutting_down.value:
        exporting.execute_next_export(clock=timezone.now, stopping=is_shutting_down)


@shared_task(ignore_result=True)
def reclaim_overdue_exports() -> None:
    exporting.reclaim_overdue_exports(now=timezone.now())


@shared_task(ignore_result=True)
def look_at_arenas() -> None:
    """An arena ends by itself, whether or not somebody looks at its page."""
    arenas.look_at_arenas(now=timezone.now())


@shared_task(ignore_result=True)
def repeat_pipelines() -> None:
    pipelines.repeat_pipelines(now=timezone.now())
