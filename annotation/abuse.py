"""Signs that somebody's chat feedback is not meant: it is left out, and the sign is told."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Abuse(StrEnum):
    SAME_TEXT = "same_text"
    ONE_WAY = "one_way"
    BURST = "burst"


SAME_TEXTS = 10
"""So often one message under feedback, and more than half of all feedback: somebody votes on one text."""
ONE_WAY, ONE_WAY_WITHIN = 30, timedelta(hours=1)
"""So many thumbs in that time that all point one way."""
BURST, BURST_WITHIN = 20, timedelta(minutes=1)
"""So much feedback in that time: nobody has read what it is about."""


@dataclass(frozen=True)
class Act:
    """One piece of feedback, as far as it tells whether it is meant."""

    at: datetime
    text: str
    """The message of the user that was answered."""
    is_up: bool | None = None
    """None where it is no thumb."""


def abuse_in(acts: Sequence[Act]) -> Abuse | None:
    """The first sign in what one person gave, whatever the order that it comes in."""
    repeated = Counter(" ".join(act.text.split()).casefold() for act in acts)
    most = max(repeated.values(), default=0)
    if most >= SAME_TEXTS and 2 * most > len(acts):
        return Abuse.SAME_TEXT
    ups, downs = ([act.at for act in acts if act.is_up is way] for way in (True, False))
    one_way = ups if not downs else downs if not ups else []
    if _most_within(one_way, ONE_WAY_WITHIN) >= ONE_WAY:
        return Abuse.ONE_WAY
    if _most_within([act.at for act in acts], BURST_WITHIN) >= BURST:
        return Abuse.BURST
    return None


def _most_within(moments: Sequence[datetime], span: timedelta) -> int:
    """The most of them in any stretch that long."""
    ordered = sorted(moments)
    return max((bisect_left(ordered, at + span) - place for place, at in enumerate(ordered)), default=0)
