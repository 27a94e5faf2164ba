"""Rankings side by side as tensors, and the loss that a config asks for."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from trainer.handoff.configs import RewardConfig
from trainer.rlhf.errors import BadData
from trainer.rlhf.ranking_losses import (
    centring_penalty,
    comparison_loss,
    davidson_logprobs,
    plackett_luce_loss,
    rao_kupper_logprobs,
    tie_strength,
    tie_threshold,
)

TIE_MODELS = ("davidson", "rao_kupper")

# One number that all ties share: at the adapters' rate it would still stand where it started.
TIE_LEARNING_RATE = 1e-2


@dataclass(frozen=True)
class Judgement:
    """What one ranking says about its completions, by their places."""

    completions: int
    comparisons: Sequence[tuple[int, int]]
    """(better, worse)."""
    ties: Sequence[tuple[int, int]] = ()
    weight: float = 1.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.weight) and self.weight > 0):
            raise BadData(
                f"A ranking has the weight {self.weight}; leave it out, or give it a number above 0."
            )


@dataclass(frozen=True)
class Judgements:
    """What R rankings say about N completions: P comparisons, Q ties, C choices.

    chosen, rejected  (P,)    rows of the scores
    tied              (2, Q)  rows of the scores
    winners           (C,)    rows of the scores with something below them
    below             (C, M)  rows of the scores that rank below each winner, then −1
    comparison_of     (P,)    the ranking that says so, 0 to R − 1
    tie_of            (Q,)    likewise
    choice_of         (C,)    likewise
    weights           (R,)    of the rankings
    """

    chosen: Tensor
    rejected: Tensor
    tied: Tensor
    winners: Tensor
    below: Tensor
    comparison_of: Tensor
    tie_of: Tensor
    choice_of: Tensor
    weights: Tensor

    @property
    def total_weight(self) -> float:
        return float(self.weights.sum())


def side_by_side(judgements: Sequence[Judgement], device: torch.device | str = "cpu") -> Judgements:
    """The completions of all rankings numbered through, in the order of the rankings."""
    comparisons: list[tuple[int, int, int]] = []
    ties: list[tuple[int, int, int]] = []
    losers: dict[tuple[int, int], list[int]] = {}  # of each (winner, ranking)
    first = 0
    for number, said in enumerate(judgements):
        comparisons += [(first + better, first + worse, number) for better, worse in said.comparisons]
        ties += [(first + one, first + other, number) for one, other in said.ties]
        first += said.completions
    for better, worse, number in comparisons:
        losers.setdefault((better, number), []).append(worse)
    longest = max(map(len, losers.values()), default=0)
    below = [rows + [-1] * (longest - len(rows)) for rows in losers.values()]
    chosen, rejected, comparison_of = _columns(comparisons, 3, device)
    one, other, tie_of = _columns(ties, 3, device)
    winners, choice_of = _columns(list(losers), 2, device)
    return Judgements(
        chosen=chosen,
        rejected=rejected,
        tied=torch.stack([one, other]),
        winners=winners,
        below=torch.tensor(below, dtype=torch.long, device=device).reshape(len(below), longest),
        comparison_of=comparison_of,
        tie_of=tie_of,
        choice_of=choice_of,
        weights=torch.tensor([said.weight for said in judgements], device=device),
    )


def shares(weights: Tensor, *saying: Tensor) -> list[Tensor]:
    """Each ranking's weight divided evenly among all it says; ``saying`` are the numbers of the rankings.

    weights  (R,)   saying  one or more of (·)
    """
    counts = torch.bincount(torch.cat(saying), minlength=len(weights))
    return [(weights / counts)[of] for of in saying]


def ranking_loss(
    config: RewardConfig, scores: Tensor, said: Judgements, tie_logit: Tensor | None = None
) -> Tensor:
    """The config's loss as a sum over the rankings, to be divided by the step's total weight.

    scores     (N,)
    tie_logit  ()    for the models of ties: logit of the chance that two equal scores are tied
    """
    weights = said.weights.to(scores.dtype)
    (each,) = shares(weights, said.comparison_of)
    if config.loss == "plackett_luce":
        (choices,) = shares(weights, said.choice_of)
        loss = plackett_luce_loss(scores, said.winners, said.below, choices)
    elif config.loss in TIE_MODELS:
        assert tie_logit is not None
        loss = _tie_model_loss(config.loss, scores, said, weights, tie_logit)
    else:
        loss = comparison_loss(scores, said.chosen, said.rejected, each, config.margin)
    if config.center_coef:
        loss = loss + config.center_coef * centring_penalty(scores, said.chosen, said.rejected, each)
    return loss


def _tie_model_loss(
    model: str, scores: Tensor, said: Judgements, weights: Tensor, tie_logit: Tensor
) -> Tensor:
    """Comparisons are wins, ties are ties, and all of a ranking's weigh the same."""

    def logprobs(one: Tensor, other: Tensor) -> Tensor:
        margins = scores[one] - scores[other]
        if model == "davidson":
            return davidson_logprobs(margins, tie_strength(tie_logit))
        return rao_kupper_logprobs(margins, tie_threshold(tie_logit))

    wins, ties = shares(weights, said.comparison_of, said.tie_of)
    won, tied = logprobs(said.chosen, said.rejected)[0], logprobs(*said.tied)[1]
    return -(wins * won).sum() - (ties * tied).sum()


def first_tie_logit(judgements: Sequence[Judgement]) -> Tensor:
    """Where the tie parameter starts: at the share of ties in the data, as if all scores were equal."""
    ties = sum(len(said.ties) for said in judgements)
    comparisons = sum(len(said.comparisons) for said in judgements)
    # Half of one each keeps it finite.
    return torch.tensor(math.log((ties + 0.5) / (comparisons + 0.5)))


def _columns(rows: Sequence[tuple[int, ...]], width: int, device: torch.device | str) -> tuple[Tensor, ...]:
    return torch.tensor(rows, dtype=torch.long, device=device).reshape(-1, width).T.unbind()
