"""Whose midnight begins a day."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

TIME_ZONE = OpenApiParameter(
    "time_zone",
    str,
    description="The reader's, such as Asia/Shanghai: their midnight begins today. Else it is the server's.",
)


def local_now(request: Request) -> datetime:
    """Now, on the clock of whoever asks."""
    name = request.query_params.get("time_zone", "")
    try:
        return timezone.localtime(timezone=ZoneInfo(name) if name else None)
    except (KeyError, ValueError, OSError):
        # No such zone, no name of one, or a folder of them.
        return timezone.localtime()
