from celery import shared_task
from django.utils import timezone

from annotation.actions import assignments, erasure, retention


@shared_task(ignore_result=True)
def return_overdue_assignments() -> None:
    assignments.return_overdue_assignments(now=timezone.now())


@shared_task(ignore_result=True)
def carry_out_erasures() -> None:
    erasure.carry_out_erasures(now=timezone.now())


@shared_task(ignore_result=True)
def end_retention() -> None:
    retention.end_retention(now=timezone.now())
