from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.api.access import find
from annotation.permissions import IsResearcher
from trainer.models import Run

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
    finished_at = serializers.DateTimeField(allow_null=True)


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
            "finished_at": run.finished_at,
        }
        return Response(RunLiveOutput(live).data)
