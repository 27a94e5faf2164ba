import re
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.actions.feedback import read_feedback, unread_feedback
from annotation.actions.history import (
    Entry,
    Kind,
    Place,
    Standing,
    history_of,
    own_demonstrations_in_full,
    own_rankings_in_full,
    ranking_entries,
    skipped_demonstrations,
)
from annotation.api.access import find, person
from annotation.api.demonstrations import TurnOutput
from annotation.api.prompts import PromptOutput
from annotation.api.rankings import OwnRankingOutput
from annotation.models import Demonstration, Ranking, Review

PAGE = 25
EXCERPT = 280
MOST_SKIPPED = 200


class FeedbackOutput(serializers.ModelSerializer[Review]):
    """Without its reviewer: who said it changes nothing about the text."""

    class Meta:
        model = Review
        fields = ["id", "verdict", "reason", "reviewed_at", "read_at"]


class HistoryEntryOutput(serializers.Serializer[Any]):
    """One row. Of a demonstration, what is said of orders is empty."""

    kind = serializers.ChoiceField(choices=Kind.choices)
    id = serializers.SerializerMethodField(help_text="The assignment's, or the demonstration's.")
    campaign = serializers.IntegerField(source="campaign.id")
    campaign_name = serializers.CharField(source="campaign.name")
    excerpt = serializers.SerializerMethodField(help_text="How the prompt's last message begins.")
    language = serializers.CharField(source="prompt.language")
    standing = serializers.ChoiceField(choices=Standing.choices)
    submitted_at = serializers.DateTimeField(source="row.submitted_at")
    seconds_spent = serializers.FloatField(source="row.seconds_spent")
    revision = serializers.IntegerField(source="row.revision")
    shown_order = serializers.ListField(
        source="row.shown_order", child=serializers.IntegerField(), default=list, read_only=True
    )
    tiers = serializers.ListField(
        source="row.tiers",
        child=serializers.ListField(child=serializers.IntegerField()),
        default=list,
        read_only=True,
    )
    unacceptable = serializers.ListField(
        source="row.unacceptable", child=serializers.IntegerField(), default=list, read_only=True
    )
    cannot_judge = serializers.CharField(source="row.cannot_judge", default="", read_only=True)
    correctable_until = serializers.DateTimeField(
        allow_null=True, help_text="Null where a ranking cannot be corrected, and for demonstrations."
    )
    feedback = FeedbackOutput(many=True)

    def get_id(self, entry: Entry) -> str:
        return str(entry.row.assignment.key if entry.kind == Kind.RANKING else entry.row.pk)

    def get_excerpt(self, entry: Entry) -> str:
        return excerpt_of(entry.prompt.messages)


class HistoryOutput(serializers.Serializer[Any]):
    entries = HistoryEntryOutput(many=True)
    next = serializers.CharField(allow_null=True, help_text="For ``after``; null at the end.")


class HistoryInput(serializers.Serializer[Any]):
    campaign = serializers.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
    kind = serializers.ChoiceField(choices=Kind.choices, required=False)
    standing = serializers.ChoiceField(choices=Standing.choices, required=False)
    after = serializers.CharField(required=False, help_text="What the page before gave as ``next``.")

    def validate_after(self, text: str) -> Place:
        found = re.fullmatch(r"(.{10,40})~(ranking|demonstration)~(\d{1,18})", text)
        try:
            at = datetime.fromisoformat(found[1]) if found else None
        except ValueError:
            at = None
        if found is None or at is None or timezone.is_naive(at):
            raise serializers.ValidationError(_("This is no page of the history."))
        return Place(at, found[2], int(found[3]))


class OwnHandedInRankingOutput(OwnRankingOutput):
    """As it was shown and as it now stands."""

    campaign_name = serializers.CharField(source="assignment.campaign.name")
    ranked_under = serializers.SerializerMethodField(
        help_text="The guideline version; 0 where there was none."
    )
    standing = serializers.SerializerMethodField()
    correctable_until = serializers.SerializerMethodField()

    class Meta(OwnRankingOutput.Meta):
        fields = [
            *OwnRankingOutput.Meta.fields,
            "campaign_name",
            "ranked_under",
            "standing",
            "correctable_until",
        ]

    def get_ranked_under(self, ranking: Ranking) -> int:
        return ranking.guideline.version if ranking.guideline else 0

    @extend_schema_field(serializers.ChoiceField(choices=Standing.choices))
    def get_standing(self, ranking: Ranking) -> str:
        return ranking_entries([ranking])[0].standing.value

    def get_correctable_until(self, ranking: Ranking) -> datetime | None:
        return ranking_entries([ranking])[0].correctable_until


