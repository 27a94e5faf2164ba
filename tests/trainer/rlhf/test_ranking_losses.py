import math
from itertools import combinations, permutations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from trainer.handoff.comparisons import implied_comparisons, implied_ties
from trainer.handoff.configs import RewardConfig
from trainer.rlhf.errors import LabError
from trainer.rlhf.judgements import (
    TIE_MODELS,
    Judgement,
    first_tie_logit,
    ranking_loss,
    shares,
    side_by_side,
)
from trainer.rlhf.ranking_losses import (
    centring_penalty,
    comparison_loss,
    davidson_logprobs,
    dpo_loss,
    implicit_rewards,
    listwise_dpo_loss,
    plackett_luce_loss,
    rao_kupper_logprobs,
    tie_strength,
    tie_threshold,
)

DOUBLE = torch.float64
LOSSES = ("bradley_terry", "plackett_luce", "davidson", "rao_kupper")
TIE_LOGPROBS = {"davidson": davidson_logprobs, "rao_kupper": rao_kupper_logprobs}
# Tiers, best first, and unacceptable ones. Four in order; two tied above one; two tied pairs; one above two
# unacceptable ones; a pair; a tie within the last tier; nine with everything.
RANKINGS = [
    ([[2], [0], [1], [3]], []),
    ([[0, 1], [2]], []),
    ([[3, 1], [0, 2]], []),
    ([[1]], [0, 2]),
    ([[0], [1]], []),
    ([[1], [0, 2]], []),
    ([[4, 0], [8], [1, 2, 7]], [3, 5, 6]),
]
WEIGHTS = [1.0, 0.25, 2.0, 1.0, 0.5, 1.0, 3.0]
SIZES = [sum(map(len, [*tiers, unacceptable])) for tiers, unacceptable in RANKINGS]
seeds = st.integers(0, 10_000)


def judgement(tiers, unacceptable=(), weight=1.0):
    levels = [*tiers, unacceptable]
    comparisons, ties = implied_comparisons(tiers, unacceptable), implied_ties(tiers)
    return Judgement(sum(map(len, levels)), comparisons, ties, weight)


JUDGEMENTS = [judgement(*ranking, weight) for ranking, weight in zip(RANKINGS, WEIGHTS, strict=True)]


def normal(count, seed=0):
    return torch.randn(count, generator=torch.Generator().manual_seed(seed), dtype=DOUBLE) * 2


def mean_loss(scores, judgements, loss="bradley_terry", tie_logit=-0.7, **settings):
    said = side_by_side(judgements)
    tie_logit = torch.as_tensor(tie_logit, dtype=DOUBLE)
    return ranking_loss(RewardConfig(loss=loss, **settings), scores, said, tie_logit) / said.total_weight


def softplus(x):
    return torch.log1p(torch.exp(x))


def term_by_term(loss, scores, tie_logit):
    """The definition: a ranking at a time, a term at a time, with probabilities as they are written."""
    total = torch.zeros((), dtype=DOUBLE)
    first = 0
    for (tiers, unacceptable), size, weight in zip(RANKINGS, SIZES, WEIGHTS, strict=True):
        r = scores[first : first + size]
        pi, tie = r.exp(), tie_logit.exp()
        levels = [*tiers, unacceptable]
        pairs = [(i, j) for high, low in combinations(levels, 2) for i in high for j in low]
        equal = [pair for tier in tiers for pair in combinations(tier, 2)]
        if loss == "bradley_terry":
            terms = [softplus(-(r[i] - r[j])) for i, j in pairs]
        elif loss == "plackett_luce":
            terms = []
            for level, tier in enumerate(levels):
                worse = [j for lower in levels[level + 1 :] for j in lower]
                terms += [-torch.log(pi[i] / (pi[i] + sum(pi[j] for j in worse))) for i in tier if worse]
        elif loss == "davidson":
            nu = 2 * tie
            shared = [pi[i] + pi[j] + nu * (pi[i] * pi[j]).sqrt() for i, j in pairs]
            terms = [-torch.log(pi[i] / d) for (i, _), d in zip(pairs, shared, strict=True)]
            for i, j in equal:
                both = nu * (pi[i] * pi[j]).sqrt()
                terms.append(-torch.log(both / (pi[i] + pi[j] + both)))
        else:
            theta = 1 + 2 * tie
            terms = [-torch.log(pi[i] / (pi[i] + theta * pi[j])) for i, j in pairs]
            for i, j in equal:
                both = (pi[i] + theta * pi[j]) * (pi[j] + theta * pi[i])
                terms.append(-torch.log((theta**2 - 1) * pi[i] * pi[j] / both))
        total = total + weight * sum(terms) / len(terms)
        first += size
    return total / sum(WEIGHTS)


