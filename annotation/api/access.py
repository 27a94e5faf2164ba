"""Who is asking, and which rows they may name."""

from typing import Any, TypeVar

from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _
from rest_framework.exceptions import NotFound
from rest_framework.request import Request

from annotation.models import Person

Row = TypeVar("Row", bound=Model)


def person(request: Request) -> Person:
    assert isinstance(request.user, Person)  # every view asks for a signed-in person
    return request.user


def find(rows: QuerySet[Row], pk: int | None = None, **lookup: Any) -> Row:
    """The row, or a 404 in words."""
    try:
        return rows.get(**lookup or {"pk": pk})
    except (ObjectDoesNotExist, OverflowError):
        raise NotFound(_("There is nothing here that you may see.")) from None
