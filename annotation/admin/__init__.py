"""The people's half of the admin panel."""

from annotation.admin import (
    campaigns,
    candidates,
    consents,
    demonstrations,
    erasures,
    labelers,
    prompts,
    rankings,
)

__all__ = [
    "campaigns",
    "candidates",
    "consents",
    "demonstrations",
    "erasures",
    "labelers",
    "prompts",
    "rankings",
]
