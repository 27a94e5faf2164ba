"""Who is asking, and which rows they may name."""

from typing import Any, TypeVar

from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _
from rest_framework.exceptions import NotFound
from rest_framework.request import Request

from annotation.errors import OtherPerson
from annotation.models import Campaign, Person

Row = TypeVar("Row", bound=Model)


def person(request: Request) -> Person:
    """Who is asking.

    :raises OtherPerson: the page was opened by somebody else, so that what it sends is theirs.
    """
    assert isinstance(request.user, Person)  # every view asks for a signed-in person
    meant = request.headers.get("X-Person", "")
    if meant and meant != str(request.user.pk):
        raise OtherPerson(_("Somebody else is signed in by now. Sign in again to go on with your work."))
    return request.user


def find_campaign(request: Request, campaign_id: int) -> Campaign:
    """One that whoever asks may see, or a 404 in words."""
    return find(Campaign.objects.visible_to(person(request)), campaign_id)


def find(rows: QuerySet[Row], pk: int | None = None, **lookup: Any) -> Row:
    """The row, or a 404 in words."""
    try:
        return rows.get(**lookup or {"pk": pk})
    except (ObjectDoesNotExist, OverflowError):
        raise NotFound(_("There is nothing here that you may see.")) from None
