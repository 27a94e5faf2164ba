import random
from collections.abc import Iterable, Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from annotation.errors import EmptyTurn, TooFewCandidates
from annotation.messages import check_text, digest_of
from annotation.models import Assignment, CandidateSet, Completion, Prompt

MIN_CANDIDATES, MAX_CANDIDATES = 2, 9


@transaction.atomic
def add_candidate_set(*, prompt: Prompt, texts: Sequence[str], priority: int = 0) -> CandidateSet:
    """Completions with these texts, in that order by id, with an open assignment per slot.

    A prompt that labelers may not see gets its slots when it is released.

    :raises BadInput: there are fewer than 2 or more than 9 texts, or one cannot be stored.
    """
    check_candidates(texts)
    candidate_set = CandidateSet.objects.create(prompt=prompt, digest=candidates_digest(prompt.digest, texts))
    candidate_set.completions.set([Completion.objects.create(prompt=prompt, text=text) for text in texts])
    if prompt.author_id:
        candidate_set.authors.add(prompt.author_id)
    if prompt.status == Prompt.Status.READY:
        open_slots(candidate_set, range(1, prompt.campaign.overlap + 1), priority=priority)
    return candidate_set


@transaction.atomic
def pair_up(one: Completion, other: Completion) -> CandidateSet:
    """Two completions that are there already, to be compared; nobody is asked yet."""
    prompt = one.prompt
    digest = candidates_digest(prompt.digest, [one.text, other.text])
    candidate_set = CandidateSet.objects.create(prompt=prompt, digest=digest)
    candidate_set.completions.set([one, other])
    if prompt.author_id:
        candidate_set.authors.add(prompt.author_id)
    return candidate_set


def ask_for_votes(candidate_set: CandidateSet, count: int, *, priority: int) -> list[Assignment]:
    """Ask so many labelers which is better, to measure who wrote it: nothing is learned from it, and it does
    not count toward the overlap."""
    turns = new_slots(candidate_set, [None] * count, priority=priority)
    for turn in turns:
        turn.purpose = Assignment.Purpose.ARENA
    return Assignment.objects.bulk_create(turns)


def check_candidates(texts: Sequence[str]) -> None:
    """:raises BadInput: there are fewer than 2 or more than 9 texts, or one cannot be stored."""
    if not MIN_CANDIDATES <= len(texts) <= MAX_CANDIDATES:
        raise TooFewCandidates(
            _("A candidate set has 2 to 9 answers; this one has %(count)d.") % {"count": len(texts)}
        )
    if not all(check_text(text).strip() for text in texts):
        raise EmptyTurn(_("An answer is empty."))


def open_slots(candidate_set: CandidateSet, slots: Iterable[int], *, priority: int = 0) -> list[Assignment]:
    """Ask for that many more judgements of the candidates."""
    return Assignment.objects.bulk_create(new_slots(candidate_set, slots, priority=priority))


def new_slots(
    candidate_set: CandidateSet, slots: Iterable[int | None], *, priority: int = 0
) -> list[Assignment]:
    """Open assignments of the candidates, not stored yet."""
    prompt = candidate_set.prompt
    return [
        Assignment(
            candidate_set=candidate_set,
            campaign_id=prompt.campaign_id,
            language=prompt.language,
            skill=prompt.skill,
            slot=slot,
            priority=priority,
        )
        for slot in slots
    ]


def shuffled(candidate_set: CandidateSet, rng: random.Random) -> list[int]:
    """The candidates' ids in an order of this labeler's own, so that no place favors one of them."""
    ids = sorted(completion.pk for completion in candidate_set.completions.all())
    rng.shuffle(ids)
    return ids


def candidates_digest(prompt_digest: str, texts: Sequence[str]) -> str:
    """Equal for equal texts to the same prompt, in any order."""
    return digest_of([prompt_digest, sorted(texts)])
