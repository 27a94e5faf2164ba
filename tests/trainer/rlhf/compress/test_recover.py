"""Learning from the original's probabilities."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from trainer.rlhf.compress.recover import distillation_loss

seeds, temperatures = st.integers(0, 1000), st.floats(0.5, 10)


def logits(seed, spread=1.0):
    return spread * torch.randn(5, 7, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


class TestDistillationLoss:
    @given(seeds, seeds, temperatures)
    def test_is_never_below_zero(self, one, other, temperature):
        assert (distillation_loss(logits(one), logits(other), temperature) >= -1e-12).all()

    @given(seeds, temperatures)
    def test_is_zero_for_equals(self, seed, temperature):
        # A constant added to all logits changes no probability.
        loss = distillation_loss(logits(seed) + 3, logits(seed), temperature)

        assert torch.allclose(loss, torch.zeros_like(loss), atol=1e-9)

    @given(seeds)
    def test_its_gradient_keeps_its_size_at_high_temperatures(self, seed):
        """As Hinton et al. (2015, eq. 4) have it, where logits are centred: (z − v) / V, whatever T is."""
        teacher = logits(seed) - logits(seed).mean(-1, keepdim=True)
        student = logits(seed + 1)
        student = (student - student.mean(-1, keepdim=True)).requires_grad_()

        distillation_loss(student, teacher, 1e4).sum().backward()

        assert torch.allclose(student.grad, (student - teacher).detach() / 7, atol=1e-3)
