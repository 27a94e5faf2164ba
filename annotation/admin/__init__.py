"""The people's half of the admin panel."""

from annotation.admin import campaigns, candidates, demonstrations, labelers, prompts, rankings

__all__ = ["campaigns", "candidates", "demonstrations", "labelers", "prompts", "rankings"]