class TestEveryLoss:
    @pytest.mark.parametrize("loss", LOSSES)
    @given(seed=seeds)
    def test_and_all_its_gradients_equal_a_loop_over_what_the_rankings_imply(self, loss, seed):
        values = normal(sum(SIZES), seed)
        ours, theirs = (values.clone().requires_grad_() for _ in range(2))
        our_tie, their_tie = (torch.tensor(-0.7, dtype=DOUBLE, requires_grad=True) for _ in range(2))

        value = mean_loss(ours, JUDGEMENTS, loss, our_tie)
        expected = term_by_term(loss, theirs, their_tie)
        value.backward()
        expected.backward()

        torch.testing.assert_close(value, expected, rtol=1e-12, atol=0)
        torch.testing.assert_close(ours.grad, theirs.grad, rtol=0, atol=1e-12)
        if loss in TIE_MODELS:
            torch.testing.assert_close(our_tie.grad, their_tie.grad, rtol=0, atol=1e-12)

    @pytest.mark.parametrize("loss", LOSSES)
    @given(seed=seeds, shift=st.floats(-50, 50))
    def test_does_not_change_when_the_scores_of_a_ranking_shift(self, loss, seed, shift):
        scores = normal(sum(SIZES), seed)
        shifted = scores.clone()
        shifted[: SIZES[0]] += shift

        values = [mean_loss(s, JUDGEMENTS, loss) for s in (scores, shifted)]

        torch.testing.assert_close(*values, rtol=1e-10, atol=0)

    @pytest.mark.parametrize("loss", LOSSES)
    @given(seed=seeds)
    def test_has_gradients_that_sum_to_0_in_each_ranking(self, loss, seed):
        scores = normal(sum(SIZES), seed).requires_grad_()

        mean_loss(scores, JUDGEMENTS, loss).backward()

        for part in scores.grad.split(SIZES):
            assert part.sum().item() == pytest.approx(0, abs=1e-14)

    @pytest.mark.parametrize("loss", LOSSES)
    def test_permutes_its_gradients_with_the_completions(self, loss):
        names, values = [3, 0, 2, 1], normal(4)
        moved = torch.empty_like(values)
        moved[names] = values
        scores, renamed = values.requires_grad_(), moved.requires_grad_()
        tiers, unacceptable = [[0, 2], [1]], [3]

        mean_loss(scores, [judgement(tiers, unacceptable)], loss).backward()
        other = [[names[i] for i in tier] for tier in tiers], [names[i] for i in unacceptable]
        mean_loss(renamed, [judgement(*other)], loss).backward()

        torch.testing.assert_close(renamed.grad[names], scores.grad, rtol=0, atol=1e-15)

    @pytest.mark.parametrize("loss", LOSSES)
    def test_counts_every_ranking_by_its_weight_however_long_it_is(self, loss):
        long, short = judgement([[0], [1], [2], [3]], weight=2.0), judgement([[0], [1]], weight=0.5)
        scores = normal(6)

        together = mean_loss(scores, [long, short], loss)

        alone = mean_loss(scores[:4], [long], loss), mean_loss(scores[4:], [short], loss)
        torch.testing.assert_close(together, (2.0 * alone[0] + 0.5 * alone[1]) / 2.5)

    @pytest.mark.parametrize("loss", LOSSES)
    def test_leaves_unacceptable_ones_without_order_and_without_pull(self, loss):
        """Their gradients are what each has alone against the ranked one; none looks at the other."""
        scores = torch.tensor([0.0, 1.0, -2.0], dtype=DOUBLE, requires_grad=True)
        if loss == "plackett_luce":  # there they are one suffix: its gradient falls to each by exp(score)
            mean_loss(scores, [judgement([[0]], [1, 2])], loss).backward()
            assert (scores.grad[1] / scores.grad[2]).item() == pytest.approx(math.exp(3), rel=1e-12)
            return

        mean_loss(scores, [judgement([[0]], [1, 2])], loss).backward()

        for other in (1, 2):
            pair = scores.detach()[[0, other]].requires_grad_()
            mean_loss(pair, [judgement([[0], [1]])], loss).backward()
            torch.testing.assert_close(scores.grad[other], pair.grad[1] / 2, rtol=0, atol=1e-15)

    @pytest.mark.parametrize("loss", LOSSES)
    def test_stays_finite_at_scores_far_apart(self, loss):
        scores = torch.tensor([-500.0, 500.0, 0.0], requires_grad=True)

        said = side_by_side([judgement([[0], [1]], [2])])
        value = ranking_loss(RewardConfig(loss=loss), scores, said, torch.tensor(-0.7))
        value.backward()

        assert math.isfinite(value.item())
        assert scores.grad.isfinite().all()


