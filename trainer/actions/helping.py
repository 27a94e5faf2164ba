"""A node's part in a run that another worker holds."""

import logging
from collections.abc import Callable
from datetime import datetime

from django.utils.translation import gettext as _
from structlog.contextvars import bound_contextvars

from trainer import launch
from trainer.actions.layout import lay_out
from trainer.actions.losses import AWAY, insist
from trainer.handoff.failures import Failure, failure_of
from trainer.models import Run, RunAttempt, RunMember
from trainer.pulse import AttemptLost, Leaving, MemberPulse

logger = logging.getLogger(__name__)

Clock = Callable[[], datetime]


def help_out(member: RunMember, *, clock: Clock, stopping: Callable[[], bool]) -> None:
    """Take part until the run ends or this node must leave, and say how it ended here."""
    with bound_contextvars(run=member.run_id, attempt=member.attempt, node=member.rank):
        try:
            ending, words = _take_part(member, MemberPulse(member, clock=clock, stopping=stopping))
        except AttemptLost:
            # Who holds the run may have been done a moment sooner.
            is_done = Run.objects.filter(pk=member.run_id, status=Run.Status.SUCCEEDED).exists()
            ending = RunAttempt.Ending.SUCCEEDED.value if is_done else Failure.PREEMPTED.value
            words = ""
        except (Leaving, *AWAY):
            ending, words = Failure.PREEMPTED.value, _("Its worker was told to stop.")
        except Exception as error:  # whatever it was: who holds the run has to hear of it
            logger.exception("Run %s: this node could not help.", member.run_id)
            ending, words = failure_of(error).value, str(error)
        insist(lambda: member.end(ending, words, now=clock()), stopping)


def _take_part(member: RunMember, pulse: MemberPulse) -> tuple[str, str]:
    """How it ended, and why.

    :raises AttemptLost: nobody asks any more.
    """
    run = member.run
    lay_out(run, member.folder, pulse.watch)
    meeting = RunAttempt.objects.get(run=run, number=member.attempt)
    RunMember.objects.filter(pk=member.pk).update(ready_at=pulse.clock())
    command = launch.lab_command(run, meeting, member)
    ending = launch.help_out(member, pulse=pulse, command=command)
    match ending.how:
        case launch.How.DONE:
            return RunAttempt.Ending.SUCCEEDED.value, ""
        case launch.How.LOST:
            raise AttemptLost
        case launch.How.INTERRUPTED:
            return Failure.PREEMPTED.value, ending.reason
    return ending.failure.value, ending.reason
