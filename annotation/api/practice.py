"""Practice items: the next one, without its answer, and the answer to whoever has tried it."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.actions.campaigns import current_guideline
from annotation.actions.candidates import MAX_CANDIDATES
from annotation.actions.practice import (
    Shown,
    attempt_practice,
    has_more_practice,
    next_practice,
    practice_progress,
)
from annotation.api.access import find, find_campaign, person
from annotation.api.assignments import CandidateOutput
from annotation.api.prompts import PromptOutput
from annotation.models import PracticeAttempt, PracticeItem, Prompt


class TiersField(serializers.ListField):
    child = serializers.ListField(child=serializers.IntegerField(), min_length=1, max_length=MAX_CANDIDATES)


class ShownPracticeOutput(serializers.Serializer[Any]):
    """What is to be ranked, as in an assignment; nothing in it tells the answer."""

    id = serializers.IntegerField(source="item.pk")
    campaign = serializers.IntegerField(source="item.campaign_id")
    prompt = PromptOutput(source="item.candidate_set.prompt")
    candidates = serializers.SerializerMethodField(help_text="In the order to show them.")
    guideline_version = serializers.SerializerMethodField()
    attempts = serializers.IntegerField(help_text="How often whoever asks has tried it.")

    @extend_schema_field(CandidateOutput(many=True))
    def get_candidates(self, shown: Shown) -> Any:
        by_id = {completion.pk: completion for completion in shown.item.candidate_set.completions.all()}
        return CandidateOutput([by_id[pk] for pk in shown.shown_order], many=True).data

    def get_guideline_version(self, shown: Shown) -> int:
        guideline = current_guideline(shown.item.campaign)
        return guideline.version if guideline else 0


class PracticeProgressOutput(serializers.Serializer[Any]):
    """Of what must be passed before real work: what is done, and what is left."""

    passed = serializers.IntegerField()
    left = serializers.IntegerField()


class PracticeOutput(PracticeProgressOutput):
    item = ShownPracticeOutput(allow_null=True, help_text="Null where nothing is left to try.")


class AfterInput(serializers.Serializer[Any]):
    after = serializers.IntegerField(required=False, help_text="The item just left: it comes last.")


class PracticeAttemptInput(serializers.Serializer[Any]):
    """An ordered partition of the candidates, as in a ranking."""

    tiers = TiersField(max_length=MAX_CANDIDATES)
    unacceptable = serializers.ListField(
        child=serializers.IntegerField(), max_length=MAX_CANDIDATES, default=list
    )
    cannot_judge = serializers.CharField(
        max_length=500, allow_blank=True, default="", help_text="The reason; then nothing is ranked."
    )


class KnownAnswerOutput(serializers.ModelSerializer[PracticeItem]):
    tiers = TiersField()
    unacceptable = serializers.ListField(child=serializers.IntegerField())

    class Meta:
        model = PracticeItem
        fields = ["tiers", "unacceptable", "explanation"]


class PracticeAttemptOutput(serializers.Serializer[Any]):
    """Whether it was passed, the known answer with its reason, and how far that brings whoever tried."""

    is_passed = serializers.BooleanField()
    answer = KnownAnswerOutput()
    progress = PracticeProgressOutput()
    has_more = serializers.BooleanField(help_text="Whether an item is left that was not passed.")


class NextPractice(APIView):
    @extend_schema(operation_id="getPractice", parameters=[AfterInput], responses=PracticeOutput)
    def get(self, request: Request, campaign_id: int) -> Response:
        query = AfterInput(data=request.query_params)
        query.is_valid(raise_exception=True)
        campaign = find_campaign(request, campaign_id)
        shown = next_practice(campaign=campaign, labeler=person(request), **query.validated_data)
        progress = practice_progress(campaign, person(request))
        state = {"passed": progress.passed, "left": progress.left, "item": shown}
        return Response(PracticeOutput(state).data)


class AttemptPractice(APIView):
    @extend_schema(
        operation_id="attemptPractice",
        request=PracticeAttemptInput,
        responses={201: PracticeAttemptOutput},
    )
    def post(self, request: Request, item_id: int) -> Response:
        body = PracticeAttemptInput(data=request.data)
        body.is_valid(raise_exception=True)
        item = find(_handed_out(), item_id)
        attempt: PracticeAttempt = attempt_practice(
            item=item, labeler=person(request), now=timezone.now(), **body.validated_data
        )
        told = {
            "is_passed": attempt.is_passed,
            "answer": item,
            "progress": practice_progress(item.campaign, person(request)),
            "has_more": has_more_practice(item.campaign, person(request)),
        }
        return Response(PracticeAttemptOutput(told).data, status=status.HTTP_201_CREATED)


def _handed_out() -> Any:
    active = PracticeItem.objects.filter(is_active=True, candidate_set__prompt__status=Prompt.Status.READY)
    return active.select_related("campaign", "candidate_set")