class TestSplittingAStep:
    """The loss is a local sum over a global weight: 8×1, 4×2 and 2 processes × 4 are the same step."""

    # Lengths, ties and weights differ, so that a mean of means is another number.
    STEP = [*JUDGEMENTS, judgement([[1, 0]], weight=1.5)]

    @pytest.mark.parametrize("loss", LOSSES)
    @pytest.mark.parametrize(("processes", "size"), [(1, 1), (1, 2), (1, 3), (2, 4), (2, 1), (4, 2)])
    def test_changes_neither_the_loss_nor_its_gradients(self, loss, processes, size):
        step = self.STEP if loss in TIE_MODELS else [*JUDGEMENTS, judgement([[1], [0]], weight=1.5)]
        whole = self.gradients(loss, [step], step, processes=1)

        parts = [step[start : start + size] for start in range(0, len(step), size)]

        for ours, theirs in zip(self.gradients(loss, parts, step, processes), whole, strict=True):
            torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-13)

    def gradients(self, loss, parts, step, processes):
        """Loss and gradients of a step: each process accumulates its parts, DDP averages over processes."""
        config = RewardConfig(loss=loss, center_coef=0.1)
        total = sum(said.weight for said in step)
        values = normal(sum(said.completions for said in step))
        tie_logit = torch.tensor(-0.7, dtype=DOUBLE, requires_grad=True)
        values.requires_grad_()
        losses, first = [], 0
        for part in parts:
            said = side_by_side(part)
            scores = values[first : first + sum(one.completions for one in part)]
            first += len(scores)
            # DDP divides the sum of gradients by the number of processes.
            losses.append(processes * ranking_loss(config, scores, said, tie_logit) / total)
        mean = sum(losses) / processes
        mean.backward()
        tie_gradient = torch.zeros((), dtype=DOUBLE) if tie_logit.grad is None else tie_logit.grad
        return mean.detach(), values.grad, tie_gradient


