"""Codes for weights, and layers that multiply with them."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from trainer.rlhf.compress.codes import encode, packed, unpacked
from trainer.rlhf.compress.kernels import MANY, linear_of

seeds = st.integers(0, 1000)
some_bits = st.sampled_from([4, 8])


def weight(seed, rows=32, columns=64):
    return torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed))


class TestEncode:
    @given(seeds, some_bits, st.sampled_from([0, 32, 64]))
    def test_no_weight_moves_by_more_than_half_a_step(self, seed, bits, group):
        original = weight(seed)

        codes = encode(original, bits=bits, group=group)

        steps = codes.scale.float().repeat_interleave(codes.group, 1)
        assert ((codes.weights() - original).abs() <= steps / 2 + 1e-6).all()

    @given(seeds, some_bits)
    def test_what_codes_stand_for_has_the_same_codes(self, seed, bits):
        codes = encode(weight(seed), bits=bits, group=32)

        assert torch.equal(encode(codes.weights(), bits=bits, group=32).codes, codes.codes)

    def test_a_row_of_zeros_stays_one(self):
        assert not encode(torch.zeros(2, 8), bits=4).weights().any()

    def test_a_width_that_the_group_does_not_divide_has_one_scale_a_row(self):
        assert encode(weight(0, columns=48), bits=4, group=32).scale.shape == (32, 1)

    @given(seeds)
    def test_two_codes_in_a_byte_come_apart_again(self, seed):
        codes = torch.randint(-8, 8, (4, 6), generator=torch.Generator().manual_seed(seed)).to(torch.int8)

        assert torch.equal(unpacked(packed(codes)), codes)


class TestLinear:
    @pytest.mark.parametrize(("bits", "dynamic"), [(4, False), (8, False), (8, True)])
    @pytest.mark.parametrize("tokens", [1, MANY + 1])
    def test_says_what_the_weights_say_that_codes_stand_for(self, bits, dynamic, tokens):
        codes = encode(weight(1), bits=bits, group=32 if bits == 4 else 0)
        inputs, bias = weight(2, tokens), torch.ones(32)

        said = linear_of(codes, bias, dynamic=dynamic)(inputs)

        expected = torch.nn.functional.linear(inputs, codes.weights(), bias)
        # Inputs are rounded too: to bfloat16, or to 8 bits.
        assert (said - expected).norm() / expected.norm() < 0.02

    def test_groups_that_no_kernel_knows_are_right_all_the_same(self):
        codes = encode(weight(1), bits=4, group=16)
        inputs = weight(2)

        assert torch.equal(linear_of(codes, None, dynamic=False)(inputs), inputs @ codes.weights().T)
