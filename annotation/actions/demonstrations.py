from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Count, Q
from django.utils.translation import gettext as _

from annotation.actions.campaigns import current_guideline
from annotation.actions.cohorts import require_membership
from annotation.actions.consents import agreed_text, require_consent
from annotation.actions.pauses import require_no_pause
from annotation.errors import AlreadySubmitted, IdempotencyConflict, StaleRevision
from annotation.messages import check_draft, check_turns
from annotation.models import Campaign, Demonstration, Person


def claim_demonstration(*, campaign: Campaign, labeler: Person) -> Demonstration | None:
    """What was returned to the labeler, else their draft, else a new one; None when nothing waits.

    :raises NotAMember: the campaign is for cohorts that they are in none of.
    :raises ConsentNeeded: the campaign has a text that they have not agreed to.
    :raises Paused: nothing of theirs waits, and they get no new work here.
    """
    require_membership(campaign, labeler)
    require_consent(campaign, labeler)
    mine = Demonstration.objects.for_labeler(labeler).filter(prompt__campaign=campaign)
    for returned in mine.returned().order_by("submitted_at", "pk"):
        if returned.reopen():
            return returned
    if draft := mine.wanted().order_by("pk").first():
        return draft
    if campaign.status != Campaign.Status.ACTIVE:
        return None
    require_no_pause(campaign, labeler)
    wanting = campaign.prompts.wanting_demonstrations(campaign).exclude(pk__in=mine.values("prompt"))
    # Where others already have a draft open comes last, so that two people rarely write for one prompt.
    by_people = Count("demonstrations", filter=Q(demonstrations__is_synthetic=False))
    prompt = wanting.annotate(begun=by_people).order_by("begun", "pk").first()
    if prompt is None:
        return None
    draft, _created = Demonstration.objects.get_or_create(prompt=prompt, labeler=labeler)
    return draft


def save_draft(*, demonstration: Demonstration, turns: Any, revision: int) -> Demonstration:
    """Keep unfinished work.

    :raises StaleRevision: it was saved elsewhere since ``revision``, or is submitted.
    :raises BadInput: the turns cannot be stored.
    """
    if not demonstration.save_draft(check_draft(turns), revision=revision):
        raise StaleRevision(_("This demonstration was changed in another tab."))
    return demonstration


def skip_demonstration(*, demonstration: Demonstration, reason: str, now: datetime) -> None:
    """Never offer its prompt to its author again, unless they take it up; what they wrote is kept.

    :raises AlreadySubmitted: it was handed in.
    """
    if not demonstration.skip(reason, now=now) and not demonstration.skipped_at:
        raise AlreadySubmitted(_("You already submitted this one."))


def take_up_skipped(*, demonstration: Demonstration) -> None:
    """Have a skipped one be written after all; nothing changes where it was not skipped."""
    demonstration.take_up_again()


def submit_demonstration(
    *,
    demonstration: Demonstration,
    turns: Any,
    seconds_spent: float,
    idempotency_key: UUID,
    now: datetime,
) -> tuple[Demonstration, bool]:
    """Hand in a demonstration. Returns it, and whether this was the first time.

    :raises BadInput: the turns do not alternate, do not end with the assistant, or cannot be stored.
    :raises ConsentNeeded: its author withdrew their consent.
    :raises AlreadySubmitted: it was handed in before with another key.
    :raises IdempotencyConflict: the key came before with other turns.
    """
    checked = check_turns(turns)
    try:
        with transaction.atomic():
            submitted = demonstration.submit(
                checked,
                now=now,
                seconds_spent=seconds_spent,
                idempotency_key=idempotency_key,
                guideline=current_guideline(demonstration.prompt.campaign),
                consent=agreed_text(demonstration.prompt.campaign, demonstration.labeler),
            )
    except IntegrityError as error:
        raise IdempotencyConflict(_("This submission was already stored with another text.")) from error
    if submitted:
        return demonstration, True
    demonstration.refresh_from_db()
    if demonstration.idempotency_key != idempotency_key:
        raise AlreadySubmitted(_("You already submitted this one."))
    if demonstration.turns != checked:
        raise IdempotencyConflict(_("This submission was already stored with another text."))
    return demonstration, False


def reason_of_return(demonstration: Demonstration) -> str:
    """What the last reviewer wants changed; empty where nobody does."""
    if demonstration.status not in (Demonstration.Status.DRAFT, Demonstration.Status.RETURNED):
        return ""
    last = demonstration.reviews.order_by("-reviewed_at", "-pk").first()
    return last.reason if last else ""
