"""Several nodes for one run: the worker that holds it waits for helpers, they come, and all begin together.

The holder's row says where they meet. A helper that fails, leaves or falls silent ends the attempt for all;
what that means for the run is the holder's to say.
"""

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.translation import gettext as _

from trainer import dispatch, launch, this_machine
from trainer.clocks import since_boot
from trainer.handoff.failures import Failure
from trainer.models import Node, Run, RunAttempt, RunMember
from trainer.pulse import BEAT_SECONDS, Pulse

PATIENCE = 3 * BEAT_SECONDS
"""Who is there has beaten once more by then."""


class NobodyCame(Exception):
    """Too few other nodes were free."""


class MemberGone(Exception):
    """One that had come has left, failed or fallen silent; ``ending`` says what that means for the run."""

    def __init__(self, ending: launch.Ending) -> None:
        super().__init__(ending.reason)
        self.ending = ending


class HostPulse(Pulse):
    """Of the worker that holds the run: it looks after its helpers too. Who leaves in order is waited for:
    all save their state together."""

    def watch(self) -> None:
        """:raises MemberGone: one of them will not come back."""
        beaten_at = self.tried_at
        super().watch()
        # A result that is saved needs nobody any more.
        if self.tried_at > beaten_at and not self.directory.outcome():
            check_members(members_of(self.run), now=self.clock(), grace=settings.RUN_GRACE)


def has_room(run: Run, *, worker: str, now: datetime) -> bool:
    """Whether this worker's node is large enough for its part, and enough others are free for theirs."""
    if run.devices > this_machine.processes():
        return False
    others = Node.objects.alive(now).exclude(name=worker).filter(running__lt=F("capacity"))
    return run.nodes == 1 or others.filter(processes__gte=run.devices).count() >= run.nodes - 1


def join_next_run(*, worker: str, now: datetime) -> RunMember | None:
    """A place beside a worker that waits for helpers; None if nobody does."""
    waiting = RunAttempt.objects.filter(
        run__status=Run.Status.RUNNING,
        number=F("run__attempt"),
        ended_at=None,
        processes__range=(1, this_machine.processes()),
    )
    for attempt in waiting.exclude(worker=worker).select_related("run").order_by("pk"):
        here = RunMember.objects.filter(run=attempt.run, attempt=attempt.number)
        rank = here.count() + 1
        if rank < attempt.run.nodes and (member := _sit_down(attempt, rank, worker, now)):
            return member
    return None


def _sit_down(attempt: RunAttempt, rank: int, worker: str, now: datetime) -> RunMember | None:
    """None if somebody else was faster, or we have been there before."""
    try:
        with transaction.atomic():
            return RunMember.objects.create(
                run=attempt.run,
                attempt=attempt.number,
                rank=rank,
                worker=worker,
                joined_at=now,
                heard_at=now,
            )
    except IntegrityError:
        return None


def meet(run: Run, pulse: Pulse) -> RunAttempt:
    """Call the other nodes, and wait until each has all that it needs. Returns the attempt with the place.

    :raises NobodyCame, MemberGone: it cannot begin.
    :raises AttemptLost, Leaving: as of the pulse.
    """
    attempt = RunAttempt.objects.get(run=run, number=run.attempt)
    attempt.meeting_point = f"{settings.NODE_ADDRESS}:{this_machine.free_port()}"
    attempt.processes = run.devices or this_machine.processes()
    attempt.save(update_fields=["meeting_point", "processes"])
    dispatch.ring()
    patience = settings.NODES_MEET_WITHIN.total_seconds()
    called_at = since_boot()
    while len(members := members_of(run)) < run.nodes - 1 or not all(one.ready_at for one in members):
        check_members(members, now=pulse.clock(), grace=timedelta(0))
        if len(members) < run.nodes - 1 and since_boot() - called_at > patience:
            raise NobodyCame
        pulse.watch()
        time.sleep(launch.POLL_SECONDS)
    return attempt


def members_of(run: Run) -> list[RunMember]:
    return list(run.members.filter(attempt=run.attempt).order_by("rank"))


def check_members(members: Sequence[RunMember], *, now: datetime, grace: timedelta) -> None:
    """:raises MemberGone: one went longer than ``grace`` ago, or was not heard for as long as a lease."""
    # Who is done is not gone: the first node still has the result to save.
    for member in (one for one in members if one.ending != RunAttempt.Ending.SUCCEEDED):
        if member.ended_at and member.ended_at <= now - grace:
            raise MemberGone(_ending_of(member))
        if not member.ended_at and member.heard_at < now - settings.RUN_LEASE:
            raise MemberGone(_silent(member))


def told_by_members(run: Run, ending: launch.Ending, hold: Callable[[], None]) -> launch.Ending:
    """Why the run broke. Where one node goes the others see no more than a connection that ends, so who has a
    reason of its own is believed first."""
    heard, began = {one.pk: one.heard_at for one in members_of(run)}, since_boot()
    while True:
        members = members_of(run)
        if blamed := next((one for one in members if _knows_why(one)), None):
            return _ending_of(blamed)
        is_over = all(member.ended_at for member in members)
        if is_over or since_boot() - began > settings.RUN_GRACE.total_seconds():
            return ending
        if since_boot() - began > PATIENCE:
            for member in members:
                if not member.ended_at and member.heard_at == heard[member.pk]:
                    return _silent(member)
        hold()
        time.sleep(launch.POLL_SECONDS)


def _knows_why(member: RunMember) -> bool:
    return bool(member.ending) and member.ending not in {Failure.CODE_ERROR, RunAttempt.Ending.SUCCEEDED}


def _ending_of(member: RunMember) -> launch.Ending:
    words = _("Node %(node)s: %(reason)s") % {
        "node": member.worker,
        "reason": member.reason or _("It left before the end."),
    }
    match member.ending:
        case Failure.PREEMPTED:
            return launch.Ending(launch.How.INTERRUPTED, words, Failure.PREEMPTED)
        case Failure.LOST:
            return launch.Ending(launch.How.BROKEN_OFF, words, Failure.LOST)
    return launch.Ending(launch.How.FAILED, words, Failure(member.ending))


def _silent(member: RunMember) -> launch.Ending:
    words = _("Node %(node)s fell silent.") % {"node": member.worker}
    return launch.Ending(launch.How.BROKEN_OFF, words, Failure.LOST)
