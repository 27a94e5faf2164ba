"""People's rows: prompts in, judgements out."""

from annotation.models.assignments import Assignment, Bookmark, LapsedLease, Skip
from annotation.models.campaigns import Acknowledgement, Campaign, Guideline
from annotation.models.candidates import CandidateSet, Completion
from annotation.models.chats import BetterAnswer, Chat, ChatConsent, ChatMessage, SideBySide, Thumb
from annotation.models.consents import Consent, ConsentText, ErasureRequest, Tombstone
from annotation.models.demonstrations import Demonstration
from annotation.models.feedback_uses import FeedbackUse
from annotation.models.gold import Gold, Pause
from annotation.models.imports import Import
from annotation.models.labelers import Person
from annotation.models.people import Cohort, Invitation
from annotation.models.practice import PracticeAttempt, PracticeItem
from annotation.models.prompts import Prompt
from annotation.models.quality import Consensus, QualityReport
from annotation.models.rankings import Ranking, RankingDraft
from annotation.models.reviews import Review
from annotation.models.voids import Void, VoidedTurn

__all__ = [
    "Acknowledgement",
    "Assignment",
    "BetterAnswer",
    "Bookmark",
    "Campaign",
    "CandidateSet",
    "Chat",
    "ChatConsent",
    "ChatMessage",
    "Cohort",
    "Completion",
    "Consensus",
    "Consent",
    "ConsentText",
    "Demonstration",
    "ErasureRequest",
    "FeedbackUse",
    "Gold",
    "Guideline",
    "Import",
    "Invitation",
    "LapsedLease",
    "Pause",
    "Person",
    "PracticeAttempt",
    "PracticeItem",
    "Prompt",
    "QualityReport",
    "Ranking",
    "RankingDraft",
    "Review",
    "SideBySide",
    "Skip",
    "Thumb",
    "Tombstone",
    "Void",
    "VoidedTurn",
]