class TestComparisonLoss:
    def test_is_ln_2_when_all_scores_are_equal(self):
        loss = mean_loss(torch.full((sum(SIZES),), 3.0, dtype=DOUBLE), JUDGEMENTS)

        assert loss.item() == pytest.approx(math.log(2), rel=1e-7)

    def test_leaves_tied_completions_where_they_are(self):
        scores = torch.tensor([1.0, -1.0, 0.0], dtype=DOUBLE, requires_grad=True)

        mean_loss(scores, [judgement([[0, 1], [2]])]).backward()

        # Both tied ones are pulled up by the third alone: the lower one harder, and neither by the other.
        assert scores.grad[1] < scores.grad[0] < 0

    def test_with_a_margin_is_that_of_winners_so_much_lower(self):
        one, other = torch.tensor([0]), torch.tensor([1])
        weights = torch.tensor([0.5], dtype=DOUBLE)
        scores, lowered = torch.tensor([[2.0, 1.0], [1.25, 1.0]], dtype=DOUBLE)

        loss = comparison_loss(scores, one, other, weights, margin=0.75)

        torch.testing.assert_close(loss, comparison_loss(lowered, one, other, weights))

    def test_takes_a_margin_and_a_weight_for_each_comparison(self):
        scores, margins, weights = normal(4), torch.tensor([0.0, 1.5]), torch.tensor([1.0, 3.0])
        chosen, rejected = torch.tensor([0, 2]), torch.tensor([1, 3])

        together = comparison_loss(scores, chosen, rejected, weights, margins)

        alone = [
            weights[i] * comparison_loss(scores, chosen[[i]], rejected[[i]], torch.ones(1), margins[i])
            for i in range(2)
        ]
        torch.testing.assert_close(together, sum(alone))

    def test_the_configs_margin_reaches_it(self):
        scores = torch.tensor([0.75, 0.0], dtype=DOUBLE)

        loss = mean_loss(scores, [judgement([[0], [1]])], margin=0.75)

        assert loss.item() == pytest.approx(math.log(2), rel=1e-12)


class TestPlackettLuceLoss:
    def nats(self, scores, order):
        """−log of the probability of a strict order: the sum over its choices."""
        said = side_by_side([judgement([[i] for i in order])])
        return plackett_luce_loss(scores, said.winners, said.below, torch.ones(len(said.winners)))

    @given(seeds, st.integers(2, 5))
    def test_gives_probabilities_that_sum_to_1_over_all_orders(self, seed, count):
        scores = normal(count, seed)

        total = sum(torch.exp(-self.nats(scores, order)) for order in permutations(range(count)))

        assert total.item() == pytest.approx(1, rel=1e-12)

    @given(seeds, st.permutations(range(5)))
    def test_equals_the_product_over_suffixes(self, seed, order):
        scores = normal(5, seed)
        strength = scores[list(order)].exp()

        product = math.prod(strength[k] / strength[k:].sum() for k in range(5))

        torch.testing.assert_close(torch.exp(-self.nats(scores, order)), product, rtol=1e-11, atol=0)

    @given(seeds)
    def test_for_two_completions_is_bradley_terry(self, seed):
        scores = normal(2, seed)

        losses = [mean_loss(scores, [judgement([[1], [0]])], loss) for loss in LOSSES[:2]]

        torch.testing.assert_close(*losses, rtol=1e-13, atol=0)

    @given(seeds)
    def test_above_a_single_last_completion_is_bradley_terry_for_tied_winners(self, seed):
        scores = normal(3, seed)

        losses = [mean_loss(scores, [judgement([[0, 1], [2]])], loss) for loss in LOSSES[:2]]

        torch.testing.assert_close(*losses, rtol=1e-12, atol=0)

    def test_lets_no_tied_completion_feel_the_other(self):
        scores = normal(4).requires_grad_()
        lifted = scores.detach().clone()
        lifted[0] += 5
        lifted.requires_grad_()

        for some in (scores, lifted):
            mean_loss(some, [judgement([[0, 1], [2]], [3])], "plackett_luce").backward()

        torch.testing.assert_close(scores.grad[1], lifted.grad[1], rtol=0, atol=1e-15)

    def test_starts_at_the_mean_log_number_of_what_is_left(self):
        loss = mean_loss(torch.zeros(4, dtype=DOUBLE), [judgement([[0], [1], [2], [3]])], "plackett_luce")

        assert loss.item() == pytest.approx(math.log(24) / 3, rel=1e-12)


