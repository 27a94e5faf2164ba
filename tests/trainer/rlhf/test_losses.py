import math
from itertools import combinations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from trainer.handoff.comparisons import implied_comparisons
from trainer.rlhf.losses import comparison_loss, policy_loss, value_loss

DOUBLE = torch.float64


def rows(rankings):
    """Comparisons and weights of rankings whose completions are numbered through: lists of tiers."""
    pairs = [implied_comparisons(tiers) for tiers in rankings]
    weights = [1 / len(some) for some in pairs for _ in some]
    chosen, rejected = torch.tensor([pair for some in pairs for pair in some]).T
    return chosen, rejected, torch.tensor(weights, dtype=DOUBLE)


def pair_by_pair(scores, rankings):
    """Equation 1, a ranking at a time and a pair at a time."""
    total = torch.zeros((), dtype=DOUBLE)
    for tiers in rankings:
        terms = [
            torch.log1p(torch.exp(-(scores[better] - scores[worse])))
            for high, low in combinations(tiers, 2)
            for better in high
            for worse in low
        ]
        total = total + sum(terms) / len(terms)
    return total / len(rankings)


class TestComparisonLoss:
    # Four in order; two tied above one; two tied pairs.
    RANKINGS = [[[0], [1], [2], [3]], [[4, 5], [6]], [[7, 8], [9, 10]]]

    @given(st.integers(0, 10_000))
    def test_equals_the_enumerated_pairs_and_so_does_its_gradient(self, seed):
        scores = torch.randn(11, generator=torch.Generator().manual_seed(seed), dtype=DOUBLE)
        ours, theirs = scores.clone().requires_grad_(), scores.clone().requires_grad_()

        loss, expected = (
            comparison_loss(ours, *rows(self.RANKINGS)),
            pair_by_pair(theirs, self.RANKINGS),
        )
        loss.backward()
        expected.backward()

        torch.testing.assert_close(loss, expected, rtol=1e-12, atol=0)
        torch.testing.assert_close(ours.grad, theirs.grad, rtol=0, atol=1e-12)

    def test_is_ln_2_when_all_scores_are_equal(self):
        loss = comparison_loss(torch.full((11,), 3.0, dtype=DOUBLE), *rows(self.RANKINGS))

        assert loss.item() == pytest.approx(math.log(2), rel=1e-12)

    @given(st.floats(-100, 100))
    def test_does_not_change_when_all_scores_shift(self, shift):
        scores = torch.linspace(-2, 2, 11, dtype=DOUBLE)

        loss, shifted = (comparison_loss(s, *rows(self.RANKINGS)) for s in (scores, scores + shift))

        torch.testing.assert_close(loss, shifted, rtol=1e-9, atol=0)

    def test_leaves_tied_completions_where_they_are(self):
        scores = torch.tensor([1.0, -1.0, 0.0], dtype=DOUBLE, requires_grad=True)

        comparison_loss(scores, *rows([[[0, 1], [2]]])).backward()

        # Both tied ones are pulled up by the third alone: the lower one harder, and neither by the other.
        assert scores.grad[1] < scores.grad[0] < 0
        assert scores.grad.sum().item() == pytest.approx(0, abs=1e-12)

    def test_counts_every_ranking_once_however_long_it_is(self):
        long, short = [[0], [1], [2], [3]], [[4], [5]]
        scores = torch.randn(6, generator=torch.Generator().manual_seed(0), dtype=DOUBLE)

        together = comparison_loss(scores, *rows([long, short]))

        alone = [comparison_loss(scores, *rows([ranking])) for ranking in (long, short)]
        torch.testing.assert_close(together, sum(alone) / 2)


class TestPolicyLoss:
    def gradient(self, log_ratio, advantages, mask=None, clip_range=0.2):
        old = torch.full_like(advantages, -1.5)
        logprobs = (old + log_ratio).requires_grad_()
        mask = torch.ones_like(advantages) if mask is None else mask
        policy_loss(logprobs, old, advantages, mask, clip_range).backward()
        return logprobs.grad

    def test_has_the_policy_gradient_at_ratio_1(self):
        advantages = torch.tensor([[1.0, -2.0, 0.5], [3.0, 9.0, 9.0]], dtype=DOUBLE)
        mask = torch.tensor([[1.0, 1.0, 1.0], [1.0, 0.0, 0.0]], dtype=DOUBLE)

        gradient = self.gradient(torch.zeros_like(advantages), advantages, mask)

        torch.testing.assert_close(gradient, -advantages * mask / 4)

    @pytest.mark.parametrize(
        ("ratio", "advantage", "moves"),
        [
            (1.5, 1.0, False),  # already much likelier: no more
            (0.5, 1.0, True),  # good, but less likely: bring it back
            (1.5, -1.0, True),  # bad, but likelier: bring it back
            (0.5, -1.0, False),  # already much less likely: no more
            (1.1, 1.0, True),
            (0.9, -1.0, True),
        ],
    )
    def test_stops_only_what_went_too_far_already(self, ratio, advantage, moves):
        log_ratio = torch.tensor([[math.log(ratio)]], dtype=DOUBLE)

        gradient = self.gradient(log_ratio, torch.tensor([[advantage]], dtype=DOUBLE))

        assert gradient.item() == pytest.approx(-ratio * advantage if moves else 0.0)

    def test_never_reads_the_padding(self):
        mask = torch.tensor([[1.0, 0.0]])
        losses = [
            policy_loss(
                torch.tensor([[-1.0, x]]), torch.tensor([[-1.1, 0.0]]), torch.tensor([[2.0, x]]), mask, 0.2
            )
            for x in (0.0, 3.0)
        ]

        assert losses[0] == losses[1]


class TestValueLoss:
    def test_without_clipping_is_half_the_mean_squared_error_of_real_tokens(self):
        values, returns, mask = torch.randn(3, 2, 4, generator=torch.Generator().manual_seed(0))
        mask = (mask > -0.5).float()

        loss = value_loss(values, torch.zeros(2, 4), returns, mask, clip_range=0)

        real = mask.bool()
        torch.testing.assert_close(loss, 0.5 * F.mse_loss(values[real], returns[real]))

    @pytest.mark.parametrize(
        ("value", "wanted", "moves"),
        [
            (1.5, 2.0, False),  # moved far towards its return already
            (1.5, -2.0, True),  # moved far away from it: bring it back
            (0.1, 2.0, True),  # has hardly moved
        ],
    )
    def test_with_clipping_stops_only_what_moved_too_far_already(self, value, wanted, moves):
        values = torch.tensor([[value]], requires_grad=True)

        loss = value_loss(
            values, torch.zeros(1, 1), torch.tensor([[wanted]]), torch.ones(1, 1), clip_range=0.2
        )
        loss.backward()

        assert values.grad.item() == pytest.approx(value - wanted if moves else 0.0)

    def test_with_clipping_is_never_less_than_without(self):
        values, old, returns = torch.randn(3, 5, 7, generator=torch.Generator().manual_seed(1))
        mask = torch.ones(5, 7)

        assert value_loss(values, old, returns, mask, 0.2) >= value_loss(values, old, returns, mask, 0)
