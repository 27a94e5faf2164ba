"""The people's half of the admin panel."""

from annotation.admin import (
    campaigns,
    candidates,
    consents,
    demonstrations,
    erasures,
    gold,
    imports,
    labelers,
    pauses,
    practice,
    prompts,
    rankings,
    reviews,
)

__all__ = [
    "campaigns",
    "candidates",
    "consents",
    "demonstrations",
    "erasures",
    "gold",
    "imports",
    "labelers",
    "pauses",
    "practice",
    "prompts",
    "rankings",
    "reviews",
]
