"""Who may see a campaign at all."""

from django.utils.translation import gettext as _

from annotation.errors import NotAMember
from annotation.models import Campaign, Person


def is_member(campaign: Campaign, person: Person) -> bool:
    """Whether the campaign is for everybody, or for a cohort of theirs."""
    return Campaign.objects.visible_to(person).filter(pk=campaign.pk).exists()


def require_membership(campaign: Campaign, person: Person) -> None:
    """:raises NotAMember: the campaign is for cohorts that they are in none of. What they hold they may still
    hand in."""
    if not is_member(campaign, person):
        raise NotAMember(_("There is nothing here that you may see."))
