import random
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.actions.campaigns import current_guideline
from annotation.actions.demonstrations import (
    claim_demonstration,
    reason_of_return,
    save_draft,
    skip_demonstration,
    submit_demonstration,
    take_up_skipped,
)
from annotation.actions.feedback import read_all_of
from annotation.actions.suggestions import can_suggest, show_suggestion
from annotation.api.access import find, find_campaign, person
from annotation.api.prompts import PromptOutput
from annotation.api.rankings import ONE_DAY
from annotation.errors import NotHandedOut
from annotation.models import Campaign, Demonstration, Person


class TurnOutput(serializers.Serializer[dict[str, str]]):
    role = serializers.ChoiceField(choices=["user", "assistant"])
    content = serializers.CharField(allow_blank=True)


class DemonstrationOutput(serializers.ModelSerializer[Demonstration]):
    campaign = serializers.IntegerField(source="prompt.campaign_id")
    prompt = PromptOutput()
    turns = TurnOutput(many=True)
    guideline_version = serializers.SerializerMethodField()
    returned_because = serializers.SerializerMethodField(
        help_text="What the reviewer who returned it wants changed; empty when nobody did."
    )
    checklist = serializers.ListField(
        source="prompt.campaign.checklist",
        child=serializers.CharField(),
        help_text="What to look at before it is handed in.",
    )
    can_suggest = serializers.SerializerMethodField(help_text="Whether there is a suggestion to ask for.")
    suggestion = serializers.CharField(
        source="suggestion.text",
        default=None,
        read_only=True,
        allow_null=True,
        help_text="What was suggested to its author; null where nothing was.",
    )

    class Meta:
        model = Demonstration
        fields = [
            "id",
            "campaign",
            "prompt",
            "turns",
            "status",
            "guideline_version",
            "revision",
            "returned_because",
            "checklist",
            "can_suggest",
            "suggestion",
        ]

    def get_returned_because(self, demonstration: Demonstration) -> str:
        return reason_of_return(demonstration)

    def get_can_suggest(self, demonstration: Demonstration) -> bool:
        return can_suggest(demonstration)

    def get_guideline_version(self, demonstration: Demonstration) -> int:
        guideline = demonstration.guideline or current_guideline(demonstration.prompt.campaign)
        return guideline.version if guideline else 0


class TurnInput(serializers.Serializer[Any]):
    # What makes a turn usable is for the action to say, with a code of its own for each way to be wrong.
    role = serializers.CharField(max_length=20, help_text="user or assistant")
    content = serializers.CharField(allow_blank=True, trim_whitespace=False)


class DraftInput(serializers.Serializer[Any]):
    turns = TurnInput(many=True, allow_empty=True)
    revision = serializers.IntegerField(min_value=0)


class SubmissionInput(serializers.Serializer[Any]):
    idempotency_key = serializers.UUIDField()
    turns = TurnInput(many=True)
    seconds_spent = serializers.FloatField(min_value=0, max_value=ONE_DAY)


class DemonstrationSkipInput(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=500)


class ClaimedDemonstrationOutput(serializers.Serializer[Any]):
    demonstration = DemonstrationOutput(allow_null=True)


class SuggestionOutput(serializers.Serializer[Any]):
    text = serializers.CharField(help_text="To be edited; the demonstration is marked with it for good.")


class SubmittedDemonstrationOutput(serializers.Serializer[Any]):
    demonstration = DemonstrationOutput()
    next = DemonstrationOutput(allow_null=True)


class ClaimDemonstration(APIView):
    @extend_schema(operation_id="claimDemonstration", request=None, responses=ClaimedDemonstrationOutput)
    def post(self, request: Request, campaign_id: int) -> Response:
        demonstration = _claim(find_campaign(request, campaign_id), person(request))
        return Response(ClaimedDemonstrationOutput({"demonstration": demonstration}).data)


class SaveDraft(APIView):
    @extend_schema(operation_id="saveDraft", request=DraftInput, responses=DemonstrationOutput)
    def put(self, request: Request, demonstration_id: int) -> Response:
        body = DraftInput(data=request.data)
        body.is_valid(raise_exception=True)
        demonstration = find(_mine(person(request)), demonstration_id)
        saved = save_draft(demonstration=demonstration, **body.validated_data)
        return Response(DemonstrationOutput(saved).data)


class ShowSuggestion(APIView):
    @extend_schema(operation_id="showSuggestion", request=None, responses=SuggestionOutput)
    def post(self, request: Request, demonstration_id: int) -> Response:
        demonstration = find(_mine(person(request)), demonstration_id)
        suggestion = show_suggestion(demonstration=demonstration, rng=random.SystemRandom())
        return Response(SuggestionOutput(suggestion).data)


class SkipDemonstration(APIView):
    @extend_schema(
        operation_id="skipDemonstration", request=DemonstrationSkipInput, responses=ClaimedDemonstrationOutput
    )
    def post(self, request: Request, demonstration_id: int) -> Response:
        body = DemonstrationSkipInput(data=request.data)
        body.is_valid(raise_exception=True)
        demonstration = find(_mine(person(request)), demonstration_id)
        skip_demonstration(demonstration=demonstration, now=timezone.now(), **body.validated_data)
        following = _next_demonstration(demonstration, person(request))
        return Response(ClaimedDemonstrationOutput({"demonstration": following}).data)

    @extend_schema(operation_id="takeUpDemonstration", request=None, responses={204: None})
    def delete(self, request: Request, demonstration_id: int) -> Response:
        take_up_skipped(demonstration=find(_mine(person(request)), demonstration_id))
        return Response(status=status.HTTP_204_NO_CONTENT)


class SubmitDemonstration(APIView):
    @extend_schema(
        operation_id="submitDemonstration",
        request=SubmissionInput,
        responses={201: SubmittedDemonstrationOutput, 200: SubmittedDemonstrationOutput},
    )
    def post(self, request: Request, demonstration_id: int) -> Response:
        body = SubmissionInput(data=request.data)
        body.is_valid(raise_exception=True)
        demonstration, is_new = submit_demonstration(
            demonstration=find(_mine(person(request)), demonstration_id),
            now=timezone.now(),
            **body.validated_data,
        )
        following = _next_demonstration(demonstration, person(request))
        return Response(
            SubmittedDemonstrationOutput({"demonstration": demonstration, "next": following}).data,
            status=status.HTTP_201_CREATED if is_new else status.HTTP_200_OK,
        )


def _claim(campaign: Campaign, labeler: Person) -> Demonstration | None:
    demonstration = claim_demonstration(campaign=campaign, labeler=labeler)
    if demonstration:
        read_all_of(demonstration=demonstration, now=timezone.now())
    return demonstration


def _next_demonstration(left: Demonstration, labeler: Person) -> Demonstration | None:
    try:
        return _claim(left.prompt.campaign, labeler)
    except NotHandedOut:
        # What was just handed in is stored all the same; the page learns why when it asks for more.
        return None


def _mine(labeler: Person) -> QuerySet[Demonstration]:
    return Demonstration.objects.for_labeler(labeler).select_related(
        "prompt__campaign", "guideline", "suggestion"
    )
