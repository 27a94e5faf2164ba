"""What labelers are told, version by version, and who has read it."""

from datetime import datetime

from django.db.models import Max, QuerySet
from django.utils.translation import gettext as _

from annotation.actions.campaigns import current_guideline
from annotation.errors import GuidelineOutdated
from annotation.models import Acknowledgement, Campaign, Guideline, Person


def guideline_versions(campaign: Campaign, labeler: Person) -> QuerySet[Guideline]:
    """All versions, latest first, each with when the labeler acknowledged it, or None."""
    return Guideline.objects.filter(campaign=campaign).with_acknowledgement(labeler).order_by("-version")


def acknowledge_guideline(
    *, campaign: Campaign, labeler: Person, version: int, now: datetime
) -> Acknowledgement:
    """Keep that the labeler has read the current version; once is enough.

    :raises GuidelineOutdated: ``version`` is not, or no longer, the current one.
    """
    current = current_guideline(campaign)
    if current is None or current.version != version:
        raise GuidelineOutdated(_("There is a newer version of the guidelines. Read it before you confirm."))
    acknowledgement, _is_new = Acknowledgement.objects.get_or_create(
        guideline=current, labeler=labeler, defaults={"acknowledged_at": now}
    )
    return acknowledgement


def readers_of_current(campaign: Campaign) -> tuple[int, int] | None:
    """The current version, and how many labelers have acknowledged it; None where there is none."""
    version = campaign.guidelines.aggregate(latest=Max("version"))["latest"]
    if version is None:
        return None
    read = Acknowledgement.objects.filter(guideline__campaign=campaign, guideline__version=version)
    return version, read.count()
