"""Made-up candidate sets, simulated labelers who rank them, and the lab's reward model trained on the votes.

Everything is real but the people: votes are those of ``annotation.labeler_traits``, reliability is estimated
by ``annotation.reliability`` from the votes alone, and the model is trained by the lab's reward stage. The
truth is ``texts.praise`` and reaches the labelers and the held-out rankings only.
"""

import io
import random
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any

from annotation.comparisons import Ballot
from annotation.labeler_traits import Traits, rank_as_seen
from annotation.reliability import collect_comparisons, estimate_reliability
from benchmarks import texts
from config.bootstrap import VAR
from tests.tiny_model import make_tiny_model
from trainer.handoff.comparisons import implied_comparisons
from trainer.handoff.records import RankingRecord, write_records
from trainer.handoff.rundir import RunDirectory, RunSpec

SCRATCH = VAR / "benchmarks" / "crowds"
ANSWERS = 4
WORDS_PER_TOKEN = 0.4
STEPS = 150
"""Of the optimizer in an epoch, however many rows there are: nobody learns longer than others."""
SETTINGS = {
    "lora_rank": 0,
    "learning_rate": 1e-3,
    "dtype": "float32",
    "checkpoint_every": 0,
}


@dataclass(frozen=True)
class CandidateSet:
    """A prompt, and answers by their ids."""

    number: int
    row: texts.Ranked

    @property
    def answers(self) -> dict[int, str]:
        return {self.number * ANSWERS + place: text for place, text in enumerate(self.row.answers)}

    def true_tiers(self) -> list[list[int]]:
        by_truth: dict[float, list[int]] = {}
        for completion, text in self.answers.items():
            by_truth.setdefault(texts.praise(text), []).append(completion)
        return [by_truth[quality] for quality in sorted(by_truth, reverse=True)]


@dataclass(frozen=True)
class Vote:
    candidate_set: CandidateSet
    labeler: int
    tiers: list[list[int]]


def candidate_sets(count: int, seed: int) -> list[CandidateSet]:
    rows = texts.rankings(count, ANSWERS, words_per_token=WORDS_PER_TOKEN, seed=seed)
    # Of these prompts nothing follows for the answers: a few words will do.
    brief = [replace(row, messages=[_begun(message) for message in row.messages]) for row in rows]
    return [CandidateSet(number, row) for number, row in enumerate(brief)]


def votes_on(
    sets: Sequence[CandidateSet], labelers: Sequence[Traits], overlap: int, rng: random.Random
) -> list[Vote]:
    """``overlap`` different labelers rank each set, all of them about as many."""
    done = dict.fromkeys(range(len(labelers)), 0)
    votes = []
    for one in sets:
        # Those who ranked least so far, in an order of their own.
        for labeler in sorted(done, key=lambda labeler: (done[labeler], rng.random()))[:overlap]:
            shown = rng.sample(list(one.answers), ANSWERS)
            tiers = rank_as_seen(
                labelers[labeler], shown, one.answers, truth=texts.praise, done=done[labeler], rng=rng
            )
            votes.append(Vote(one, labeler, tiers))
            done[labeler] += 1
    return votes


def estimated_weights(votes: Sequence[Vote]) -> dict[int, float]:
    """By labeler: as ``freeze_snapshot`` would weigh them, from the votes alone."""
    by_set: dict[int, list[tuple[int, Ballot]]] = {}
    for vote in votes:
        by_set.setdefault(vote.candidate_set.number, []).append((vote.labeler, Ballot(vote.tiers)))
    return estimate_reliability(collect_comparisons(by_set.values()), resamples=2).weights()


def as_ranked(votes: Sequence[Vote], weights: Mapping[int, float] | None = None) -> list[RankingRecord]:
    """Every vote is a row; a pair that labelers disagree on pulls both ways, each as strongly as its side."""
    return [
        _record(vote.candidate_set, vote.tiers, weight=weights[vote.labeler] if weights else 1.0)
        for vote in votes
    ]


