"""What people agree to before they work in a campaign."""

from datetime import datetime

from django.db import transaction
from django.db.models import Exists, Max, OuterRef
from django.utils.translation import gettext as _

from annotation.errors import ConsentNeeded, ConsentOutdated
from annotation.messages import check_text
from annotation.models import Assignment, Campaign, Consent, ConsentText, Person


@transaction.atomic
def publish_consent_text(*, campaign: Campaign, text: str, now: datetime) -> ConsentText:
    """Make ``text`` what people agree to from now on; who agreed to an earlier one is asked again."""
    latest = campaign.consent_texts.aggregate(latest=Max("version"))["latest"] or 0
    return ConsentText.objects.create(
        campaign=campaign, version=latest + 1, text=check_text(text), published_at=now
    )


def current_consent_text(campaign: Campaign) -> ConsentText | None:
    return campaign.consent_texts.order_by("-version").first()


def standing_consent(campaign: Campaign, labeler: Person) -> Consent | None:
    """The labeler's consent to the latest version that they agreed to, unless they withdrew it."""
    given = Consent.objects.standing().filter(text__campaign=campaign, labeler=labeler)
    return given.select_related("text").order_by("-text__version").first()


def needs_consent(campaign: Campaign, labeler: Person) -> bool:
    """Whether the campaign has a text that the labeler has not agreed to."""
    given = Consent.objects.standing().filter(text=OuterRef("pk"), labeler=labeler)
    texts = campaign.consent_texts.order_by("-version").annotate(is_agreed_to=Exists(given))
    return texts.values_list("is_agreed_to", flat=True).first() is False


def require_consent(campaign: Campaign, labeler: Person) -> None:
    """Do nothing if the labeler may be handed work.

    :raises ConsentNeeded: the campaign has a text that they have not agreed to.
    """
    if needs_consent(campaign, labeler):
        raise consent_needed()


def agreed_text(campaign: Campaign, labeler: Person) -> ConsentText | None:
    """The version to record with a contribution; None where the labeler was never asked.

    One that is older than the current text counts: it was agreed to when the work was handed out.

    :raises ConsentNeeded: they withdrew.
    """
    asked = Consent.objects.filter(text__campaign=campaign, labeler=labeler)
    given = list(asked.select_related("text").order_by("-text__version"))
    if not given:
        return None
    for consent in given:
        if consent.withdrawn_at is None:
            return consent.text
    raise consent_needed()


def give_consent(*, campaign: Campaign, labeler: Person, version: int, now: datetime) -> Consent:
    """Agree to the current text; once is enough.

    :raises ConsentOutdated: ``version`` is not, or no longer, the current one.
    """
    current = current_consent_text(campaign)
    if current is None or current.version != version:
        raise ConsentOutdated(_("There is a newer text. Read it before you agree."))
    consent, is_new = Consent.objects.get_or_create(text=current, labeler=labeler, defaults={"given_at": now})
    if not is_new:
        withdrawn = Consent.objects.filter(pk=consent.pk, withdrawn_at__isnull=False)
        withdrawn.update(given_at=now, withdrawn_at=None)
        consent.refresh_from_db()
    return consent


@transaction.atomic
def withdraw_consent(*, campaign: Campaign, labeler: Person, now: datetime) -> int:
    """End every consent that still stands and give back the work in hand. Returns how many that were.

    What was contributed before stays as it is: erasing it is a wish of its own.
    """
    given = Consent.objects.standing().filter(text__campaign=campaign, labeler=labeler)
    withdrawn = given.update(withdrawn_at=now)
    if withdrawn:
        held = Assignment.objects.claimed().for_labeler(labeler).filter(campaign=campaign)
        held.update(**Assignment.RETURNED)
    return withdrawn


def consent_needed() -> ConsentNeeded:
    return ConsentNeeded(_("Before you work here, read what you agree to."))
