import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.rlhf.advantages import generalized_advantages, shape_rewards, whiten

seeds = st.integers(0, 10_000)


def episodes(seed, *, count=3, longest=6):
    """Rewards, values and a mask of completions of various lengths, in float64."""
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(1, longest + 1, (count, 1), generator=generator)
    mask = (torch.arange(longest) < lengths).double()
    rewards, values = torch.randn(2, count, longest, generator=generator, dtype=torch.float64)
    return rewards, values, mask


def brute_force(rewards, values, mask, gamma, gae_lambda):
    """Equation 16 as it stands: the discounted sum of TD errors, one token at a time."""
    advantages = torch.zeros_like(rewards)
    for row, length in enumerate(mask.sum(1).long().tolist()):
        v = [*values[row, :length].tolist(), 0.0]
        errors = [rewards[row, t].item() + gamma * v[t + 1] - v[t] for t in range(length)]
        for t in range(length):
            advantages[row, t] = sum((gamma * gae_lambda) ** (s - t) * errors[s] for s in range(t, length))
    return advantages


class TestGeneralizedAdvantages:
    @settings(max_examples=30)
    @given(seeds, st.floats(0, 1), st.floats(0, 1))
    def test_are_the_discounted_sum_of_td_errors(self, seed, gamma, gae_lambda):
        rewards, values, mask = episodes(seed)

        advantages = generalized_advantages(rewards, values, mask, gamma, gae_lambda)

        expected = brute_force(rewards, values, mask, gamma, gae_lambda)
        torch.testing.assert_close(advantages, expected, rtol=0, atol=1e-12)

    @given(seeds)
    def test_at_lambda_and_gamma_1_are_reward_to_go_minus_value(self, seed):
        rewards, values, mask = episodes(seed)

        advantages = generalized_advantages(rewards, values, mask, gamma=1, gae_lambda=1)

        to_go = (rewards * mask).flip(1).cumsum(1).flip(1)
        torch.testing.assert_close(advantages, (to_go - values) * mask, rtol=0, atol=1e-12)

    @given(seeds)
    def test_at_lambda_0_are_the_td_errors(self, seed):
        rewards, values, mask = episodes(seed)

        advantages = generalized_advantages(rewards, values, mask, gamma=0.9, gae_lambda=0)

        following = torch.cat([(values * mask)[:, 1:], torch.zeros(len(values), 1)], dim=1)
        torch.testing.assert_close(advantages, (rewards + 0.9 * following - values) * mask)

    @given(seeds)
    def test_ignore_whatever_stands_in_the_padding(self, seed):
        rewards, values, mask = episodes(seed)
        rubbish = 100 * (1 - mask)

        advantages = generalized_advantages(rewards, values, mask, 0.9, 0.8)
        with_rubbish = generalized_advantages(rewards + rubbish, values - rubbish, mask, 0.9, 0.8)

        assert torch.equal(advantages, with_rubbish)
        assert torch.equal(advantages * (1 - mask), torch.zeros_like(mask))


class TestShapeRewards:
    @given(seeds, st.floats(0, 1))
    def test_sum_to_the_score_minus_the_price_of_the_drift(self, seed, kl_coef):
        logprobs, ref_logprobs, mask = episodes(seed)
        scores = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)

        rewards = shape_rewards(scores, logprobs, ref_logprobs, mask, kl_coef)

        drift = ((logprobs - ref_logprobs) * mask).sum(1)
        torch.testing.assert_close(rewards.sum(1), scores - kl_coef * drift)

    @given(seeds)
    def test_put_the_score_on_the_last_real_token_alone(self, seed):
        logprobs, _, mask = episodes(seed)
        scores = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)

        rewards = shape_rewards(scores, logprobs, logprobs, mask, 0.1)

        assert torch.equal(rewards.sum(1), scores)
        assert (rewards != 0).sum().item() == 3
        assert torch.equal((rewards != 0).double().argmax(1), mask.sum(1).long() - 1)

    def test_leave_what_they_are_given_alone(self):
        logprobs, ref_logprobs, mask = episodes(1)
        before = logprobs.clone(), ref_logprobs.clone(), mask.clone()

        shape_rewards(torch.ones(3, dtype=torch.float64), logprobs, ref_logprobs, mask, 0.1)

        for tensor, was in zip((logprobs, ref_logprobs, mask), before, strict=True):
            assert torch.equal(tensor, was)


class TestWhiten:
    @given(seeds)
    def test_gives_real_tokens_mean_0_and_variance_1_and_padding_0(self, seed):
        values, _, mask = episodes(seed)
        values = 5 + 3 * values

        white = whiten(values, mask)

        real = white[mask.bool()]
        assert real.mean().item() == pytest.approx(0, abs=1e-9)
        # One real token has no variance; whitening leaves it at 0.
        assert real.var(correction=0).item() == pytest.approx(float(len(real) > 1), abs=1e-4)
        assert torch.equal(white * (1 - mask), torch.zeros_like(mask))

    @given(seeds)
    def test_is_the_same_with_more_padding(self, seed):
        values, _, mask = episodes(seed)

        wider = whiten(*(torch.nn.functional.pad(x, (0, 4), value=0.0) for x in (values, mask)))

        torch.testing.assert_close(wider[:, :6], whiten(values, mask), rtol=0, atol=1e-12)

    def test_makes_equal_advantages_zero(self):
        assert torch.equal(whiten(torch.full((2, 3), 7.0), torch.ones(2, 3)), torch.zeros(2, 3))
