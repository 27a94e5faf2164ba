"""What is taken out, and that the rest is as it was."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM

from trainer.handoff.configs.compress import PruneConfig
from trainer.rlhf.batches import TokenSequence
from trainer.rlhf.compress.prune import block_influence, kept_of, largest, prune, prune_heads, two_of_four
from trainer.rlhf.compress.students import evenly, keep_layers
from trainer.rlhf.modeling import Backbone, Role

IDS = torch.arange(1, 9)[None]


@pytest.fixture
def model(model_folder):
    return AutoModelForCausalLM.from_pretrained(model_folder, dtype=torch.float32).eval()


@torch.no_grad()
def said_by(model):
    return model(IDS, use_cache=False).logits


class TestMasks:
    @given(st.integers(0, 100), st.floats(0, 0.99))
    def test_exactly_the_fraction_goes_and_it_is_the_smallest(self, seed, fraction):
        weight = torch.randn(6, 8, generator=torch.Generator().manual_seed(seed))

        mask = largest(weight, fraction).bool()

        assert (~mask).sum() == round(48 * fraction)
        if 0 < mask.sum() < 48:
            assert weight[~mask].abs().max() <= weight[mask].abs().min()

    @given(st.integers(0, 100))
    def test_two_of_every_four_stay_and_they_are_the_largest(self, seed):
        weight = torch.randn(6, 8, generator=torch.Generator().manual_seed(seed))

        mask = two_of_four(weight)

        assert (mask.view(6, 2, 4).sum(-1) == 2).all()
        kept = (weight.abs() * mask).view(6, 2, 4).sum(-1)
        assert torch.allclose(kept, weight.abs().view(6, 2, 4).topk(2).values.sum(-1))

    @pytest.mark.parametrize(("what", "share"), [("magnitude", 0.25), ("2:4", 0.5)])
    def test_all_linear_layers_get_theirs(self, model, what, share):
        masks = prune(model, None, [], PruneConfig(what=what, fraction=0.25))

        assert len(masks) == 3 * 7
        for name, mask in masks.items():
            weight = model.get_parameter(name)
            assert (weight == 0).sum() == weight.numel() * share == (mask == 0).sum()


class TestHeads:
    def test_a_model_without_heads_says_what_one_with_silenced_heads_says(self, model, model_folder):
        silenced = AutoModelForCausalLM.from_pretrained(model_folder, dtype=torch.float32).eval()
        with torch.no_grad():
            for layer in silenced.model.layers:
                # Two key-value heads, each read by two query heads of 8: the smaller half goes.
                halves = layer.self_attn.o_proj.weight.view(32, 2, 16)
                halves[:, halves.square().sum((0, 2)).argmin()] = 0

        prune_heads(model, 0.5)

        assert model.config.num_attention_heads == 2
        assert model.config.num_key_value_heads == 1
        assert torch.allclose(said_by(model), said_by(silenced), atol=1e-4)
        assert model.model.layers[0].self_attn.k_proj.weight.shape == (8, 32)


class TestLayers:
    def test_a_student_with_all_layers_is_its_teacher(self, model):
        before = said_by(model)

        keep_layers(model, evenly(3, 3))

        assert torch.equal(said_by(model), before)

    @given(st.integers(1, 40), st.data())
    def test_evenly_spaced_layers_are_as_many_as_asked_for(self, count, data):
        chosen = data.draw(st.integers(1, count))

        places = evenly(count, chosen)

        assert len(set(places)) == chosen
        assert places == sorted(places)
        assert set(places) <= set(range(count))
        assert chosen == 1 or {0, count - 1} <= set(places)

    def test_the_layer_that_changes_nothing_goes_first(self, model):
        with torch.no_grad():
            model.model.layers[1].self_attn.o_proj.weight.zero_()
            model.model.layers[1].mlp.down_proj.weight.zero_()
        original = Role(Backbone(model, lora_rank=0, lora_layers=0), None)
        sequences = [TokenSequence(ids=list(range(1, 9)), learned=[3])]

        influence = block_influence(original, sequences)

        assert influence[1] == pytest.approx(0, abs=1e-6)
        assert min(influence[0], influence[2]) > 1e-4

    @given(st.integers(1, 40), st.floats(0, 0.99))
    def test_one_stays_at_least(self, count, fraction):
        assert 1 <= kept_of(count, fraction) <= count