class TestTieModels:
    @pytest.mark.parametrize("model", TIE_MODELS)
    @given(margin=st.floats(-30, 30), parameter=st.floats(0.001, 5))
    def test_win_tie_and_loss_sum_to_1(self, model, margin, parameter):
        logprobs = TIE_LOGPROBS[model](*torch.tensor([margin, parameter], dtype=DOUBLE))

        assert logprobs.exp().sum().item() == pytest.approx(1, rel=1e-9)

    @pytest.mark.parametrize("model", TIE_MODELS)
    @given(margin=st.floats(-20, 20))
    def test_are_bradley_terry_where_ties_have_no_chance(self, model, margin):
        no_chance = torch.tensor(-40.0, dtype=DOUBLE)
        parameter = {"davidson": tie_strength, "rao_kupper": tie_threshold}[model](no_chance)
        margins = torch.tensor([margin], dtype=DOUBLE)

        win, tie, loss = TIE_LOGPROBS[model](margins, parameter).exp()

        torch.testing.assert_close(win, margins.sigmoid(), rtol=1e-10, atol=0)
        torch.testing.assert_close(loss, (-margins).sigmoid(), rtol=1e-10, atol=0)
        assert tie.item() < 1e-16

    @pytest.mark.parametrize("model", TIE_MODELS)
    def test_are_bradley_terry_as_a_loss_too_where_ties_have_no_chance(self, model):
        rankings = [judgement([[2], [0], [1], [3]]), judgement([[1]], [0, 2])]

        losses = [mean_loss(normal(7), rankings, loss, tie_logit=-40) for loss in (model, "bradley_terry")]

        torch.testing.assert_close(*losses, rtol=1e-12, atol=0)

    @pytest.mark.parametrize("model", TIE_MODELS)
    @pytest.mark.parametrize("chance", [0.02, 0.3, 0.9])
    def test_tie_equal_scores_with_the_chance_that_their_parameter_says(self, model, chance):
        tie_logit = torch.tensor(math.log(chance / (1 - chance)), dtype=DOUBLE)
        parameter = {"davidson": tie_strength, "rao_kupper": tie_threshold}[model](tie_logit)

        win, tie, loss = TIE_LOGPROBS[model](torch.zeros((), dtype=DOUBLE), parameter).exp()

        assert tie.item() == pytest.approx(chance, rel=1e-12)
        assert win.item() == loss.item()

    @given(margin=st.floats(-20, 20), log_nu=st.floats(-5, 5))
    def test_given_no_tie_davidson_is_bradley_terry(self, margin, log_nu):
        win, _, loss = davidson_logprobs(*torch.tensor([margin, log_nu], dtype=DOUBLE)).exp()

        assert (win / (win + loss)).item() == pytest.approx(1 / (1 + math.exp(-margin)), rel=1e-11)

    @pytest.mark.parametrize("model", TIE_MODELS)
    def test_pull_tied_scores_together(self, model):
        scores = torch.tensor([1.0, -1.0], dtype=DOUBLE, requires_grad=True)

        mean_loss(scores, [judgement([[0, 1]])], model).backward()

        assert scores.grad[0] > 0 > scores.grad[1]

    def test_start_at_the_share_of_ties(self):
        rankings = [judgement([[0, 1], [2]])] * 1000

        assert first_tie_logit(rankings).sigmoid().item() == pytest.approx(1 / 3, abs=1e-3)
        assert first_tie_logit([judgement([[0], [1]])]).isfinite()


class TestCentringPenalty:
    def test_is_the_weighted_square_of_each_pairs_sum(self):
        scores = torch.tensor([1.0, 2.0, -2.0], dtype=DOUBLE)

        penalty = centring_penalty(
            scores, torch.tensor([0, 1]), torch.tensor([1, 2]), torch.tensor([0.5, 7.0])
        )

        assert penalty.item() == 0.5 * 9 + 7 * 0

    @pytest.mark.parametrize("loss", LOSSES)
    def test_is_least_where_the_scores_of_the_comparisons_average_0(self, loss):
        scores = torch.tensor([1.0, -1.0], dtype=DOUBLE)
        ranking = [judgement([[0], [1]])]

        centred, shifted, free = (
            mean_loss(scores, ranking, loss, center_coef=0.01),
            mean_loss(scores + 3, ranking, loss, center_coef=0.01),
            mean_loss(scores + 3, ranking, loss),
        )

        torch.testing.assert_close(centred, free)
        torch.testing.assert_close(shifted, free + 0.01 * 36)


