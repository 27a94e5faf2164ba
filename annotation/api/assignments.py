import random
from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.actions.assignments import claim_assignments, extend_assignment, skip_assignment
from annotation.actions.campaigns import current_guideline
from annotation.actions.ranking_drafts import drafts_of
from annotation.api.access import find, find_campaign, person
from annotation.api.prompts import PromptOutput
from annotation.errors import NotHandedOut
from annotation.models import Assignment, Completion, Person, RankingDraft

MOST_AHEAD = 3


class CandidateOutput(serializers.ModelSerializer[Completion]):
    class Meta:
        model = Completion
        fields = ["id", "text"]


class ShownOutput(serializers.ModelSerializer[Assignment]):
    """What a labeler sees: nothing in it tells who or what wrote a candidate."""

    id = serializers.UUIDField(source="key")
    prompt = PromptOutput(source="candidate_set.prompt")
    candidates = serializers.SerializerMethodField(help_text="In the order to show them.")
    guideline_version = serializers.SerializerMethodField()

    class Meta:
        model = Assignment
        fields = ["id", "campaign", "prompt", "candidates", "guideline_version"]

    @extend_schema_field(CandidateOutput(many=True))
    def get_candidates(self, assignment: Assignment) -> Any:
        by_id = {completion.pk: completion for completion in assignment.candidate_set.completions.all()}
        shown = [by_id[completion_id] for completion_id in assignment.shown_order]
        return CandidateOutput(shown, many=True).data

    def get_guideline_version(self, assignment: Assignment) -> int:
        guideline = current_guideline(assignment.campaign)
        return guideline.version if guideline else 0


class RankingDraftOutput(serializers.ModelSerializer[RankingDraft]):
    content = serializers.JSONField(help_text="As the page kept it.")

    class Meta:
        model = RankingDraft
        fields = ["content", "revision", "saved_at"]


class AssignmentOutput(ShownOutput):
    """One that is held now, with what was begun of it, so that opening it asks for nothing more."""

    lease_expires_at = serializers.DateTimeField()
    draft = RankingDraftOutput(allow_null=True)

    class Meta(ShownOutput.Meta):
        fields = [*ShownOutput.Meta.fields, "lease_expires_at", "draft"]


class HoldingInput(serializers.Serializer[Any]):
    holding = serializers.ListField(
        child=serializers.UUIDField(),
        max_length=20,
        default=list,
        help_text="Assignments that the page still has besides this one.",
    )


class ClaimInput(HoldingInput):
    count = serializers.IntegerField(min_value=1, max_value=MOST_AHEAD, default=1)


class SkipInput(HoldingInput):
    reason = serializers.CharField(max_length=500)


class AssignmentsOutput(serializers.Serializer[Any]):
    assignments = AssignmentOutput(many=True)


class NextOutput(serializers.Serializer[Any]):
    next = AssignmentOutput(
        many=True, help_text="What replaces the assignment just left; empty when all is done."
    )


class LeaseOutput(serializers.ModelSerializer[Assignment]):
    lease_expires_at = serializers.DateTimeField()

    class Meta:
        model = Assignment
        fields = ["lease_expires_at"]


class ClaimAssignments(APIView):
    @extend_schema(operation_id="claimAssignments", request=ClaimInput, responses=AssignmentsOutput)
    def post(self, request: Request, campaign_id: int) -> Response:
        body = ClaimInput(data=request.data)
        body.is_valid(raise_exception=True)
        claimed = claim_assignments(
            campaign=find_campaign(request, campaign_id),
            labeler=person(request),
            now=timezone.now(),
            rng=random.SystemRandom(),
            **body.validated_data,
        )
        return Response(AssignmentsOutput({"assignments": with_drafts(claimed, person(request))}).data)


class SkipAssignment(APIView):
    @extend_schema(operation_id="skipAssignment", request=SkipInput, responses=NextOutput)
    def post(self, request: Request, key: UUID) -> Response:
        body = SkipInput(data=request.data)
        body.is_valid(raise_exception=True)
        assignment = find_assignment(key)
        skip_assignment(
            assignment=assignment,
            labeler=person(request),
            reason=body.validated_data["reason"],
            now=timezone.now(),
        )
        following = next_assignments(assignment, person(request), body.validated_data["holding"])
        return Response(NextOutput({"next": following}).data)


class ExtendAssignment(APIView):
    @extend_schema(operation_id="extendAssignment", request=None, responses=LeaseOutput)
    def post(self, request: Request, key: UUID) -> Response:
        held = find(Assignment.objects.select_related("campaign"), key=key)
        assignment = extend_assignment(assignment=held, labeler=person(request), now=timezone.now())
        return Response(LeaseOutput(assignment).data)


def find_assignment(key: UUID) -> Assignment:
    # Among all of them: whether one is still this labeler's is for the conditional UPDATE to say, and a lost
    # lease deserves better words than "not found".
    return find(Assignment.objects.in_full(), key=key)


def with_drafts(assignments: list[Assignment], labeler: Person) -> list[Assignment]:
    """The same, each with what the labeler began of it: one query for all of them."""
    begun = drafts_of(labeler, assignments)
    for assignment in assignments:
        assignment.draft = begun.get(assignment.pk)  # type: ignore[attr-defined]  # for AssignmentOutput
    return assignments


def next_assignments(left: Assignment, labeler: Person, holding: list[UUID]) -> list[Assignment]:
    """One more of the kind, so that the page always holds as many as before."""
    is_adjudication = left.purpose == Assignment.Purpose.ADJUDICATION
    try:
        claimed = claim_assignments(
            campaign=left.campaign,
            labeler=labeler,
            count=1,
            holding=holding,
            now=timezone.now(),
            rng=random.SystemRandom(),
            purpose=left.purpose if is_adjudication else Assignment.Purpose.OVERLAP,
        )
    except NotHandedOut:
        # What was just handed in is stored all the same; the page learns why when it asks for more.
        return []
    return with_drafts(claimed, labeler)
