"""Which chat feedback becomes data: a function of all feedback at once, whatever the order that it comes in.

What is chosen depends on nothing that was chosen before, so doing it again changes nothing.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from annotation.abuse import Abuse, Act, abuse_in
from annotation.fair_shares import fair_limit
from annotation.messages import Message, digest_of


class Says(StrEnum):
    UP = "up"
    DOWN = "down"
    FIRST = "first"
    SECOND = "second"
    TIE = "tie"
    BOTH_BAD = "both_bad"
    INSTEAD = "instead"
    """Of a text that the person would rather have read."""


class LeftOut(StrEnum):
    SAME_TEXT = Abuse.SAME_TEXT
    ONE_WAY = Abuse.ONE_WAY
    BURST = Abuse.BURST
    UNUSABLE = "unusable"
    """The answer is cut off or empty, or the conversation is not one that a model could be asked with."""
    DUPLICATE = "duplicate"
    PERSONAL_DATA = "personal_data"
    SHARE = "share"
    """Beyond what is taken of one person."""


@dataclass(frozen=True, kw_only=True)
class Feedback:
    source: str
    message_id: int
    """The answer that it is about; the left one of two."""
    person_id: int
    given_at: datetime
    conversation: tuple[tuple[str, str], ...]
    """(role, text) up to the message that was answered."""
    texts: tuple[str, ...]
    """The answer, the two answers, or the better one."""
    says: Says
    is_weak: bool = False
    is_usable: bool = True
    seconds: float = 0.0
    """How long the person looked."""

    @property
    def key(self) -> tuple[int, str]:
        return self.message_id, self.source

    @property
    def messages(self) -> list[Message]:
        return [{"role": role, "content": text} for role, text in self.conversation]

    @property
    def prompt_digest(self) -> str:
        return digest_of(self.messages)


@dataclass(frozen=True)
class Choice:
    taken: list[Feedback]
    left_out: dict[LeftOut, list[Feedback]] = field(default_factory=dict)


FindsPersonalData = Callable[[Sequence[Message]], bool]


def choose(feedback: Iterable[Feedback], *, percent: int, finds: FindsPersonalData) -> Choice:
    """What is taken, oldest first, and what is left out for which reason; of each person at most so many
    percent of what is taken from each source."""
    taken: list[Feedback] = []
    left_out: dict[LeftOut, list[Feedback]] = defaultdict(list)
    ordered = sorted(feedback, key=lambda one: (one.is_weak, one.given_at, one.key))
    abuse, seen = _abuse_by_person(ordered), set()
    for one in ordered:
        if reason := _reason(one, abuse.get(one.person_id), _sameness(one) in seen, finds):
            left_out[reason].append(one)
        else:
            seen.add(_sameness(one))
            taken.append(one)
    return _in_fair_shares(taken, percent, left_out)


def worth_ranking(taken: Iterable[Feedback]) -> set[str]:
    """Digests of the prompts that were answered badly, or that people disagree about."""
    badly, winners = set(), defaultdict(set)
    for one in taken:
        if not one.is_weak and one.says in (Says.DOWN, Says.BOTH_BAD):
            badly.add(one.prompt_digest)
        if one.says in (Says.FIRST, Says.SECOND):
            pair = one.prompt_digest, frozenset(one.texts)
            winners[pair].add(one.texts[one.says == Says.SECOND])
    return badly | {digest for (digest, _texts), won in winners.items() if len(won) > 1}


def _reason(one: Feedback, abuse: Abuse | None, is_known: bool, finds: FindsPersonalData) -> LeftOut | None:
    if abuse:
        return LeftOut(abuse)
    if not one.is_usable:
        return LeftOut.UNUSABLE
    if is_known:
        return LeftOut.DUPLICATE
    written: list[Message] = [{"role": "assistant", "content": text} for text in one.texts]
    return LeftOut.PERSONAL_DATA if finds([*one.messages, *written]) else None


def _abuse_by_person(feedback: Iterable[Feedback]) -> dict[int, Abuse | None]:
    acts: dict[int, list[Act]] = defaultdict(list)
    for one in feedback:
        if not one.is_weak:
            is_up = {Says.UP: True, Says.DOWN: False}.get(one.says)
            acts[one.person_id].append(Act(one.given_at, one.conversation[-1][1], is_up))
    return {person: abuse_in(some) for person, some in acts.items()}


def _sameness(one: Feedback) -> Hashable:
    """Two of these from one person are one opinion said twice."""
    if one.says == Says.INSTEAD:
        # One person answers a prompt once.
        return one.person_id, one.prompt_digest
    return one.person_id, one.prompt_digest, frozenset(one.texts)


def _in_fair_shares(
    usable: Sequence[Feedback], percent: int, left_out: dict[LeftOut, list[Feedback]]
) -> Choice:
    had = Counter((one.source, one.person_id) for one in usable)
    limits = {
        source: fair_limit([count for (of, _person), count in had.items() if of == source], percent)
        for source in {one.source for one in usable}
    }
    return Choice(list(_within(usable, limits, left_out[LeftOut.SHARE])), dict(left_out))


def _within(usable: Iterable[Feedback], limits: dict[str, int], beyond: list[Feedback]) -> Iterator[Feedback]:
    taken: Counter[tuple[str, int]] = Counter()
    for one in usable:
        whose = one.source, one.person_id
        taken[whose] += 1
        if taken[whose] <= limits[one.source]:
            yield one
        else:
            beyond.append(one)
