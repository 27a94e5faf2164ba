from datetime import datetime
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.actions.consents import (
    current_consent_text,
    give_consent,
    standing_consent,
    withdraw_consent,
)
from annotation.api.access import find, find_campaign, person
from annotation.models import Campaign, ConsentText, Person


class ConsentTextOutput(serializers.ModelSerializer[ConsentText]):
    class Meta:
        model = ConsentText
        fields = ["version", "text", "published_at"]


class ConsentOutput(serializers.Serializer[Any]):
    """What a campaign asks people to agree to, and what whoever asks has agreed to."""

    text = ConsentTextOutput(allow_null=True, help_text="Null where the campaign asks for nothing.")
    agreed_version = serializers.IntegerField(allow_null=True)
    given_at = serializers.DateTimeField(allow_null=True)
    is_needed = serializers.BooleanField(help_text="Nothing is handed out before it is given.")


class ConsentInput(serializers.Serializer[Any]):
    version = serializers.IntegerField(min_value=1, help_text="The version that was read.")


class CampaignConsent(APIView):
    @extend_schema(operation_id="getConsent", responses=ConsentOutput)
    def get(self, request: Request, campaign_id: int) -> Response:
        return _answer(find_campaign(request, campaign_id), person(request))

    @extend_schema(operation_id="giveConsent", request=ConsentInput, responses=ConsentOutput)
    def post(self, request: Request, campaign_id: int) -> Response:
        body = ConsentInput(data=request.data)
        body.is_valid(raise_exception=True)
        campaign = find_campaign(request, campaign_id)
        give_consent(campaign=campaign, labeler=person(request), now=timezone.now(), **body.validated_data)
        return _answer(campaign, person(request))

    @extend_schema(operation_id="withdrawConsent", request=None, responses={200: ConsentOutput})
    def delete(self, request: Request, campaign_id: int) -> Response:
        # Of all of them: whoever left a cohort may still take back what they agreed to.
        campaign = find(Campaign.objects.all(), campaign_id)
        withdraw_consent(campaign=campaign, labeler=person(request), now=timezone.now())
        return _answer(campaign, person(request))


def _answer(campaign: Campaign, labeler: Person) -> Response:
    text, given = current_consent_text(campaign), standing_consent(campaign, labeler)
    agreed_version: int | None = given.text.version if given else None
    given_at: datetime | None = given.given_at if given else None
    state = {
        "text": text,
        "agreed_version": agreed_version,
        "given_at": given_at,
        "is_needed": text is not None and text.version != agreed_version,
    }
    return Response(ConsentOutput(state).data)
