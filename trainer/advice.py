"""What to change when a run failed, in words for the researcher who started it."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from trainer.handoff.failures import Failure

ADVICE: Mapping[str, Promise] = {
    Failure.OUT_OF_MEMORY: _(
        "Use a smaller batch, shorter texts, gradient_checkpointing, or a smaller model; or a node with more "
        "memory. Starting it again as it is would end the same way."
    ),
    Failure.NOT_A_NUMBER: _(
        "Lower learning_rate, or set dtype to float32. The curves show at which step it went wrong."
    ),
    Failure.DISK_FULL: _("Free some space where runs are kept, and start it again."),
    Failure.BAD_DATA: _("Freeze another snapshot, or change the limits that leave its rows out."),
    Failure.SETTINGS: _("Change the setting that is named, and start it again."),
    Failure.CODE_ERROR: _(
        "This is most likely a mistake in the code, or in a model that it loads. The log in the run "
        "directory has the details; please report it with them."
    ),
    Failure.LOST: _(
        "Look at the node: was it switched off, or did it run out of memory? Once it is well, start the run "
        "again."
    ),
    Failure.HUNG: _(
        "Look at the last lines of its log: what did it wait for? A reward server that does not answer and "
        "processes that wait for each other are the usual reasons."
    ),
    Failure.PREEMPTED: _("It goes on by itself as soon as a worker is free."),
}


def advice_for(failure: str) -> Promise | str:
    return ADVICE.get(failure, "")