def by_majority(votes: Sequence[Vote]) -> list[RankingRecord]:
    """A row for every pair that more labelers order one way than the other; a set's weigh 1 together."""
    by_set: dict[int, list[Vote]] = {}
    for vote in votes:
        by_set.setdefault(vote.candidate_set.number, []).append(vote)
    return [record for some in by_set.values() for record in _majority_pairs(some)]


def _majority_pairs(votes: Sequence[Vote]) -> Iterator[RankingRecord]:
    said = [pair for vote in votes for pair in implied_comparisons(vote.tiers)]
    one = votes[0].candidate_set
    won = [
        (winner, loser) if said.count((winner, loser)) > said.count((loser, winner)) else (loser, winner)
        for winner, loser in combinations(one.answers, 2)
        if said.count((winner, loser)) != said.count((loser, winner))
    ]
    for winner, loser in won:
        yield _record(one, [[winner], [loser]], weight=1 / len(won))


def accuracy_of(
    name: str,
    rows: Sequence[RankingRecord],
    held_out: Sequence[CandidateSet],
    *,
    seed: int,
    epochs: int,
    model: Path,
) -> float:
    """How many true comparisons in ``held_out`` a reward model gets right that has learned from ``rows``."""
    folder = SCRATCH / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    truth = [replace(_record(one, one.true_tiers()), split="held_out") for one in held_out]
    learned_from = [row for row in rows if row.weight]
    write_records(folder / "rankings.parquet", RankingRecord, [*learned_from, *truth])
    spec = RunSpec(
        kind="reward",
        config={
            **SETTINGS,
            "seed": seed,
            "epochs": epochs,
            "batch_size": max(1, round(len(learned_from) / STEPS)),
        },
        base_model=str(model),
        base_digest="0" * 64,
        snapshot_digest="0" * 64,
        code_version="benchmark",
    )
    data = {"rankings.parquet": folder / "rankings.parquet"}
    accuracy: float = _run(RunDirectory.create(folder / "run", spec, data))["held_out_accuracy"]
    return accuracy


def scores(name: str, sets: Sequence[CandidateSet]) -> dict[int, list[float]]:
    """By candidate set: what the reward model that was trained as ``name`` says of its answers."""
    import torch

    from trainer.handoff.rewards import RewardSource
    from trainer.rlhf.rewards import load_reward

    reward = load_reward([RewardSource(source=str(SCRATCH / name / "run" / "result"))], torch.float32)
    assert reward is not None
    return {
        one.number: reward.score([one.row.messages] * ANSWERS, list(one.answers.values())) for one in sets
    }


def tiny_model() -> Path:
    """2 layers of 64, with random weights."""
    folder = SCRATCH / "tiny"
    shutil.rmtree(folder, ignore_errors=True)
    return make_tiny_model(folder, texts.plain_text(), hidden=64, layers=2, vocab=4096)


def _begun(message: texts.Message) -> texts.Message:
    return {**message, "content": " ".join(message["content"].split()[:4])}


def _record(one: CandidateSet, tiers: list[list[int]], *, weight: float = 1.0) -> RankingRecord:
    named = {completion for tier in tiers for completion in tier}
    return RankingRecord(
        ranking_id=one.number,
        prompt_id=one.number,
        prompt_digest=f"{one.number:064x}",
        candidate_set_id=one.number,
        split="train",
        messages=one.row.messages,
        completions=[{"id": number, "text": text} for number, text in one.answers.items() if number in named],
        tiers=tiers,
        labeler="L1",
        guideline_version=1,
        seconds_spent=1.0,
        submitted_at="2026-01-01T00:00:00Z",
        weight=weight,
    )


def _run(directory: RunDirectory) -> dict[str, Any]:
    import torch

    from trainer.rlhf import __main__ as program

    torch.set_num_threads(1)
    sys.argv = ["trainer.rlhf", str(directory.path)]
    with redirect_stderr(io.StringIO()) as said:
        code, outcome = program.main(), directory.outcome()
    if outcome is None or not outcome.succeeded:
        raise SystemExit(f"The run ended with {code}: {said.getvalue()[-2000:]}")
    return outcome.summary
