import random
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.actions.campaigns import current_guideline
from annotation.actions.reviews import (
    MAX_REASON,
    claim_adjudications,
    claim_review,
    orders_of_labelers,
    review_demonstration,
    reviews_waiting,
)
from annotation.api.access import find, find_campaign, person
from annotation.api.assignments import AssignmentsOutput, ClaimInput, with_drafts
from annotation.api.demonstrations import TurnOutput
from annotation.api.prompts import PromptOutput
from annotation.models import Assignment, Campaign, Demonstration, Ranking, Review
from annotation.permissions import IsReviewer


class ReviewsWaitingOutput(serializers.Serializer[Any]):
    """A campaign, and what waits in it for the reviewer who asks."""

    id = serializers.IntegerField(source="campaign.id")
    name = serializers.CharField(source="campaign.name")
    description = serializers.CharField(source="campaign.description")
    demonstrations_waiting = serializers.IntegerField()
    adjudications_waiting = serializers.IntegerField()
    reviewed_today = serializers.IntegerField()
    adjudicated_today = serializers.IntegerField()


class EarlierReviewOutput(serializers.ModelSerializer[Review]):
    """Without its reviewer: who said it changes nothing about the text."""

    turns = TurnOutput(many=True, help_text="As they were when this was said of them.")

    class Meta:
        model = Review
        fields = ["verdict", "reason", "reviewed_at", "turns"]


class ReviewedDemonstrationOutput(serializers.ModelSerializer[Demonstration]):
    """What a reviewer sees: nothing in it tells who wrote the demonstration, but whether anybody did."""

    campaign = serializers.IntegerField(source="prompt.campaign_id")
    prompt = PromptOutput()
    turns = TurnOutput(many=True)
    guideline_version = serializers.SerializerMethodField()
    earlier = serializers.SerializerMethodField(help_text="Reviews of earlier versions, oldest first.")

    class Meta:
        model = Demonstration
        fields = [
            "id",
            "campaign",
            "prompt",
            "turns",
            "is_synthetic",
            "revision",
            "guideline_version",
            "earlier",
        ]

    def get_guideline_version(self, demonstration: Demonstration) -> int:
        guideline = demonstration.guideline or current_guideline(demonstration.prompt.campaign)
        return guideline.version if guideline else 0

    @extend_schema_field(EarlierReviewOutput(many=True))
    def get_earlier(self, demonstration: Demonstration) -> Any:
        earlier = demonstration.reviews.order_by("reviewed_at", "pk")
        return EarlierReviewOutput(earlier, many=True).data


class ClaimedReviewOutput(serializers.Serializer[Any]):
    demonstration = ReviewedDemonstrationOutput(allow_null=True)


class ReviewInput(serializers.Serializer[Any]):
    verdict = serializers.ChoiceField(choices=Review.Verdict.choices)
    reason = serializers.CharField(
        max_length=MAX_REASON, allow_blank=True, default="", help_text="Shown to the author."
    )
    revision = serializers.IntegerField(min_value=0, help_text="Of the text that was looked at.")


class ReviewOutput(serializers.Serializer[Any]):
    review_id = serializers.IntegerField()
    next = ReviewedDemonstrationOutput(allow_null=True)


class OrderOutput(serializers.ModelSerializer[Ranking]):
    """What one labeler said, without their name."""

    tiers = serializers.ListField(child=serializers.ListField(child=serializers.IntegerField()))
    unacceptable = serializers.ListField(child=serializers.IntegerField())

    class Meta:
        model = Ranking
        fields = ["tiers", "unacceptable", "cannot_judge", "rationale"]


class ReviewerView(APIView):
    permission_classes = [IsReviewer]


class Reviews(ReviewerView):
    @extend_schema(operation_id="listReviews", responses=ReviewsWaitingOutput(many=True))
    def get(self, request: Request) -> Response:
        waiting = [
            reviews_waiting(campaign, person(request), now=timezone.now())
            for campaign in Campaign.objects.visible_to(person(request)).order_by("pk")
        ]
        body: Any = ReviewsWaitingOutput(waiting, many=True).data
        return Response(body)


class ClaimReview(ReviewerView):
    @extend_schema(operation_id="claimReview", request=None, responses=ClaimedReviewOutput)
    def post(self, request: Request, campaign_id: int) -> Response:
        demonstration = claim_review(
            campaign=find_campaign(request, campaign_id),
            reviewer=person(request),
            now=timezone.now(),
        )
        return Response(ClaimedReviewOutput({"demonstration": demonstration}).data)


class ReviewDemonstration(ReviewerView):
    @extend_schema(
        operation_id="reviewDemonstration",
        request=ReviewInput,
        responses={201: ReviewOutput, 200: ReviewOutput},
    )
    def post(self, request: Request, demonstration_id: int) -> Response:
        body = ReviewInput(data=request.data)
        body.is_valid(raise_exception=True)
        reviewer, now = person(request), timezone.now()
        others = Demonstration.objects.exclude(labeler=reviewer).select_related("prompt__campaign")
        demonstration = find(others, demonstration_id)
        review, is_new = review_demonstration(
            demonstration=demonstration, reviewer=reviewer, now=now, **body.validated_data
        )
        following = claim_review(campaign=demonstration.prompt.campaign, reviewer=reviewer, now=now)
        return Response(
            ReviewOutput({"review_id": review.pk, "next": following}).data,
            status=status.HTTP_201_CREATED if is_new else status.HTTP_200_OK,
        )


class ClaimAdjudications(ReviewerView):
    @extend_schema(operation_id="claimAdjudications", request=ClaimInput, responses=AssignmentsOutput)
    def post(self, request: Request, campaign_id: int) -> Response:
        body = ClaimInput(data=request.data)
        body.is_valid(raise_exception=True)
        claimed = claim_adjudications(
            campaign=find_campaign(request, campaign_id),
            reviewer=person(request),
            now=timezone.now(),
            rng=random.SystemRandom(),
            **body.validated_data,
        )
        return Response(AssignmentsOutput({"assignments": with_drafts(claimed, person(request))}).data)


class LabelersOrders(ReviewerView):
    @extend_schema(operation_id="listOrders", responses=OrderOutput(many=True))
    def get(self, request: Request, key: UUID) -> Response:
        mine: QuerySet[Assignment] = Assignment.objects.for_labeler(person(request)).filter(
            purpose=Assignment.Purpose.ADJUDICATION
        )
        orders = orders_of_labelers(find(mine, key=key))
        body: Any = OrderOutput(orders, many=True).data
        return Response(body)
