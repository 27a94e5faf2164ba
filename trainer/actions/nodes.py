"""The machines that carry out runs: what they tell of themselves, and whether anybody is there."""

import os
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from trainer import this_machine
from trainer.models import Node, Run

QUEUE = "gpu"
SWEEPS = "sweeps"
SWEEPS_EVERY = timedelta(minutes=3)
"""Without a sign for so long nothing is swept; usually there is one every half a minute."""


def register_node(name: str, *, now: datetime) -> Node:
    """A worker begins. What cannot change while it lives is told once."""
    return Node.see(
        name,
        now=now,
        **this_machine.place(),
        queue=QUEUE,
        pid=os.getpid(),
        devices=this_machine.devices(),
        processes=this_machine.processes(),
        memory=this_machine.memory(),
        versions=this_machine.versions(),
        free_disk=this_machine.free_disk(Path(settings.RUNS_ROOT)),
        capacity=settings.RUNS_AT_A_TIME,
        running=0,
        started_at=now,
    )


def keep_node(name: str, *, running: int, now: datetime) -> None:
    """It is still there."""
    free = this_machine.free_disk(Path(settings.RUNS_ROOT))
    Node.objects.filter(name=name).update(running=running, free_disk=free, last_seen_at=now)


def note_sweep(*, now: datetime) -> None:
    """Beat asked for a sweep, and a worker of the web's side carried it out: both are there."""
    Node.see(SWEEPS, now=now, **this_machine.place(), queue="default", pid=os.getpid(), capacity=0)


def missing_sweeps(*, now: datetime) -> str:
    """What to say loudly where nobody returns what is overdue; empty where somebody does."""
    if Node.objects.filter(name=SWEEPS, last_seen_at__gt=now - SWEEPS_EVERY).exists():
        return ""
    return _(
        "Nothing is swept: beat, or the worker that carries out its tasks, is silent, so nothing overdue is "
        "given back. Start them: %(command)s"
    ) % {"command": "celery -A config beat; celery -A config worker"}


def missing_workers(*, now: datetime) -> str:
    """What to say loudly where nobody would carry out a run; empty where somebody would."""
    if there := sizes(now=now):
        return _too_large(there)
    waiting = Run.objects.queued().count()
    nobody = _("No worker is there for the queue “%(queue)s”.") % {"queue": QUEUE}
    wait = ngettext("%(count)d run waits.", "%(count)d runs wait.", waiting) % {"count": waiting}
    how = how_to_start_one()
    return f"{nobody} {wait} {how}" if waiting else f"{nobody} {how}"


def sizes(*, now: datetime) -> list[int]:
    """Of each node that is there: how many devices it has for a run."""
    return list(_workers(now).values_list("processes", flat=True))


def how_to_start_one() -> str:
    return _("Start one on a machine with a GPU: %(command)s") % {
        "command": f"celery -A config worker -Q {QUEUE}"
    }


def _workers(now: datetime) -> QuerySet[Node]:
    return Node.objects.alive(now).filter(queue=QUEUE)


def _too_large(there: list[int]) -> str:
    """Where a run waits for more than all that are there have together."""
    for run in Run.objects.queued().exclude(nodes=1, devices__lte=1).order_by("pk"):
        if sum(size >= run.devices for size in there) < run.nodes:
            return _(
                "%(run)s waits for %(nodes)d nodes with %(devices)d devices each, and there are not so many."
            ) % {"run": run, "nodes": run.nodes, "devices": max(run.devices, 1)}
    return ""
