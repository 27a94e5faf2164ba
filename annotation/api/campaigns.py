from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.actions.campaigns import current_guideline
from annotation.actions.waiting import Obstacle, waiting_for
from annotation.api.access import find_campaign, person
from annotation.api.clock import TIME_ZONE, local_now
from annotation.models import Campaign, Guideline, Person
from annotation.models.campaigns import CampaignQuerySet


class AsksOutput(serializers.ModelSerializer[Campaign]):
    """What labelers are asked for besides the order."""

    strength = serializers.BooleanField(source="asks_strength")
    flags = serializers.BooleanField(source="asks_flags")
    spans = serializers.BooleanField(source="asks_spans")
    edit = serializers.BooleanField(source="asks_edit")
    rationale = serializers.ChoiceField(choices=Campaign.Rationale.choices)
    rating_axes = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = Campaign
        fields = ["strength", "rating_axes", "flags", "spans", "rationale", "edit"]


class CampaignOutput(serializers.Serializer[Any]):
    """A campaign, and what waits in it for whoever asks."""

    id = serializers.IntegerField(source="campaign.id")
    name = serializers.CharField(source="campaign.name")
    description = serializers.CharField(source="campaign.description")
    is_active = serializers.BooleanField()
    obstacle = serializers.ChoiceField(
        choices=[(name, name) for name in Obstacle.values],
        help_text="What stands between whoever asks and more work.",
    )
    guideline_version = serializers.IntegerField(
        source="campaign.guideline_version", help_text="The current one; 0 where there is none."
    )
    acknowledged_version = serializers.IntegerField(
        source="campaign.acknowledged_version",
        help_text="The last one that whoever asks said to have read; 0 where they said nothing.",
    )
    asks = AsksOutput(source="campaign")
    correction_minutes = serializers.IntegerField(
        source="campaign.correction_minutes",
        help_text="How long a ranking that was handed in may be corrected.",
    )
    rankings_waiting = serializers.IntegerField()
    demonstrations_waiting = serializers.IntegerField()
    counted_to = serializers.IntegerField(
        help_text="How far what waits is counted: this number means as many, or more."
    )
    ranked_today = serializers.IntegerField()
    demonstrated_today = serializers.IntegerField()
    practice_left = serializers.IntegerField(
        help_text="Practice items to pass before the first ranking is handed out."
    )


class GuidelineOutput(serializers.ModelSerializer[Guideline]):
    class Meta:
        model = Guideline
        fields = ["version", "text", "published_at"]


class Campaigns(APIView):
    @extend_schema(operation_id="listCampaigns", parameters=[TIME_ZONE], responses=CampaignOutput(many=True))
    def get(self, request: Request) -> Response:
        labeler, now = person(request), local_now(request)
        waiting = [waiting_for(labeler, campaign, now=now) for campaign in _shown_to(labeler).order_by("pk")]
        body: Any = CampaignOutput(waiting, many=True).data
        return Response(body)


def _shown_to(labeler: Person) -> CampaignQuerySet:
    return Campaign.objects.visible_to(labeler).with_guideline_versions(labeler)


class CampaignGuideline(APIView):
    @extend_schema(operation_id="getGuideline", responses=GuidelineOutput)
    def get(self, request: Request, campaign_id: int) -> Response:
        guideline = current_guideline(find_campaign(request, campaign_id))
        if guideline is None:
            raise NotFound(_("This campaign has no guidelines."))
        return Response(GuidelineOutput(guideline).data)
