from datetime import datetime

from django.db import transaction
from django.db.models import Max

from annotation.messages import check_text
from annotation.models import Campaign, Guideline


@transaction.atomic
def publish_guideline(*, campaign: Campaign, text: str, now: datetime) -> Guideline:
    """Make ``text`` what labelers are told from now on."""
    latest = campaign.guidelines.aggregate(latest=Max("version"))["latest"] or 0
    return Guideline.objects.create(
        campaign=campaign, version=latest + 1, text=check_text(text), published_at=now
    )


def current_guideline(campaign: Campaign) -> Guideline | None:
    return campaign.guidelines.order_by("-version").first()
