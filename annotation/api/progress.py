from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.actions.history import Kind
from annotation.actions.progress import Unfinished, progress_of
from annotation.api.access import person
from annotation.api.clock import TIME_ZONE, local_now
from annotation.api.history import FeedbackOutput, excerpt_of
from annotation.models import Demonstration, Review


class DayOutput(serializers.Serializer[Any]):
    date = serializers.DateField()
    rankings = serializers.IntegerField()
    demonstrations = serializers.IntegerField()


class UnfinishedOutput(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=Kind.choices)
    campaign = serializers.IntegerField(source="campaign.id")
    campaign_name = serializers.CharField(source="campaign.name")
    excerpt = serializers.SerializerMethodField(help_text="How the prompt's last message begins.")
    saved_at = serializers.DateTimeField(allow_null=True)

    def get_excerpt(self, unfinished: Unfinished) -> str:
        return excerpt_of(unfinished.prompt.messages)


class UnreadFeedbackOutput(FeedbackOutput):
    demonstration = serializers.IntegerField(source="demonstration_id")
    status = serializers.ChoiceField(
        source="demonstration.status", choices=Demonstration.Status.choices, help_text="As it is now."
    )
    campaign = serializers.IntegerField(source="demonstration.prompt.campaign_id")
    campaign_name = serializers.CharField(source="demonstration.prompt.campaign.name")
    excerpt = serializers.SerializerMethodField(help_text="How the prompt's last message begins.")

    class Meta(FeedbackOutput.Meta):
        fields = [
            *FeedbackOutput.Meta.fields,
            "demonstration",
            "status",
            "campaign",
            "campaign_name",
            "excerpt",
        ]

    def get_excerpt(self, review: Review) -> str:
        return excerpt_of(review.demonstration.prompt.messages)


class ProgressOutput(serializers.Serializer[Any]):
    """One's own; nobody else's is anywhere in it."""

    days = DayOutput(many=True, help_text="The last seven, today last.")
    ranking_seconds = serializers.FloatField(
        allow_null=True, help_text="The median of the last twenty; null before the first."
    )
    demonstration_seconds = serializers.FloatField(allow_null=True)
    daily_goal = serializers.IntegerField(help_text="One's own, in items; 0 is none.")
    unfinished = UnfinishedOutput(many=True)
    feedback = UnreadFeedbackOutput(many=True, help_text="What one has not read yet, latest first.")
    feedback_unread = serializers.IntegerField()


class OwnProgress(APIView):
    @extend_schema(operation_id="getProgress", parameters=[TIME_ZONE], responses=ProgressOutput)
    def get(self, request: Request) -> Response:
        return Response(ProgressOutput(progress_of(person(request), now=local_now(request))).data)
