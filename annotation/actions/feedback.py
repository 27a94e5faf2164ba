"""What reviewers said of somebody's demonstrations, for who wrote them."""

from collections.abc import Collection
from datetime import datetime

from django.db.models import QuerySet

from annotation.models import Demonstration, Person, Review


def unread_feedback(labeler: Person) -> QuerySet[Review]:
    """Latest first."""
    unread = Review.objects.filter(demonstration__labeler=labeler, read_at=None)
    return unread.select_related("demonstration__prompt__campaign").order_by("-reviewed_at", "-pk")


def read_feedback(*, labeler: Person, reviews: Collection[int], now: datetime) -> int:
    """Note that the author has seen these. Returns how many they had not seen before."""
    return unread_feedback(labeler).filter(pk__in=reviews).update(read_at=now)


def read_all_of(*, demonstration: Demonstration, now: datetime) -> None:
    """Its author has it on screen, with what was said of it."""
    demonstration.reviews.filter(read_at=None).update(read_at=now)
