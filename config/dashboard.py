"""The admin's first page: what is being labelled, what is training, what needs a decision, who is there."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.db.models import Count, Max, Q, QuerySet
from django.db.models.functions import TruncDate
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from annotation.models import (
    Assignment,
    Campaign,
    Demonstration,
    ErasureRequest,
    Pause,
    Prompt,
    QualityReport,
    Ranking,
)
from config.shell import broker_state
from trainer.actions.nodes import SWEEPS, missing_sweeps, missing_workers
from trainer.admin.health import health_of
from trainer.models import Node, Run, Snapshot

DAYS = 7
KEPT_SECONDS = 120
"""Counts over whole campaigns are made so often at most."""
BROKER_SECONDS = 15
MOST_RUNS = 8
MOST_CAMPAIGNS = 20
MOST_LEFT = 10_000
MANY_NEW = 200
"""Rankings since the last snapshot after which a new one is worth a word."""
BAR = 24
"""Height of the highest bar of a week, in pixels."""


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Unfold calls this for the admin's index."""
    now = timezone.localtime()
    context.update(
        campaigns=cache.get_or_set(f"dashboard-{get_language()}", lambda: labelling(now), KEPT_SECONDS),
        runs=list(training(now)),
        decisions=list(decisions(now)),
        nodes=list(Node.objects.alive(now).exclude(name=SWEEPS).order_by("name")),
        alarms=list(alarms(now)),
    )
    return context


def alarms(now: datetime) -> Iterable[str]:
    """What stands still, loudly. The database is not among them: without it there would be no page."""
    state = cache.get_or_set("broker-state", broker_state, BROKER_SECONDS)
    if state != "ok":
        words = _("The broker is away (%(state)s): work starts at the next sweep only.")
        yield words % {"state": state}
    yield from filter(None, [missing_workers(now=now), missing_sweeps(now=now)])


@dataclass(frozen=True)
class Labelling:
    """How the rankings of one campaign come in."""

    pk: int
    name: str
    is_active: bool
    days: list[tuple[str, int, int]]
    """Day, rankings, height of its bar."""
    today: int
    last_hour: int
    left: int
    """Slots that are open; one more than MOST_LEFT where there are more."""
    ready: datetime | None
    """When nothing is left at the pace of the last week; None where nothing came."""
    agreement: str

    @property
    def has_more_left(self) -> bool:
        return self.left > MOST_LEFT

    @property
    def url(self) -> str:
        return reverse("admin:annotation_campaign_change", args=[self.pk])


def labelling(now: datetime) -> list[Labelling]:
    """Three queries, and one for each campaign; of what is left no more is counted than is shown."""
    first = (now - timedelta(days=DAYS - 1)).replace(hour=0, minute=0, second=0, microsecond=0)
    counted = (
        Ranking.objects.of_people()
        .filter(submitted_at__gte=first)
        .values("assignment__campaign", day=TruncDate("submitted_at"))
        .annotate(count=Count("pk"))
        .order_by()
    )
    by_day = {(row["assignment__campaign"], row["day"]): row["count"] for row in counted}
    within_an_hour = Ranking.objects.of_people().filter(submitted_at__gte=now - timedelta(hours=1))
    hour = within_an_hour.values("assignment__campaign")
    lately = dict(hour.annotate(count=Count("pk")).order_by().values_list("assignment__campaign", "count"))
    latest = QualityReport.objects.values("campaign").annotate(latest=Max("pk")).values("latest")
    reports = {report.campaign_id: report for report in QualityReport.objects.filter(pk__in=latest)}
    return [
        _labelling(campaign, now, by_day, lately.get(campaign.pk, 0), _left(campaign), reports)
        for campaign in Campaign.objects.order_by("status", "name")[:MOST_CAMPAIGNS]
    ]


def _labelling(
    campaign: Campaign,
    now: datetime,
    by_day: dict[tuple[int, Any], int],
    last_hour: int,
    left: int,
    reports: dict[int, QualityReport],
) -> Labelling:
    dates = [(now - timedelta(days=back)).date() for back in reversed(range(DAYS))]
    counts = [by_day.get((campaign.pk, date), 0) for date in dates]
    highest = max(counts) or 1
    pace = sum(counts) / DAYS
    return Labelling(
        pk=campaign.pk,
        name=campaign.name,
        is_active=campaign.status == Campaign.Status.ACTIVE,
        days=[
            (date_format(date, "D"), count, max(2, round(BAR * count / highest)))
            for date, count in zip(dates, counts, strict=True)
        ],
        today=counts[-1],
        last_hour=last_hour,
        left=left,
        ready=now + timedelta(days=left / pace) if pace and 0 < left <= MOST_LEFT else None,
        agreement=_agreement(reports.get(campaign.pk)),
    )


