"""The people's half of the admin panel."""

from annotation.admin import (
    campaigns,
    candidates,
    cohorts,
    consents,
    demonstrations,
    erasures,
    gold,
    imports,
    invitations,
    labelers,
    pauses,
    practice,
    prompts,
    rankings,
    reviews,
    voids,
)

__all__ = [
    "campaigns",
    "candidates",
    "cohorts",
    "consents",
    "demonstrations",
    "erasures",
    "gold",
    "imports",
    "invitations",
    "labelers",
    "pauses",
    "practice",
    "prompts",
    "rankings",
    "reviews",
    "voids",
]
