"""People's rows: prompts in, judgements out."""

from annotation.models.assignments import Assignment, Skip
from annotation.models.campaigns import Campaign, Guideline
from annotation.models.candidates import CandidateSet, Completion
from annotation.models.demonstrations import Demonstration
from annotation.models.labelers import Person
from annotation.models.prompts import Prompt
from annotation.models.rankings import Ranking

__all__ = [
    "Assignment",
    "Campaign",
    "CandidateSet",
    "Completion",
    "Demonstration",
    "Guideline",
    "Person",
    "Prompt",
    "Ranking",
    "Skip",
]