def _left(campaign: Campaign) -> int:
    slots = Assignment.objects.open().filter(campaign=campaign, purpose=Assignment.Purpose.OVERLAP)
    return slots[: MOST_LEFT + 1].count()


def _agreement(report: QualityReport | None) -> str:
    figure = report.figures.get("campaign", {}).get("agreement") if report else None
    if not isinstance(figure, dict) or figure.get("value") is None:
        return "–"
    value, low, high = (figure.get(name) for name in ("value", "low", "high"))
    interval = f" ({low:.0%}–{high:.0%})" if low is not None and high is not None else ""
    return f"{value:.0%}{interval}"


@dataclass(frozen=True)
class Training:
    """A run that waits or goes on."""

    run: Run
    ready: datetime | None
    """When it ends if it goes on like this."""
    health: dict[str, Any] | None
    """The verdict on it, once there is enough to judge by."""

    @property
    def url(self) -> str:
        return reverse("admin:trainer_run_change", args=[self.run.pk])

    @property
    def percent(self) -> int:
        return round(100 * self.run.step / self.run.steps) if self.run.steps else 0


def training(now: datetime) -> Iterable[Training]:
    """Running ones first, then the queue in its order."""
    unfinished = Run.objects.unfinished().select_related("campaign")
    for run in unfinished.order_by("-status", "-priority", "pk")[:MOST_RUNS]:
        ready = None
        if run.started_at and run.step and run.steps > run.step:
            ready = now + (now - run.started_at) * (run.steps - run.step) / run.step
        health = health_of(run) if run.status == Run.Status.RUNNING else None
        yield Training(run, ready, health)


@dataclass(frozen=True)
class Decision:
    """Something that waits for somebody."""

    words: str
    url: str


def decisions(now: datetime) -> Iterable[Decision]:
    """What only a person can decide, with the way to where it is decided."""
    day = now - timedelta(days=1)
    counted: list[tuple[QuerySet[Any], Callable[[int], str], str, str]] = [
        (
            Prompt.objects.filter(status=Prompt.Status.HELD, is_synthetic=False),
            lambda n: ngettext(
                "%(n)d prompt may hold personal data", "%(n)d prompts may hold personal data", n
            ),
            "annotation_prompt_changelist",
            "status__exact=HELD&is_synthetic__exact=0",
        ),
        (
            Prompt.objects.filter(status=Prompt.Status.HELD, is_synthetic=True),
            lambda n: ngettext(
                "%(n)d prompt by a model waits for release", "%(n)d prompts by models wait for release", n
            ),
            "annotation_prompt_changelist",
            "status__exact=HELD&is_synthetic__exact=1",
        ),
        (
            Demonstration.objects.submitted().filter(void=None),
            lambda n: ngettext("%(n)d demonstration awaits review", "%(n)d demonstrations await review", n),
            "annotation_demonstration_changelist",
            "status__exact=SUBMITTED",
        ),
        (
            ErasureRequest.objects.waiting(),
            lambda n: ngettext("%(n)d person asks to be forgotten", "%(n)d people ask to be forgotten", n),
            "annotation_erasurerequest_changelist",
            "",
        ),
        (
            Pause.objects.filter(lifted_at=None),
            lambda n: ngettext("%(n)d labeler is paused", "%(n)d labelers are paused", n),
            "annotation_pause_changelist",
            "",
        ),
        (
            Run.objects.filter(status=Run.Status.FAILED, finished_at__gte=day),
            lambda n: ngettext("%(n)d run failed since yesterday", "%(n)d runs failed since yesterday", n),
            "trainer_run_changelist",
            "status__exact=FAILED",
        ),
        (
            Campaign.objects.active().filter(guidelines=None),
            lambda n: ngettext("%(n)d campaign has no guideline", "%(n)d campaigns have no guideline", n),
            "annotation_campaign_changelist",
            "",
        ),
    ]
    for rows, words, page, query in counted:
        if count := rows.count():
            address = reverse(f"admin:{page}")
            yield Decision(words(count) % {"n": count}, f"{address}?{query}" if query else address)
    yield from _worth_freezing()


def _worth_freezing() -> Iterable[Decision]:
    latest = Snapshot.objects.filter(kind=Snapshot.Kind.RANKINGS).values("campaign")
    frozen = dict(latest.annotate(at=Max("created_at")).values_list("campaign", "at"))
    for campaign in Campaign.objects.active().filter(pk__in=frozen):
        new = Q(assignment__campaign=campaign, submitted_at__gt=frozen[campaign.pk])
        count = len(Ranking.objects.of_people().filter(new).values("pk")[: MANY_NEW + 1])
        if count > MANY_NEW:
            words = _("%(campaign)s has more than %(n)d rankings that no snapshot holds yet")
            yield Decision(
                words % {"campaign": campaign, "n": MANY_NEW}, reverse("admin:trainer_snapshot_changelist")
            )
