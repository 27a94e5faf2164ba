from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request

from annotation.models import Person

if TYPE_CHECKING:
    # It reads the settings, which name permissions of ours.
    from rest_framework.views import APIView


class DoesWork(IsAuthenticated):
    """Whoever has an account: guests only chat."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        person = request.user
        return isinstance(person, Person) and not person.is_guest


class IsReviewer(IsAuthenticated):
    def has_permission(self, request: Request, view: APIView) -> bool:
        person = request.user
        return isinstance(person, Person) and person.is_reviewer


class IsResearcher(IsAuthenticated):
    def has_permission(self, request: Request, view: APIView) -> bool:
        person = request.user
        return isinstance(person, Person) and person.is_researcher
