"""What somebody with a link can do: see what they are invited to, and make their account."""

from typing import Any

from django.contrib.auth import login
from django.contrib.auth.password_validation import password_validators_help_texts
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.actions.invitations import accept_invitation, find_invitation
from annotation.api.session import PersonOutput
from annotation.models import Invitation


class InvitationInput(serializers.Serializer[Any]):
    token = serializers.CharField(max_length=100, help_text="What stands behind # in the link.")


class AcceptInput(InvitationInput):
    username = serializers.CharField(max_length=150)
    name = serializers.CharField(max_length=150, allow_blank=True, default="")
    password = serializers.CharField(max_length=1000, trim_whitespace=False)


class InvitationOutput(serializers.ModelSerializer[Invitation]):
    name = serializers.CharField(help_text="Whom it is meant for; may be empty.")
    invited_by = serializers.CharField(source="created_by.display_name")
    password_rules = serializers.SerializerMethodField(help_text="What the password must be like.")

    class Meta:
        model = Invitation
        fields = ["role", "name", "email", "invited_by", "expires_at", "password_rules"]

    def get_password_rules(self, invitation: Invitation) -> list[str]:
        return password_validators_help_texts()


# DRF asks for the CSRF token only of people who are signed in; nobody is yet.
@method_decorator([csrf_protect, never_cache], name="dispatch")
class DoorView(APIView):
    permission_classes = [AllowAny]


class FindInvitation(DoorView):
    @extend_schema(
        operation_id="findInvitation",
        description="A POST, so that the link's secret stands in no log.",
        request=InvitationInput,
        responses=InvitationOutput,
    )
    def post(self, request: Request) -> Response:
        body = InvitationInput(data=request.data)
        body.is_valid(raise_exception=True)
        found = find_invitation(body.validated_data["token"], now=timezone.now())
        return Response(InvitationOutput(found).data)


class AcceptInvitation(DoorView):
    @extend_schema(operation_id="acceptInvitation", request=AcceptInput, responses={201: PersonOutput})
    def post(self, request: Request) -> Response:
        body = AcceptInput(data=request.data)
        body.is_valid(raise_exception=True)
        person = accept_invitation(now=timezone.now(), **body.validated_data)
        login(request._request, person, backend="django.contrib.auth.backends.ModelBackend")
        return Response(PersonOutput(person).data, status=status.HTTP_201_CREATED)
