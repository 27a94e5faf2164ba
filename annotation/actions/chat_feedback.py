"""What users say of a model's answers."""

from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext as _

from annotation.errors import BadInput
from annotation.messages import check_text
from annotation.models import BetterAnswer, ChatMessage, SideBySide, Thumb

REASONS = ("untrue", "not_helpful", "not_followed", "unsafe", "too_long", "wrong_language", "other")
"""Why a thumb is down."""
GOOD_REASONS = ("true", "helpful", "well_put", "other")
MOST_NOTE = 2_000
MOST_BETTER = 20_000


def give_thumb(
    *, answer: ChatMessage, is_up: bool, reasons: Sequence[str], note: str, now: datetime
) -> Thumb:
    """The last word on an answer counts.

    :raises BadInput: an unknown reason, a note that cannot be stored, or no answer.
    """
    _require_answer(answer)
    unknown = set(reasons) - set(GOOD_REASONS if is_up else REASONS)
    if unknown:
        raise BadInput(_("There is no such reason: %(names)s.") % {"names": ", ".join(sorted(unknown))})
    said = {"is_up": is_up, "reasons": sorted(set(reasons)), "note": check_text(note)[:MOST_NOTE]}
    thumb, _is_new = Thumb.objects.update_or_create(message=answer, defaults={**said, "given_at": now})
    return thumb


def take_thumb_back(*, answer: ChatMessage) -> None:
    Thumb.objects.filter(message=answer).delete()


def write_better_answer(*, answer: ChatMessage, text: str, now: datetime) -> BetterAnswer | None:
    """What the user would rather have read; an empty text takes it back.

    :raises BadInput: it cannot be stored, or says what the answer says.
    """
    _require_answer(answer)
    checked = check_text(text).strip()[:MOST_BETTER]
    if not checked:
        BetterAnswer.objects.filter(message=answer).delete()
        return None
    if checked == answer.text.strip():
        raise BadInput(_("This is the answer as it was. Change what should be better."))
    better, _is_new = BetterAnswer.objects.update_or_create(
        message=answer, defaults={"text": checked, "written_at": now}
    )
    return better


def decide_between(*, pair: SideBySide, verdict: str, now: datetime) -> SideBySide:
    """Which of two answers is better; the last word counts."""
    SideBySide.objects.filter(pk=pair.pk).update(verdict=verdict, answered_at=now)
    pair.refresh_from_db()
    return pair


def _require_answer(message: ChatMessage) -> None:
    if message.role != ChatMessage.Role.ASSISTANT or message.status == ChatMessage.Status.WRITING:
        raise BadInput(_("Only an answer that is written can be judged."))
