"""Refusals: an action's no, in words for the person who asked. The API answers them with their code."""

from django.utils.translation import gettext as _


class Refusal(Exception):
    """The rows say no. Becomes a 409 with ``code``."""

    code = "refused"
    status = 409

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class BadInput(Refusal):
    """What was sent cannot be stored. Becomes a 400."""

    code = "bad_input"
    status = 400


class Suspended(Refusal):
    code = "suspended"
    status = 403

    def __init__(self) -> None:
        super().__init__(
            _(
                "Your account is suspended. Ask a researcher of your project why, and whether you may go on. "
                "What you have not sent is kept on this device."
            )
        )


class RequestTooLarge(BadInput):
    code = "too_large"
    status = 413


class UnusableText(BadInput):
    """A NUL byte or a lone surrogate: no database and no tokenizer can hold it."""

    code = "unusable_text"


class TextTooLong(BadInput):
    code = "text_too_long"


class UnknownRole(BadInput):
    code = "unknown_role"


class UnknownPreference(BadInput):
    code = "unknown_preference"


class BadUsername(BadInput):
    code = "bad_username"


class WeakPassword(BadInput):
    code = "weak_password"


class EmptyTurn(BadInput):
    code = "empty_turn"


class TurnsMustAlternate(BadInput):
    code = "turns_must_alternate"


class LastTurnNotAssistant(BadInput):
    code = "last_turn_not_assistant"


class LastTurnNotUser(BadInput):
    code = "last_turn_not_user"


class MalformedRow(BadInput):
    code = "malformed_row"


class IncompleteRanking(BadInput):
    code = "incomplete_ranking"


class DuplicateCompletion(BadInput):
    code = "duplicate_completion"


class UnknownCompletion(BadInput):
    code = "unknown_completion"


class BadStrength(BadInput):
    code = "bad_strength"


class BadRating(BadInput):
    code = "bad_rating"


class UnknownFlag(BadInput):
    code = "unknown_flag"


class BadPassage(BadInput):
    code = "bad_passage"


class BadEdit(BadInput):
    code = "bad_edit"


class BadDraft(BadInput):
    code = "bad_draft"


class RationaleMissing(BadInput):
    code = "rationale_missing"


class TooFewCandidates(BadInput):
    code = "too_few_candidates"


class LeaseLost(Refusal):
    code = "lease_lost"


class AlreadySubmitted(Refusal):
    code = "already_submitted"


class CampaignPaused(Refusal):
    code = "campaign_paused"


class CorrectionWindowClosed(Refusal):
    code = "correction_window_closed"


class OtherPerson(Refusal):
    """The page belongs to somebody else than who is signed in by now."""

    code = "other_person"
    status = 403


class IdempotencyConflict(Refusal):
    """The same key came before with other contents."""

    code = "idempotency_conflict"


class StaleRevision(Refusal):
    code = "stale_revision"


class NotHandedOut(Refusal):
    """Work waits, but not for this person as things stand; ``code`` tells the page what to show instead."""


class ConsentNeeded(NotHandedOut):
    code = "consent_needed"


class ConsentOutdated(Refusal):
    code = "consent_outdated"


class GuidelineOutdated(Refusal):
    code = "guideline_outdated"


class ErasureRefused(Refusal):
    code = "erasure_refused"


class NobodyToMeasure(Refusal):
    code = "nobody_to_measure"


class Paused(NotHandedOut):
    """No work here for this labeler until somebody has looked."""

    code = "paused"


class PracticeNeeded(NotHandedOut):
    """Rankings are handed out to those who passed the campaign's practice items."""

    code = "practice_needed"


class CandidatesInUse(Refusal):
    """A candidate set that is ranked, gold or practice cannot become another of these."""

    code = "candidates_in_use"


class NoComparison(BadInput):
    """A known answer that orders nothing measures nobody."""

    code = "no_comparison"


class NoSuggestion(Refusal):
    """Nothing can be suggested to this author; the words say why."""

    code = "no_suggestion"


class ReasonMissing(BadInput):
    code = "reason_missing"


class ScannerMissing(Refusal):
    """The campaign scans for personal data, and the library that does is not installed."""

    code = "scanner_missing"


class FileTooLarge(BadInput):
    code = "too_large"
    status = 413


class ImportAlreadyFinished(Refusal):
    code = "import_already_finished"


class PromptNotHeld(Refusal):
    code = "prompt_not_held"


class NameTaken(Refusal):
    code = "name_taken"


class ModelAway(Refusal):
    """Nobody answers in this campaign's chat now."""

    code = "model_away"
    status = 503


class ModelBusy(Refusal):
    code = "model_busy"
    status = 503


class ChatTooLong(BadInput):
    code = "chat_too_long"


class ChatLimit(Refusal):
    """So many messages in so little time."""

    code = "chat_limit"
    status = 429


class NoChat(Refusal):
    """The campaign offers none, or none to whoever asks."""

    code = "no_chat"
    status = 403


class AnswerTaken(Refusal):
    """It is being written for another window already, or it is over."""

    code = "answer_taken"


class NotAMember(NotHandedOut):
    """The campaign is for cohorts that they are in none of: as if it did not exist."""

    code = "not_a_member"
    status = 404


class NotAllowed(Refusal):
    """Their role does not do this."""

    code = "not_allowed"
    status = 403


class InvitationClosed(Refusal):
    """The link leads to no account, or no longer; the words say why."""

    code = "invitation_closed"


class NothingToVoid(Refusal):
    code = "nothing_to_void"
