"""A scorer learns from rankings that were drawn from known scores: does it find those scores again?"""

import math

import pytest
import torch

from tests.trainer.rlhf.test_reward_report import scored
from trainer.handoff.comparisons import implied_comparisons, implied_ties
from trainer.handoff.configs import RewardConfig
from trainer.rlhf.judgements import Judgement, first_tie_logit, ranking_loss, side_by_side
from trainer.rlhf.ranking_losses import davidson_logprobs, rao_kupper_logprobs, tie_threshold
from trainer.rlhf.reward_report import reward_report

DOUBLE = torch.float64
FEATURES, RANKINGS, K = 6, 3000, 4
LOG_NU = LOG_THETA = 0.4


class World:
    """Answers with features; their true scores are linear in them."""

    def __init__(self, seed, count=RANKINGS, size=K):
        self.dice = torch.Generator().manual_seed(seed)
        truth = torch.tensor([1.0, -0.8, 0.6, 0.4, -0.2, 0.0], dtype=DOUBLE)
        self.features = torch.randn(count, size, FEATURES, generator=self.dice, dtype=DOUBLE)
        self.scores = self.features @ truth

    def orders(self):
        """Plackett–Luce: the order of the scores with Gumbel noise."""
        uniform = torch.rand(self.scores.shape, generator=self.dice, dtype=DOUBLE)
        noisy = self.scores - torch.log(-torch.log(uniform))
        return [[[place] for place in order] for order in noisy.argsort(1, descending=True).tolist()]

    def outcomes(self, logprobs, parameter):
        """Of two answers: win, tie or loss, as a tie model says."""
        margins = self.scores[:, 0] - self.scores[:, 1]
        chances = logprobs(margins, torch.tensor(parameter, dtype=DOUBLE)).exp().T
        drawn = torch.multinomial(chances, 1, generator=self.dice)[:, 0].tolist()
        return [[[[0], [1]], [[0, 1]], [[1], [0]]][outcome] for outcome in drawn]


def learn(loss, features, rankings):
    """The weights of a linear scorer, and the tie parameter, where the loss is least."""
    judgements = [
        Judgement(features.shape[1], implied_comparisons(tiers), implied_ties(tiers)) for tiers in rankings
    ]
    said, config = side_by_side(judgements), RewardConfig(loss=loss)
    weights = torch.zeros(FEATURES, dtype=DOUBLE, requires_grad=True)
    tie_logit = first_tie_logit(judgements).double().requires_grad_()
    optimizer = torch.optim.LBFGS([weights, tie_logit], max_iter=60, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        value = ranking_loss(config, (features @ weights).flatten(), said, tie_logit) / said.total_weight
        value.backward()
        return value

    optimizer.step(closure)
    return weights.detach(), tie_logit.detach()


def spearman(first, second):
    ranks = torch.stack([x.flatten().argsort().argsort().double() for x in (first, second)])
    return torch.corrcoef(ranks)[0, 1].item()


def report_on(world, rankings, weights, log_theta=0.0):
    found = (world.features @ weights).tolist()
    rows = [
        scored([[place + 1 for place in tier] for tier in tiers], scores, prompt=number)
        for number, (tiers, scores) in enumerate(zip(rankings, found, strict=True))
    ]
    return reward_report(rows, log_theta)


class TestRecovery:
    @pytest.mark.parametrize("loss", ["bradley_terry", "plackett_luce"])
    def test_from_plackett_luce_rankings_finds_the_scores_and_is_calibrated(self, loss):
        world, unseen = World(1), World(2)

        weights, _ = learn(loss, world.features, world.orders())

        figures = report_on(unseen, unseen.orders(), weights)
        assert spearman(unseen.features @ weights, unseen.scores) > 0.95
        assert figures["calibration"]["ece"]["value"] < 0.03

    @pytest.mark.parametrize(
        ("loss", "logprobs", "parameter"),
        [("davidson", davidson_logprobs, LOG_NU), ("rao_kupper", rao_kupper_logprobs, LOG_THETA)],
    )
    def test_from_wins_and_ties_finds_the_scores_and_how_likely_ties_are(self, loss, logprobs, parameter):
        world, unseen = World(3, count=6000, size=2), World(4, count=6000, size=2)

        weights, tie_logit = learn(loss, world.features, world.outcomes(logprobs, parameter))

        log_theta = tie_threshold(tie_logit).item() if loss == "rao_kupper" else 0.0
        figures = report_on(unseen, unseen.outcomes(logprobs, parameter), weights, log_theta)
        assert spearman(unseen.features @ weights, unseen.scores) > 0.95
        assert figures["calibration"]["ece"]["value"] < 0.03
        found = log_theta if loss == "rao_kupper" else tie_logit.item() + math.log(2)
        assert found == pytest.approx(parameter, abs=0.1)

    def test_with_wrong_scores_is_not_calibrated(self):
        """The bound of the tests above can fail: twice the scores are far beyond it."""
        unseen = World(2)
        weights, _ = learn("plackett_luce", World(1).features, World(1).orders())

        assert report_on(unseen, unseen.orders(), 2 * weights)["calibration"]["ece"]["value"] > 0.06
