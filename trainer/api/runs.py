from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.api.access import find
from annotation.models import Person
from annotation.permissions import IsResearcher
from trainer.actions.resuming import resume_run
from trainer.actions.runs import queue_run
from trainer.advice import advice_for
from trainer.models import Checkpoint, Run, Snapshot
from trainer.models.history import FAILURES

MOST_LINES = 1000


class RunLiveInput(serializers.Serializer[Any]):
    after = serializers.IntegerField(
        min_value=0, max_value=2**63 - 1, default=0, help_text="`next` of the answer before."
    )


class RunLiveOutput(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=Run.Status.choices)
    attempt = serializers.IntegerField(help_text="Counts up when a run starts over.")
    step = serializers.IntegerField()
    steps = serializers.IntegerField(help_text="0 until the run has told how many there will be.")
    metrics = serializers.ListField(
        child=serializers.DictField(child=serializers.FloatField(allow_null=True)),
        help_text="New lines of this attempt, oldest first: each has step, steps, at and named metrics.",
    )
    next = serializers.IntegerField(help_text="What to ask for `after` the next time.")
    failure = serializers.CharField(help_text="Why it failed or was cancelled, in words.")
    failure_class = serializers.ChoiceField(
        choices=FAILURES, allow_blank=True, help_text="What kind of failure it was."
    )
    advice = serializers.CharField(help_text="What to change before it is started again.")
    finished_at = serializers.DateTimeField(allow_null=True)


class RunInput(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=Run.Kind.choices)
    snapshot = serializers.PrimaryKeyRelatedField(queryset=Snapshot.objects.all())
    base = serializers.PrimaryKeyRelatedField(
        queryset=Checkpoint.objects.all(), help_text="The checkpoint to start from."
    )
    reward = serializers.PrimaryKeyRelatedField(
        queryset=Checkpoint.objects.all(), allow_null=True, default=None, help_text="A reward model."
    )
    holdout = serializers.PrimaryKeyRelatedField(
        queryset=Checkpoint.objects.all(),
        allow_null=True,
        default=None,
        help_text="A reward model that only watches; for ppo and evaluate.",
    )
    config = serializers.DictField(default=dict, help_text="What differs from the stage's defaults.")
    deliver = serializers.BooleanField(default=True, help_text="Whether samples go to the labelers.")
    nodes = serializers.IntegerField(
        default=1, min_value=1, max_value=64, help_text="So many machines share it."
    )
    devices = serializers.IntegerField(
        default=0, min_value=0, max_value=64, help_text="Of each machine; 0: all that it has."
    )
    priority = serializers.IntegerField(
        default=0, min_value=-100, max_value=100, help_text="Higher ones go first."
    )
    idempotency_key = serializers.UUIDField(
        help_text="Made by the client. The same key gives the same run, however often it is sent."
    )


class RunOutput(serializers.ModelSerializer[Run]):
    class Meta:
        model = Run
        fields = ["id", "kind", "status", "snapshot", "config", "nodes", "devices", "priority", "created_at"]


class StartRun(APIView):
    permission_classes = [IsResearcher]

    @extend_schema(operation_id="startRun", request=RunInput, responses={201: RunOutput})
    def post(self, request: Request) -> Response:
        body = RunInput(data=request.data)
        body.is_valid(raise_exception=True)
        assert isinstance(request.user, Person)  # the permission lets nobody else in
        run = queue_run(created_by=request.user, now=timezone.now(), **body.validated_data)
        return Response(RunOutput(run).data, status=201)


class ResumeRun(APIView):
    """What failed or was cancelled goes back to the queue, and on from its newest saved state."""

    permission_classes = [IsResearcher]

    @extend_schema(operation_id="resumeRun", request=None, responses=RunOutput)
    def post(self, request: Request, run_id: int) -> Response:
        run = find(Run.objects.all(), run_id)
        assert isinstance(request.user, Person)  # the permission lets nobody else in
        resume_run(run, by=request.user, now=timezone.now())
        return Response(RunOutput(run).data)


class RunLive(APIView):
    permission_classes = [IsResearcher]

    @extend_schema(operation_id="getRunLive", parameters=[RunLiveInput], responses=RunLiveOutput)
    def get(self, request: Request, run_id: int) -> Response:
        asked = RunLiveInput(data=request.query_params)
        asked.is_valid(raise_exception=True)
        run = find(Run.objects.all(), run_id)
        # Counted by row, not by line, so that the count goes on when another attempt starts over.
        fresh = run.metrics.filter(attempt=run.attempt, pk__gt=asked.validated_data["after"])
        lines = list(fresh.order_by("pk")[:MOST_LINES])
        live = {
            "status": run.status,
            "attempt": run.attempt,
            "step": run.step,
            "steps": run.steps,
            "metrics": [line.values for line in lines],
            "next": lines[-1].pk if lines else asked.validated_data["after"],
            "failure": run.failure,
            "failure_class": run.failure_class,
            "advice": str(advice_for(run.failure_class)),
            "finished_at": run.finished_at,
        }
        return Response(RunLiveOutput(live).data)
