from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.actions.candidates import MAX_CANDIDATES
from annotation.actions.judgements import RATINGS, STRENGTHS
from annotation.actions.rankings import correct_ranking, own_rankings, submit_ranking
from annotation.api.access import find, person
from annotation.api.assignments import (
    AssignmentOutput,
    HoldingInput,
    ShownOutput,
    find_assignment,
    next_assignments,
)
from annotation.flags import Flag
from annotation.messages import MAX_CHARACTERS
from annotation.models import Assignment, Campaign, Ranking

ONE_DAY = 86_400
MOST_SHOWN = 50
MOST_PASSAGES = 100
"""Of one response."""


class EditedResponse(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    text = serializers.CharField(max_length=MAX_CHARACTERS, allow_blank=True, trim_whitespace=False)


@extend_schema_field({"type": "string", "enum": Flag.values})
class FlagField(serializers.CharField):
    """The screens' list of flags comes from here; one that is none is refused in words by the action."""


class MarkedPassage(serializers.Serializer[Any]):
    """Of a response's stored text, in code points: from ``start`` up to, not with, ``end``."""

    start = serializers.IntegerField(min_value=0)
    end = serializers.IntegerField(min_value=1)
    flag = FlagField(max_length=40)


class SaidBesides(serializers.Serializer[Any]):
    """What a judgement may say beside the order. Keys are the candidates' ids."""

    strength = serializers.IntegerField(
        required=False,
        allow_null=True,
        help_text=f"How much better the best is than the next: {STRENGTHS[0]} (slightly) to {STRENGTHS[-1]}.",
    )
    ratings = serializers.DictField(
        child=serializers.DictField(child=serializers.IntegerField()),
        required=False,
        help_text=f"By candidate, then by the campaign's axis: {RATINGS[0]} (bad) to {RATINGS[-1]} (good).",
    )
    flags = serializers.DictField(
        child=serializers.ListField(child=FlagField(max_length=40), max_length=len(Flag)),
        required=False,
        help_text="By candidate: what is wrong with it.",
    )
    spans = serializers.DictField(
        child=serializers.ListField(child=MarkedPassage(), max_length=MOST_PASSAGES),
        required=False,
        help_text="By candidate: the passages that a flag is about.",
    )
    rationale = serializers.CharField(max_length=10_000, allow_blank=True, required=False)
    edited = EditedResponse(
        required=False, allow_null=True, help_text="The best response as the labeler would have it."
    )


class JudgementInput(SaidBesides):
    """An ordered partition of the candidates, by id: best tier first, ids that share a tier are tied."""

    idempotency_key = serializers.UUIDField(
        help_text="Made by the page; the same key stores the same ranking once."
    )
    tiers = serializers.ListField(
        child=serializers.ListField(
            child=serializers.IntegerField(), min_length=1, max_length=MAX_CANDIDATES
        ),
        max_length=MAX_CANDIDATES,
    )
    unacceptable = serializers.ListField(
        child=serializers.IntegerField(), max_length=MAX_CANDIDATES, default=list
    )
    cannot_judge = serializers.CharField(
        max_length=500, allow_blank=True, default="", help_text="The reason; then nothing is ranked."
    )
    seconds_spent = serializers.FloatField(min_value=0, max_value=ONE_DAY)


class RankingInput(HoldingInput, JudgementInput):
    """A judgement, and what the page still has to do."""


class RankingOutput(serializers.Serializer[Any]):
    ranking_id = serializers.IntegerField()
    kept_as_surplus = serializers.BooleanField(
        help_text="It came after the time was up and somebody else had taken over: kept, and not counted."
    )
    next = AssignmentOutput(many=True, help_text="What replaces this assignment; empty when all is done.")


class CorrectionOutput(serializers.Serializer[Any]):
    ranking_id = serializers.IntegerField(source="pk")
    revision = serializers.IntegerField()


class OwnRankingOutput(SaidBesides, serializers.ModelSerializer[Ranking]):
    """A ranking of one's own as it now stands, with what it is about."""

    tiers = serializers.ListField(child=serializers.ListField(child=serializers.IntegerField()))
    unacceptable = serializers.ListField(child=serializers.IntegerField())
    assignment = serializers.SerializerMethodField()

    class Meta:
        model = Ranking
        fields = [
            "assignment",
            "revision",
            "tiers",
            "unacceptable",
            "cannot_judge",
            "strength",
            "ratings",
            "flags",
            "spans",
            "rationale",
            "edited",
            "seconds_spent",
            "submitted_at",
        ]

    @extend_schema_field(ShownOutput())
    def get_assignment(self, ranking: Ranking) -> Any:
        return ShownOutput(ranking.assignment).data


class SubmitRanking(APIView):
    @extend_schema(
        operation_id="submitRanking",
        request=RankingInput,
        responses={201: RankingOutput, 200: RankingOutput},
    )
    def post(self, request: Request, key: UUID) -> Response:
        body = RankingInput(data=request.data)
        body.is_valid(raise_exception=True)
        judgement = dict(body.validated_data)
        holding = judgement.pop("holding")
        assignment = find_assignment(key)
        ranking, is_new = submit_ranking(
            assignment=assignment, labeler=person(request), now=timezone.now(), **judgement
        )
        output = {
            "ranking_id": ranking.pk,
            "kept_as_surplus": ranking.assignment.purpose == Assignment.Purpose.SURPLUS,
            "next": next_assignments(assignment, person(request), holding),
        }
        return Response(RankingOutput(output).data, status=_created(is_new))


class CorrectRanking(APIView):
    @extend_schema(
        operation_id="correctRanking",
        request=JudgementInput,
        responses={201: CorrectionOutput, 200: CorrectionOutput},
    )
    def post(self, request: Request, key: UUID) -> Response:
        body = JudgementInput(data=request.data)
        body.is_valid(raise_exception=True)
        ranking, is_new = correct_ranking(
            assignment=find_assignment(key),
            labeler=person(request),
            now=timezone.now(),
            **body.validated_data,
        )
        return Response(CorrectionOutput(ranking).data, status=_created(is_new))


class OwnRankings(APIView):
    @extend_schema(
        operation_id="listOwnRankings",
        description=f"The latest of one's own, {MOST_SHOWN} at most: what one may look at again and correct.",
        responses=OwnRankingOutput(many=True),
    )
    def get(self, request: Request, campaign_id: int) -> Response:
        campaign = find(Campaign.objects.all(), campaign_id)
        latest = own_rankings(labeler=person(request), campaign=campaign, count=MOST_SHOWN)
        body: Any = OwnRankingOutput(latest, many=True).data
        return Response(body)


def _created(is_new: bool) -> int:
    return status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
