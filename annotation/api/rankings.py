from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.actions.candidates import MAX_CANDIDATES
from annotation.actions.rankings import submit_ranking
from annotation.api.access import find, person
from annotation.api.assignments import AssignmentOutput, HoldingInput, assignments, next_assignments

ONE_DAY = 86_400


class RankingInput(HoldingInput):
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


class RankingOutput(serializers.Serializer[Any]):
    ranking_id = serializers.IntegerField()
    next = AssignmentOutput(many=True, help_text="What replaces this assignment; empty when all is done.")


class SubmitRanking(APIView):
    @extend_schema(
        operation_id="submitRanking",
        request=RankingInput,
        responses={201: RankingOutput, 200: RankingOutput},
    )
    def post(self, request: Request, assignment_id: int) -> Response:
        body = RankingInput(data=request.data)
        body.is_valid(raise_exception=True)
        judgement = dict(body.validated_data)
        holding = judgement.pop("holding")
        assignment = find(assignments(), assignment_id)
        ranking, is_new = submit_ranking(
            assignment=assignment, labeler=person(request), now=timezone.now(), **judgement
        )
        following = next_assignments(assignment, person(request), holding)
        return Response(
            RankingOutput({"ranking_id": ranking.pk, "next": following}).data,
            status=status.HTTP_201_CREATED if is_new else status.HTTP_200_OK,
        )
