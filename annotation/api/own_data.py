from typing import Any

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.actions.erasure import ask_for_erasure, take_back_erasure
from annotation.actions.own_data import own_contributions, own_data
from annotation.api.access import person
from annotation.models import Consent, ErasureRequest, Person, Tombstone


class OwnAccountOutput(serializers.ModelSerializer[Person]):
    class Meta:
        model = Person
        fields = ["username", "first_name", "last_name", "email", "date_joined", "last_login"]


class RecordedOutput(serializers.Serializer[Any]):
    """What one campaign has of whoever asks, in numbers."""

    id = serializers.IntegerField(source="campaign.id")
    name = serializers.CharField(source="campaign.name")
    retention_days = serializers.IntegerField(source="campaign.retention_days", allow_null=True)
    rankings = serializers.IntegerField()
    demonstrations = serializers.IntegerField()
    drafts = serializers.IntegerField()
    skips = serializers.IntegerField()


class GivenConsentOutput(serializers.ModelSerializer[Consent]):
    campaign = serializers.IntegerField(source="text.campaign_id")
    campaign_name = serializers.CharField(source="text.campaign.name")
    version = serializers.IntegerField(source="text.version")
    text = serializers.CharField(source="text.text")

    class Meta:
        model = Consent
        fields = ["id", "campaign", "campaign_name", "version", "text", "given_at", "withdrawn_at"]


class ErasureOutput(serializers.ModelSerializer[ErasureRequest]):
    class Meta:
        model = ErasureRequest
        fields = ["mode", "asked_at", "approved_at"]


class OwnDataOutput(serializers.Serializer[Any]):
    account = OwnAccountOutput(source="person")
    campaigns = RecordedOutput(many=True)
    consents = GivenConsentOutput(many=True)
    erasure = ErasureOutput(allow_null=True, help_text="What whoever asks has asked for.")


class ErasureInput(serializers.Serializer[Any]):
    mode = serializers.ChoiceField(choices=Tombstone.Mode.choices, help_text="What happens to contributions.")


class OwnData(APIView):
    permission_classes = [IsAuthenticated]

    @extend_schema(operation_id="getOwnData", responses=OwnDataOutput)
    def get(self, request: Request) -> Response:
        return _answer(person(request))


class OwnContributions(APIView):
    permission_classes = [IsAuthenticated]

    @extend_schema(operation_id="downloadOwnContributions", responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> HttpResponseBase:
        return StreamingHttpResponse(
            own_contributions(person(request)),
            content_type="application/json",
            headers={"Content-Disposition": 'attachment; filename="my-contributions.json"'},
        )


class OwnErasure(APIView):
    permission_classes = [IsAuthenticated]

    @extend_schema(operation_id="askForErasure", request=ErasureInput, responses=OwnDataOutput)
    def post(self, request: Request) -> Response:
        body = ErasureInput(data=request.data)
        body.is_valid(raise_exception=True)
        ask_for_erasure(person=person(request), now=timezone.now(), **body.validated_data)
        return _answer(person(request))

    @extend_schema(operation_id="takeBackErasure", request=None, responses={200: OwnDataOutput})
    def delete(self, request: Request) -> Response:
        take_back_erasure(person=person(request))
        return _answer(person(request))


def _answer(somebody: Person) -> Response:
    return Response(OwnDataOutput(own_data(somebody)).data)
