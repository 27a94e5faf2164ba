"""How labelers do on gold, and who gets no work until somebody has looked."""

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from django.db.models import Max, TextChoices
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation.accuracy import Accuracy, accuracy_of, share_ordered_alike
from annotation.errors import Paused
from annotation.models import Assignment, Campaign, Pause, Person, Ranking

LATEST = 200
"""What somebody did long ago says little of how they work now; a higher gold minimum looks further back."""


class Standing(TextChoices):
    NOT_EVALUATED = "NOT_EVALUATED", gettext_lazy("Not evaluated yet")
    """Too few known answers met. Says nothing, least of all that somebody failed."""
    EVALUATED = "EVALUATED", gettext_lazy("Evaluated")
    BELOW = "BELOW", gettext_lazy("Surely below the bar")
    """The whole interval is below what the campaign asks for."""


@dataclass(frozen=True)
class Record:
    """A labeler on the gold of one campaign, since the last pause was lifted."""

    labeler: Person
    accuracy: Accuracy
    cannot_judge: int
    standing: Standing


def record_of(campaign: Campaign, labeler: Person) -> Record:
    """Accuracy over the latest gold answers; those that could not be judged are counted apart."""
    given = (
        Ranking.objects.current()
        .filter(
            labeler=labeler,
            assignment__campaign=campaign,
            assignment__purpose=Assignment.Purpose.GOLD,
            assignment__candidate_set__gold__is_active=True,
        )
        .select_related("assignment__candidate_set__gold")
        .order_by("-submitted_at", "-pk")
    )
    lifted = Pause.objects.filter(campaign=campaign, labeler=labeler).aggregate(at=Max("lifted_at"))["at"]
    if lifted:
        given = given.filter(submitted_at__gt=lifted)
    latest = given[: max(LATEST, campaign.gold_minimum)]
    shares = [share for ranking in latest if (share := gold_share(ranking)) is not None]
    accuracy = accuracy_of(shares)
    unjudged = sum(ranking.cannot_judge != "" for ranking in latest)
    return Record(labeler, accuracy, unjudged, _standing(campaign, accuracy))


def look_at_labeler(*, campaign: Campaign, labeler: Person, now: datetime) -> Pause | None:
    """Pause a labeler whose accuracy on gold is surely below the campaign's bar.

    Call it after every ranking, so that gold takes no longer than the others.
    """
    if campaign.gold_pause_below is None:
        return None
    record = record_of(campaign, labeler)
    if record.standing != Standing.BELOW:
        return None
    accuracy = record.accuracy
    # Figures, because its reader's language is not that of whoever is paused.
    reason = f"{accuracy.mean:.0%} ({accuracy.low:.0%}–{accuracy.high:.0%}) < {campaign.gold_pause_below}%"
    pause, _is_new = Pause.objects.get_or_create(
        campaign=campaign, labeler=labeler, lifted_at=None, defaults={"reason": reason, "paused_at": now}
    )
    return pause


def is_paused(campaign: Campaign, labeler: Person) -> bool:
    return Pause.objects.filter(campaign=campaign, labeler=labeler, lifted_at=None).exists()


def require_no_pause(campaign: Campaign, labeler: Person) -> None:
    """:raises Paused: the labeler gets no work here until a researcher has lifted the pause."""
    if is_paused(campaign, labeler):
        raise Paused(
            _(
                "There is no work for you in this campaign at the moment: somebody of the team first looks "
                "at how the guideline is understood. What you have begun can still be handed in."
            )
        )


def lift_pause(*, pause: Pause, now: datetime) -> bool:
    """Give the labeler work again; only gold answered from now on counts. False if it was lifted already."""
    return Pause.objects.filter(pk=pause.pk, lifted_at=None).update(lifted_at=now) == 1


def gold_share(ranking: Ranking) -> Fraction | None:
    """How much of the known answer it says; None where it could not be judged."""
    if ranking.cannot_judge:
        return None
    gold = ranking.assignment.candidate_set.gold
    return share_ordered_alike((gold.tiers, gold.unacceptable), (ranking.tiers, ranking.unacceptable))


def _standing(campaign: Campaign, accuracy: Accuracy) -> Standing:
    if accuracy.high is None or accuracy.sets < campaign.gold_minimum:
        return Standing.NOT_EVALUATED
    bar = campaign.gold_pause_below
    return Standing.BELOW if bar is not None and accuracy.high < bar / 100 else Standing.EVALUATED