class OwnHandedInDemonstrationOutput(serializers.ModelSerializer[Demonstration]):
    campaign = serializers.IntegerField(source="prompt.campaign_id")
    campaign_name = serializers.CharField(source="prompt.campaign.name")
    prompt = PromptOutput()
    turns = TurnOutput(many=True)
    standing = serializers.ChoiceField(source="status", choices=Standing.choices)
    written_under = serializers.SerializerMethodField(
        help_text="The guideline version; 0 where there was none."
    )
    feedback = FeedbackOutput(source="reviews", many=True, help_text="Latest first.")

    class Meta:
        model = Demonstration
        fields = [
            "id",
            "campaign",
            "campaign_name",
            "prompt",
            "turns",
            "standing",
            "submitted_at",
            "seconds_spent",
            "written_under",
            "feedback",
        ]

    def get_written_under(self, demonstration: Demonstration) -> int:
        return demonstration.guideline.version if demonstration.guideline else 0


class SkippedDemonstrationOutput(serializers.ModelSerializer[Demonstration]):
    campaign = serializers.IntegerField(source="prompt.campaign_id")
    campaign_name = serializers.CharField(source="prompt.campaign.name")
    excerpt = serializers.SerializerMethodField(help_text="How the prompt's last message begins.")
    skipped_at = serializers.DateTimeField()

    class Meta:
        model = Demonstration
        fields = ["id", "campaign", "campaign_name", "excerpt", "skipped_at"]

    def get_excerpt(self, demonstration: Demonstration) -> str:
        return excerpt_of(demonstration.prompt.messages)


class ReadFeedbackInput(serializers.Serializer[Any]):
    reviews = serializers.ListField(child=serializers.IntegerField(), max_length=200)


class ReadFeedbackOutput(serializers.Serializer[Any]):
    unread = serializers.IntegerField()


class OwnHistory(APIView):
    @extend_schema(
        operation_id="listHistory",
        description=f"What one handed in, latest first, {PAGE} at a time.",
        parameters=[HistoryInput],
        responses=HistoryOutput,
    )
    def get(self, request: Request) -> Response:
        asked = HistoryInput(data=request.query_params)
        asked.is_valid(raise_exception=True)
        entries = history_of(person(request), count=PAGE + 1, **asked.validated_data)
        shown = entries[:PAGE]
        after = _text_of(shown[-1].place) if len(entries) > PAGE else None
        return Response(HistoryOutput({"entries": shown, "next": after}).data)


class OwnSkipped(APIView):
    @extend_schema(operation_id="listSkipped", responses=SkippedDemonstrationOutput(many=True))
    def get(self, request: Request) -> Response:
        skipped = skipped_demonstrations(person(request))[:MOST_SKIPPED]
        body: Any = SkippedDemonstrationOutput(skipped, many=True).data
        return Response(body)


class OwnHandedInRanking(APIView):
    @extend_schema(operation_id="getOwnRanking", responses=OwnHandedInRankingOutput)
    def get(self, request: Request, key: UUID) -> Response:
        mine = own_rankings_in_full(person(request)).prefetch_related(
            "assignment__candidate_set__completions"
        )
        return Response(OwnHandedInRankingOutput(find(mine, assignment__key=key)).data)


class OwnHandedInDemonstration(APIView):
    @extend_schema(operation_id="getOwnDemonstration", responses=OwnHandedInDemonstrationOutput)
    def get(self, request: Request, demonstration_id: int) -> Response:
        mine = own_demonstrations_in_full(person(request))
        return Response(OwnHandedInDemonstrationOutput(find(mine, demonstration_id)).data)


class ReadFeedback(APIView):
    @extend_schema(
        operation_id="readFeedback",
        description="Say that one has seen what reviewers said; said again, it changes nothing.",
        request=ReadFeedbackInput,
        responses=ReadFeedbackOutput,
    )
    def post(self, request: Request) -> Response:
        body = ReadFeedbackInput(data=request.data)
        body.is_valid(raise_exception=True)
        read_feedback(labeler=person(request), now=timezone.now(), **body.validated_data)
        return Response(ReadFeedbackOutput({"unread": unread_feedback(person(request)).count()}).data)


def excerpt_of(messages: list[dict[str, str]]) -> str:
    text = messages[-1]["content"] if messages else ""
    return text if len(text) <= EXCERPT else f"{text[:EXCERPT]}…"


def _text_of(place: Place) -> str:
    return f"{place.at.isoformat()}~{place.kind}~{place.pk}"
