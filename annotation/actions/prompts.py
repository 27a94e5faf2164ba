from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from annotation.actions.candidates import open_slots
from annotation.errors import PromptNotHeld
from annotation.messages import check_prompt, check_text, digest_of
from annotation.models import Campaign, Prompt


@transaction.atomic
def add_prompt(
    *, campaign: Campaign, messages: Any, kind: str = "", language: str = "", source: str = ""
) -> tuple[Prompt, bool]:
    """The campaign's prompt with these messages, and whether it is new.

    :raises BadInput: the messages are no conversation that ends with the user, or cannot be stored.
    """
    checked = check_prompt(messages)
    return Prompt.objects.get_or_create(
        campaign=campaign,
        digest=digest_of(checked),
        defaults={
            "messages": checked,
            "kind": check_text(kind)[:40],
            "language": check_text(language)[:20],
            "source": check_text(source)[:200],
        },
    )


@transaction.atomic
def release_prompt(prompt: Prompt) -> None:
    """Let labelers see a held prompt: its candidates get the slots that they have waited for.

    :raises PromptNotHeld: somebody has decided on it already.
    """
    _decide(prompt, Prompt.Status.READY)
    ordinary = prompt.candidate_sets.filter(practice__isnull=True)
    for candidate_set in ordinary.select_related("prompt").prefetch_related("assignments"):
        taken = {assignment.slot for assignment in candidate_set.assignments.all()}
        wanted = range(1, prompt.campaign.overlap + 1)
        open_slots(candidate_set, [slot for slot in wanted if slot not in taken])


def reject_prompt(prompt: Prompt) -> None:
    """Keep a held prompt from labelers for good.

    :raises PromptNotHeld: somebody has decided on it already.
    """
    _decide(prompt, Prompt.Status.REJECTED)


def _decide(prompt: Prompt, status: Prompt.Status) -> None:
    # One conditional UPDATE is the whole transition: of two researchers one decides.
    if not Prompt.objects.filter(pk=prompt.pk, status=Prompt.Status.HELD).update(status=status):
        raise PromptNotHeld(_("This prompt is not held: somebody has decided on it already."))
    prompt.refresh_from_db()
