from celery import shared_task
from django.utils import timezone

from annotation.actions import assignments


@shared_task(ignore_result=True)
def return_overdue_assignments() -> None:
    assignments.return_overdue_assignments(now=timezone.now())
