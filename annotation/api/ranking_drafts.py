from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.actions.ranking_drafts import drop_ranking_draft, ranking_draft, save_ranking_draft
from annotation.api.access import find, person
from annotation.api.assignments import RankingDraftOutput
from annotation.errors import StaleRevision
from annotation.models import Assignment


class RankingDraftInput(serializers.Serializer[Any]):
    content = serializers.JSONField(help_text="Opaque: a JSON object of the page's own making.")
    revision = serializers.IntegerField(
        min_value=0, max_value=2**31 - 2, help_text="The one that it goes on from; 0 for the first."
    )


class FoundRankingDraftOutput(serializers.Serializer[Any]):
    draft = RankingDraftOutput(allow_null=True)


class StaleRankingDraftOutput(serializers.Serializer[Any]):
    code = serializers.CharField()
    detail = serializers.CharField()
    fields = FoundRankingDraftOutput(help_text="What is saved now.")  # type: ignore[assignment]


class RankingDrafts(APIView):
    """The ranking that somebody is making of an assignment. Nobody else ever sees it."""

    @extend_schema(operation_id="getRankingDraft", responses=FoundRankingDraftOutput)
    def get(self, request: Request, key: UUID) -> Response:
        draft = ranking_draft(assignment=_find(key), labeler=person(request))
        return Response(FoundRankingDraftOutput({"draft": draft}).data)

    @extend_schema(
        operation_id="saveRankingDraft",
        request=RankingDraftInput,
        responses={200: RankingDraftOutput, 409: StaleRankingDraftOutput},
    )
    def put(self, request: Request, key: UUID) -> Response:
        body = RankingDraftInput(data=request.data)
        body.is_valid(raise_exception=True)
        assignment, labeler = _find(key), person(request)
        try:
            draft = save_ranking_draft(
                assignment=assignment, labeler=labeler, now=timezone.now(), **body.validated_data
            )
        except StaleRevision as stale:
            current = {"draft": ranking_draft(assignment=assignment, labeler=labeler)}
            refused = {"code": stale.code, "detail": stale.detail, "fields": current}
            return Response(StaleRankingDraftOutput(refused).data, status=stale.status)
        return Response(RankingDraftOutput(draft).data)

    @extend_schema(operation_id="dropRankingDraft", responses={204: None})
    def delete(self, request: Request, key: UUID) -> Response:
        drop_ranking_draft(assignment=_find(key), labeler=person(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


def _find(key: UUID) -> Assignment:
    return find(Assignment.objects.all(), key=key)
