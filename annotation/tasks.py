from typing import Any

from celery import shared_task
from django.utils import timezone

from annotation.actions import (
    assignments,
    chats,
    erasure,
    feedback_data,
    import_queue,
    quality,
    quality_reports,
    retention,
    voids,
)
from annotation.models import Campaign


@shared_task(ignore_result=True)
def return_overdue_assignments() -> None:
    assignments.return_overdue_assignments(now=timezone.now())


@shared_task(ignore_result=True)
def end_abandoned_answers() -> None:
    chats.end_abandoned_answers(now=timezone.now())


@shared_task(ignore_result=True)
def carry_out_erasures() -> None:
    erasure.carry_out_erasures(now=timezone.now())


@shared_task(ignore_result=True)
def settle_voids() -> None:
    voids.settle_voids(now=timezone.now())


@shared_task(ignore_result=True)
def end_retention() -> None:
    retention.end_retention(now=timezone.now())


@shared_task(ignore_result=True)
def prioritize_disagreements() -> None:
    for campaign in Campaign.objects.active().filter(selection=Campaign.Selection.DISAGREEMENT):
        quality.prioritize_disagreements(campaign=campaign)


@shared_task(ignore_result=True)
def make_quality_report(*, campaign_id: int) -> None:
    quality_reports.make_report(campaign=Campaign.objects.get(pk=campaign_id), now=timezone.now())


@shared_task(ignore_result=True)
def run_next_import() -> None:
    """Do nothing if no import waits: the doorbell may ring twice."""
    import_queue.reclaim_overdue_imports(now=timezone.now())
    import_queue.run_next_import(clock=timezone.now)


@shared_task(ignore_result=True)
def make_feedback_data(*, campaign_id: int, terms: dict[str, Any]) -> None:
    feedback_data.make_feedback_data(
        campaign=Campaign.objects.get(pk=campaign_id), terms=feedback_data.Terms(**terms), now=timezone.now()
    )
