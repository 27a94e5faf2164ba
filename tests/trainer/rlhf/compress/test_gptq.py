"""Four bits with care."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.rlhf.compress.codes import encode
from trainer.rlhf.compress.gptq import best_scale, encode_with_care, lost_share, spreading

seeds = st.integers(0, 1000)


def drawn(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


class TestEncodeWithCare:
    @given(seeds)
    def test_where_inputs_have_nothing_to_do_with_each_other_it_rounds_to_the_nearest(self, seed):
        weight = drawn(seed, 8, 64)

        codes = encode_with_care(weight, torch.eye(64), group=32)

        step = codes.scale.float().repeat_interleave(32, 1)
        nearest = (weight / step).round().clamp(-8, 7) * step
        assert torch.allclose(codes.weights(), nearest, atol=1e-6)

    @given(seeds)
    @settings(max_examples=20)
    def test_outputs_stay_nearer_than_by_rounding_alone(self, seed):
        weight = drawn(seed, 16, 64)
        inputs = drawn(seed + 1, 256, 8) @ drawn(seed + 2, 8, 64) + 0.1 * drawn(seed + 3, 256, 64)

        careful = encode_with_care(weight, inputs.T @ inputs, group=32).weights()

        rounded = encode(weight, bits=4, group=32).weights()
        off, usual = ((inputs @ (made - weight).T).norm() for made in (careful, rounded))
        assert off < usual

    def test_what_is_lost_is_a_share_of_the_outputs(self):
        weight, inputs = drawn(0, 16, 64), drawn(1, 256, 64)
        codes = encode(weight, bits=4, group=32)

        share = lost_share(weight, codes, inputs.T @ inputs)

        off, all_of_it = (inputs @ (codes.weights() - weight).T), inputs @ weight.T
        assert share == pytest.approx((off.norm() / all_of_it.norm()).item() ** 2, rel=1e-3)

    def test_an_input_that_was_never_seen_does_no_harm(self):
        moments = torch.eye(64)
        moments[3, 3] = 0

        assert spreading(moments).isfinite().all()


class TestBestScale:
    @given(seeds)
    def test_is_never_worse_than_the_usual_one(self, seed):
        weight = drawn(seed, 16, 32)

        def error(scale):
            step = scale.float()[:, None]
            return ((weight / step).round().clamp(-8, 7) * step - weight).square().sum(1)

        # The usual one is not among those that are tried: an eighth of a step apart at most.
        usual = encode(weight, bits=4).scale[:, 0]
        assert error(best_scale(weight)).sum() <= error(usual).sum()
