"""From chat feedback to data, in one go: what may be used is there afterwards, and nothing else is."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cache
from typing import Any

from celery import current_app
from django.utils.translation import gettext as _

from annotation.actions.feedback_found import found_feedback, given_without_consent
from annotation.actions.feedback_made import make, show_to_labelers
from annotation.actions.feedback_taken_back import take_back, take_back_withdrawn
from annotation.doorbell import AT_ONCE
from annotation.errors import NobodyToMeasure
from annotation.feedback_choice import Choice, Feedback, choose, worth_ranking
from annotation.models import Campaign, FeedbackUse
from annotation.personal_data import can_scan, scanner

AT_A_TIME = 500
MANY = 1_000
"""So much to make is left to a worker: no page waits for it."""
EQUAL = 1e-9


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What a researcher decides about the use of feedback."""

    percent: int = 10
    """At most so much of what is taken from each source is of one person."""
    choice_weight: float = 0.5
    """What a choice between two answers counts in training, where a labeler's ranking counts 1."""
    weak: bool = False
    """Answers that were made again, or to messages sent again in other words, count as slightly bad."""
    weak_weight: float = 0.1

    def weight_of(self, feedback: Feedback) -> float:
        if feedback.is_weak:
            return self.weak_weight
        return self.choice_weight if feedback.source == FeedbackUse.Source.SIDE_BY_SIDE else 1.0


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What would be there afterwards, and how far that is from what is there."""

    choice: Choice
    worth_ranking: int
    """Prompts."""
    to_make: Sequence[Feedback]
    to_take_back: Sequence[int]
    """Uses of feedback that is gone, changed, or not taken any more."""
    without_consent: tuple[int, int]
    """Pieces of feedback, and people."""
    scanned: bool


@dataclass(frozen=True, kw_only=True)
class Done:
    made: Mapping[str, int]
    taken_back: int
    prompts: int
    """That labelers see from now on."""


def plan_feedback_data(*, campaign: Campaign, terms: Terms, now: datetime, scans: bool = True) -> Plan:
    """Look at all feedback, and change nothing. ``scans`` is False where there is so much that only a worker
    has the time to look for personal data.

    :raises ScannerMissing: the campaign scans for personal data, and nothing that can is installed.
    """
    scans = scans and (campaign.scans_for_personal_data or can_scan())
    found = found_feedback(campaign, weak=terms.weak, now=now)
    choice = choose(found, percent=terms.percent, finds=_finder() if scans else lambda messages: False)
    wanted = {one.key: one for one in choice.taken}
    standing, stale = set(), []
    for use in campaign.feedback_uses.order_by("pk").select_related("ranking", "demonstration").iterator():
        key = use.message_id, use.source
        if key in wanted and _says_the_same(use, wanted[key], terms):
            standing.add(key)
        else:
            stale.append(use.pk)
    return Plan(
        choice=choice,
        worth_ranking=len(worth_ranking(choice.taken)),
        to_make=[one for key, one in wanted.items() if key not in standing],
        to_take_back=stale,
        without_consent=given_without_consent(campaign),
        scanned=scans,
    )


def make_feedback_data(*, campaign: Campaign, terms: Terms, now: datetime) -> Done:
    """Make what the plan says. Doing it twice adds nothing; stopped in between, it goes on the next time.

    :raises ScannerMissing: the campaign scans for personal data, and nothing that can is installed.
    """
    taken_back = take_back_withdrawn(campaign, now=now)
    plan = plan_feedback_data(campaign=campaign, terms=terms, now=now)
    for start in range(0, len(plan.to_take_back), AT_A_TIME):
        some = plan.to_take_back[start : start + AT_A_TIME]
        taken_back += take_back(FeedbackUse.objects.filter(pk__in=some), now=now)
    made: Counter[str] = Counter()
    for one in plan.to_make:
        if make(one, campaign=campaign, weight=terms.weight_of(one), now=now):
            made[one.source] += 1
    prompts = show_to_labelers(campaign, worth_ranking(plan.choice.taken))
    # Consent may have been withdrawn meanwhile.
    taken_back += take_back_withdrawn(campaign, now=now)
    return Done(made=made, taken_back=taken_back, prompts=prompts)


def ask_for_feedback_data(*, campaign: Campaign, terms: Terms) -> None:
    """Have a worker do it.

    :raises NobodyToMeasure: the broker is away.
    """
    try:
        with current_app.connection_for_write(transport_options=AT_ONCE) as connection:
            current_app.send_task(
                "annotation.tasks.make_feedback_data",
                kwargs={"campaign_id": campaign.pk, "terms": asdict(terms)},
                connection=connection,
                retry=False,
            )
    except Exception as error:  # whatever the transport raises
        raise NobodyToMeasure(_("No worker can be reached now. Try again later.")) from error


def _says_the_same(use: FeedbackUse, feedback: Feedback, terms: Terms) -> bool:
    """Whether the row is what the feedback would be made into now."""
    if abs(use.weight - terms.weight_of(feedback)) > EQUAL or use.given_at != feedback.given_at:
        return False
    if use.demonstration:
        return True
    return use.ranking is not None or (use.answer, use.is_good) == (feedback.texts[0], feedback.says == "up")


def _finder() -> Any:
    scan = scanner()

    @cache
    def finds(said: tuple[tuple[str, str], ...]) -> bool:
        return bool(scan([{"role": role, "content": text} for role, text in said]))

    # Message by message: a conversation's messages come again with every further answer in it.
    return lambda messages: any(finds(((one["role"], one["content"]),)) for one in messages)
