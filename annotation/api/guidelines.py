from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.actions.guidelines import acknowledge_guideline, guideline_versions
from annotation.api.access import find, find_campaign, person
from annotation.models import Guideline


class GuidelineVersionOutput(serializers.ModelSerializer[Guideline]):
    acknowledged_at = serializers.DateTimeField(
        allow_null=True, help_text="When whoever asks confirmed that they read it."
    )

    class Meta:
        model = Guideline
        fields = ["version", "published_at", "acknowledged_at"]


class GuidelineTextOutput(GuidelineVersionOutput):
    class Meta(GuidelineVersionOutput.Meta):
        fields = [*GuidelineVersionOutput.Meta.fields, "text"]


class CampaignGuidelines(APIView):
    @extend_schema(
        operation_id="listGuidelines",
        description="All versions, the current one first.",
        responses=GuidelineVersionOutput(many=True),
    )
    def get(self, request: Request, campaign_id: int) -> Response:
        versions = guideline_versions(find_campaign(request, campaign_id), person(request)).defer("text")
        body: Any = GuidelineVersionOutput(versions, many=True).data
        return Response(body)


class GuidelineVersion(APIView):
    @extend_schema(operation_id="getGuidelineVersion", responses=GuidelineTextOutput)
    def get(self, request: Request, campaign_id: int, version: int) -> Response:
        return _answer(campaign_id, version, request)


class AcknowledgeGuideline(APIView):
    @extend_schema(operation_id="acknowledgeGuideline", request=None, responses=GuidelineTextOutput)
    def post(self, request: Request, campaign_id: int, version: int) -> Response:
        acknowledge_guideline(
            campaign=find_campaign(request, campaign_id),
            labeler=person(request),
            version=version,
            now=timezone.now(),
        )
        return _answer(campaign_id, version, request)


def _answer(campaign_id: int, version: int, request: Request) -> Response:
    versions = guideline_versions(find_campaign(request, campaign_id), person(request))
    return Response(GuidelineTextOutput(find(versions, version=version)).data)
