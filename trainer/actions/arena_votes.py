"""What people said in an arena, and what follows from it so far."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from annotation.models import Assignment, Ranking
from trainer.models import Arena, ArenaPair
from trainer.sequential import Verdict, look
from trainer.tournament import Vote


@dataclass(frozen=True)
class CastVote:
    """What somebody said of one pair."""

    pair: ArenaPair
    outcome: int
    """1: the left answer is better; −1: the right one is; 0: a tie, or both are bad."""
    both_bad: bool
    left_shown_first: bool


def votes_of(arena: Arena) -> list[CastVote]:
    """In the order they were cast; a judgement that could not be made is no vote."""
    pairs = {
        pair.candidate_set_id: pair
        for pair in arena.pairs.select_related("left__completion", "right__completion")
    }
    rankings = Ranking.objects.current().filter(
        assignment__purpose=Assignment.Purpose.ARENA,
        assignment__candidate_set__in=pairs,
        cannot_judge="",
    )
    rows = rankings.order_by("submitted_at", "pk").values_list(
        "assignment__candidate_set", "tiers", "unacceptable", "shown_order"
    )
    return [_vote(pairs[row[0]], *row[1:]) for row in rows]


def _vote(
    pair: ArenaPair, tiers: Sequence[Sequence[int]], unacceptable: Sequence[int], shown: Sequence[int]
) -> CastVote:
    place = {pk: number for number, tier in enumerate(tiers) for pk in tier}
    place |= dict.fromkeys(unacceptable, len(tiers))
    left, right = pair.left.completion_id, pair.right.completion_id
    return CastVote(
        pair=pair,
        outcome=(place[left] < place[right]) - (place[left] > place[right]),
        both_bad=not tiers,
        left_shown_first=shown[:1] == [left],
    )


def verdicts_of(arena: Arena, cast: Sequence[CastVote]) -> dict[tuple[int, int], Verdict]:
    """By pair of checkpoints, what the votes say. Of several pairs each gets its share of the error rate
    (Bonferroni), so that the arena as a whole keeps it."""
    entries = entries_of(arena)
    counted: dict[tuple[int, int], Counter[int]] = defaultdict(Counter)
    for vote in cast:
        counted[_sides(vote.pair)][vote.outcome] += 1
    pairs = list(combinations(entries, 2))
    error = arena.error_rate / max(1, len(pairs))
    return {pair: look(counted[pair][1], counted[pair][-1], error) for pair in pairs}


def find_winner(arena: Arena, verdicts: Mapping[tuple[int, int], Verdict]) -> int | None:
    """The checkpoint that is better than each of the others, for certain."""
    for checkpoint in entries_of(arena):
        others = [
            verdict.is_decided and verdict.leader == (1 if one == checkpoint else -1)
            for (one, other), verdict in verdicts.items()
            if checkpoint in (one, other)
        ]
        if others and all(others):
            return checkpoint
    return None


def as_tournament_votes(
    cast: Sequence[CastVote], style: Callable[[str, str], tuple[float, ...]] | None = None
) -> list[Vote]:
    """For ``trainer.tournament``; ``style`` tells two texts' traits."""
    return [
        Vote(
            *_sides(vote.pair),
            vote.outcome,
            style(vote.pair.left.completion.text, vote.pair.right.completion.text) if style else (),
        )
        for vote in cast
    ]


def entries_of(arena: Arena) -> list[int]:
    return list(arena.entries.order_by("pk").values_list("checkpoint", flat=True))


def _sides(pair: ArenaPair) -> tuple[int, int]:
    return pair.left.checkpoint_id, pair.right.checkpoint_id


def rate_of(cast: Sequence[CastVote], checkpoint: int, rival: int, error: float) -> dict[str, float]:
    """The checkpoint's win rate over the rival, a tie counting half; and of the votes that are no ties an
    interval that holds at every moment. Empty without a vote."""
    outcomes = [
        vote.outcome if _sides(vote.pair)[0] == checkpoint else -vote.outcome
        for vote in cast
        if set(_sides(vote.pair)) == {checkpoint, rival}
    ]
    if not outcomes:
        return {}
    wins, losses = outcomes.count(1), outcomes.count(-1)
    verdict = look(wins, losses, error)
    return {
        "win_rate": (wins + outcomes.count(0) / 2) / len(outcomes),
        "win_rate_low": verdict.low,
        "win_rate_high": verdict.high,
        "e_value": verdict.e_value,
        "arena_votes": len(outcomes),
        "arena_ties": outcomes.count(0),
    }