class TestDPO:
    @pytest.fixture
    def logprobs(self):
        """Of the policy and of the reference, for the completions of all rankings."""
        return -normal(sum(SIZES), 1).abs().requires_grad_(), -normal(sum(SIZES), 2).abs()

    @pytest.fixture
    def said(self):
        return side_by_side(JUDGEMENTS)

    def test_on_pairs_equals_equation_7(self, logprobs, said):
        policy, reference = logprobs
        beta, (weights,) = 0.3, shares(said.weights.double(), said.comparison_of)

        loss = dpo_loss(policy, reference, said.chosen, said.rejected, weights, beta)

        expected = 0
        for weight, better, worse in zip(weights, said.chosen, said.rejected, strict=True):
            ahead = beta * (policy[better] - reference[better]) - beta * (policy[worse] - reference[worse])
            expected = expected - weight * torch.log(torch.sigmoid(ahead))
        torch.testing.assert_close(loss, expected, rtol=1e-12, atol=0)

    def test_on_lists_gives_probabilities_that_sum_to_1_over_all_orders(self):
        policy, reference = normal(4, 1), normal(4, 2)

        total = 0
        for order in permutations(range(4)):
            said = side_by_side([judgement([[i] for i in order])])
            nats = listwise_dpo_loss(policy, reference, said.winners, said.below, torch.ones(3), beta=0.3)
            total += math.exp(-nats)

        assert total == pytest.approx(1, rel=1e-12)

    def test_on_lists_of_two_is_that_on_pairs(self):
        policy, reference = normal(2, 1), normal(2, 2)
        said, one = side_by_side([judgement([[1], [0]])]), torch.ones(1)

        pairs = dpo_loss(policy, reference, said.chosen, said.rejected, one, beta=0.3)

        lists = listwise_dpo_loss(policy, reference, said.winners, said.below, one, beta=0.3)
        torch.testing.assert_close(pairs, lists, rtol=1e-12, atol=0)

    def test_starts_as_if_all_completions_were_equal(self, logprobs, said):
        policy, _ = logprobs
        (weights,) = shares(said.weights.double(), said.comparison_of)

        loss = dpo_loss(policy, policy.detach(), said.chosen, said.rejected, weights, beta=0.1)

        assert (loss / weights.sum()).item() == pytest.approx(math.log(2), rel=1e-12)
        assert implicit_rewards(policy, policy, 0.1).abs().max() == 0


class TestJudgements:
    def test_number_the_completions_through(self):
        said = side_by_side([judgement([[1], [0, 2]]), judgement([[0, 1]]), judgement([[1]], [0])])

        assert list(zip(said.chosen.tolist(), said.rejected.tolist(), strict=True)) == [
            (1, 0),
            (1, 2),
            (6, 5),
        ]
        assert said.tied.T.tolist() == [[0, 2], [3, 4]]
        assert dict(zip(said.winners.tolist(), said.below.tolist(), strict=True)) == {1: [0, 2], 6: [5, -1]}
        assert [of.tolist() for of in (said.comparison_of, said.tie_of, said.choice_of)] == [
            [0, 0, 2],
            [0, 1],
            [0, 2],
        ]

    def test_share_a_rankings_weight_evenly_among_all_it_says(self):
        said = side_by_side([judgement([[0, 1], [2]], weight=3.0), judgement([[0], [1]])])

        comparisons, ties = shares(said.weights, said.comparison_of, said.tie_of)

        assert (comparisons.tolist(), ties.tolist()) == ([1.0, 1.0, 1.0], [1.0])

    @pytest.mark.parametrize("weight", [0.0, -1.0, math.nan, math.inf])
    def test_refuse_a_weight_that_counts_nothing_or_is_no_number(self, weight):
        with pytest.raises(LabError, match="weight"):
            judgement([[0], [1]], weight=weight)
