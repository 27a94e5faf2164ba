import math

import pytest
import torch
import torch.nn.functional as F

from trainer.rlhf.losses import policy_loss, value_loss

DOUBLE = torch.float64


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

    @pytest.mark.parametrize(
        ("ratio", "advantage", "loss"),
        [(1.0, 2.0, -2.0), (1.5, 2.0, -2.4), (0.5, 2.0, -1.0), (1.5, -2.0, 3.0), (0.5, -2.0, 1.6)],
    )
    def test_is_the_worse_of_the_ratio_and_the_clipped_one(self, ratio, advantage, loss):
        """Worked out by hand, for a clip range of 0.2."""
        log_ratio, advantages = torch.tensor([[[math.log(ratio)]], [[advantage]]], dtype=DOUBLE)

        found = policy_loss(log_ratio, torch.zeros_like(log_ratio), advantages, torch.ones(1, 1), 0.2)

        assert found.item() == pytest.approx(loss)

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
