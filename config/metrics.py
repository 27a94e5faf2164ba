"""``/metrics`` for Prometheus: what the web answered, and how much work waits."""

import os
import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from annotation.models import Assignment, Demonstration, Import, Ranking
from trainer.models import Export, Run


@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """For whoever has the token; without one, for programs on this machine only. Nobody else learns that it
    exists."""
    if not _may_read(request):
        raise Http404
    body = generate_latest(_of_the_web()) + generate_latest(_of_the_work())
    return HttpResponse(body, content_type=CONTENT_TYPE_LATEST)


def _may_read(request: HttpRequest) -> bool:
    if settings.METRICS_TOKEN:
        given = request.headers.get("Authorization", "").encode()
        return secrets.compare_digest(given, f"Bearer {settings.METRICS_TOKEN}".encode())
    # Behind a proxy everybody has the proxy's address: with HTTPS there is one, so there a token is needed.
    return not settings.HTTPS and request.META.get("REMOTE_ADDR") in {"127.0.0.1", "::1"}


def _of_the_web() -> CollectorRegistry:
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    # One process of several was asked: the answer is about all of them.
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry


def _of_the_work() -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(Work())
    return registry


class Work(Collector):
    """Counts that an index answers, whatever the size of the tables."""

    def collect(self) -> Iterator[Metric]:
        now = timezone.now()
        hour = now - timedelta(hours=1)
        unfinished = Run.objects.unfinished().values_list("kind", "status").annotate(Count("pk")).order_by()
        runs = GaugeMetricFamily("rankwright_runs", "Runs that are not finished.", labels=["kind", "status"])
        for kind, status, count in unfinished:
            runs.add_metric([kind, status], count)
        yield runs
        yield _gauge("oldest_queued_run_seconds", "Since when the oldest run waits.", _waiting_since(now))
        yield _gauge("assignments_claimed", "Turns that labelers hold.", Assignment.objects.claimed().count())
        submitted = Ranking.objects.of_people().filter(submitted_at__gte=hour)
        yield _gauge("rankings_last_hour", "Rankings handed in within an hour.", submitted.count())
        written = Demonstration.objects.filter(submitted_at__gte=hour, is_synthetic=False)
        yield _gauge("demonstrations_last_hour", "Demonstrations handed in within an hour.", written.count())
        for name, model in (("imports", Import), ("exports", Export)):
            count = model._default_manager.filter(status__in=["QUEUED", "RUNNING"]).count()
            yield _gauge(f"{name}_unfinished", f"{name.capitalize()} under way or waiting.", count)


def _waiting_since(now: datetime) -> float:
    oldest = Run.objects.queued().order_by("pk").values_list("created_at", flat=True).first()
    return (now - oldest).total_seconds() if oldest else 0.0


def _gauge(name: str, words: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"rankwright_{name}", words, value=value)
