from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView

from annotation.models import Person


class IsReviewer(IsAuthenticated):
    def has_permission(self, request: Request, view: APIView) -> bool:
        person = request.user
        return isinstance(person, Person) and person.is_reviewer


class IsResearcher(IsAuthenticated):
    def has_permission(self, request: Request, view: APIView) -> bool:
        person = request.user
        return isinstance(person, Person) and person.is_researcher
