"""Rows that a command's arguments name."""

from django.core.management.base import CommandError

from annotation.models import Campaign


def find_campaign(name: str) -> Campaign:
    """:raises CommandError: there is none of that name."""
    try:
        return Campaign.objects.get(name=name)
    except Campaign.DoesNotExist:
        names = ", ".join(Campaign.objects.order_by("name").values_list("name", flat=True)) or "none"
        raise CommandError(f"There is no campaign named {name!r}. There are: {names}.") from None
