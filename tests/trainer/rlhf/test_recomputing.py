"""Gradient checkpointing: the same gradients to the last bit, from fewer kept tensors."""

import pytest
import torch
from transformers import OPTConfig, OPTForCausalLM

from tests.trainer.rlhf.kitchen import TEXTS
from tests.trainer.rlhf.tiny_policies import add_random_role
from trainer.handoff.configs import SFTConfig
from trainer.rlhf.batches import TokenSequence, pad
from trainer.rlhf.errors import LabError
from trainer.rlhf.loading import load_backbone
from trainer.rlhf.modeling import Backbone, frozen_copy


@pytest.fixture
def batch(tokenizer):
    rows = [tokenizer(text).input_ids for text in TEXTS[:4] + TEXTS[-1:]]
    return pad([TokenSequence(ids=row, learned=list(range(1, len(row)))) for row in rows])


def gradients(backbone, role, batch):
    """By name, after somebody else has spoken between the forward pass and the gradient."""
    backbone.zero_grad()
    loss = backbone.hidden(role, batch).square().sum()
    with torch.no_grad():
        backbone.hidden(None, batch)
    loss.backward()
    return {name: p.grad for name, p in backbone.named_parameters() if p.grad is not None}


def kept_bytes(backbone, role, batch):
    """Of the tensors that the forward pass keeps for the gradient, weights apart."""
    weights = {parameter.untyped_storage().data_ptr() for parameter in backbone.parameters()}
    kept = {}

    def keep(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        states = backbone.hidden(role, batch)
    assert states.requires_grad
    return sum(kept.values())


@pytest.mark.parametrize(("lora_rank", "lora_layers"), [(4, 2), (4, 0), (0, 0)])
class TestRecomputedLayers:
    def test_give_the_same_gradients_to_the_last_bit(self, make_backbone, batch, lora_rank, lora_layers):
        backbone = make_backbone(lora_rank=lora_rank, lora_layers=lora_layers)
        add_random_role(backbone, "policy")
        kept = gradients(backbone, "policy", batch)

        backbone.recompute_layers()
        recomputed = gradients(backbone, "policy", batch)

        assert kept.keys() == recomputed.keys() != set()
        assert all(torch.equal(kept[name], recomputed[name]) for name in kept)

    def test_keep_less(self, make_backbone, batch, lora_rank, lora_layers):
        backbone = make_backbone(lora_rank=lora_rank, lora_layers=lora_layers)
        add_random_role(backbone, "policy")
        before = kept_bytes(backbone, "policy", batch)

        backbone.recompute_layers()

        assert kept_bytes(backbone, "policy", batch) < before / 3


class TestRecomputing:
    def test_speaks_with_the_role_of_the_forward_pass_alone(self, make_backbone, batch):
        backbone = make_backbone()
        add_random_role(backbone, "policy")
        others = add_random_role(backbone, "reward", seed=2)
        backbone.recompute_layers()

        loss = backbone.hidden("policy", batch).square().sum()
        with backbone.speaking("reward"):
            loss.backward()

        assert all(parameter.grad is None for parameter in others)
        assert all(parameter.grad is not None for parameter in backbone.role_parameters("policy"))

    def test_drops_nothing_out(self):
        """OPT's layers drop out themselves where they are in training mode."""
        config = OPTConfig(
            vocab_size=32, hidden_size=16, word_embed_proj_dim=16, ffn_dim=32, num_hidden_layers=2,
            num_attention_heads=2, max_position_embeddings=64, dropout=0.5,
        )  # fmt: skip
        backbone = Backbone(OPTForCausalLM(config), lora_rank=0, lora_layers=0)
        backbone.add_role("full", seed=0)
        batch = pad([TokenSequence(ids=[5, 6, 7, 8], learned=[2, 3])])
        plain = gradients(backbone, None, batch)

        backbone.recompute_layers()
        recomputed = gradients(backbone, None, batch)

        assert all(torch.equal(plain[name], recomputed[name]) for name in plain)

    def test_of_a_copy_asks_the_copy(self, make_backbone, batch):
        backbone = make_backbone(lora_rank=0)
        backbone.recompute_layers()
        copy = frozen_copy(backbone)
        copy.add_role("full", seed=0)
        with torch.no_grad():
            backbone.decoder.layers[0].mlp.up_proj.weight.zero_()

        mine = gradients(copy, None, batch)

        fresh = make_backbone(lora_rank=0)
        fresh.add_role("full", seed=0)
        plain = gradients(fresh, None, batch)
        assert all(torch.equal(mine[name], plain[name]) for name in plain)
        assert all(parameter.grad is None for parameter in backbone.parameters())

    def test_is_one_setting(self, model_folder, batch):
        settings = {"dtype": "float32", "lora_rank": 4, "lora_layers": 2}
        plain, thrifty = (
            load_backbone(str(model_folder), SFTConfig(**settings, gradient_checkpointing=asked))
            for asked in (False, True)
        )
        for backbone in (plain, thrifty):
            add_random_role(backbone, "sft")

        assert kept_bytes(thrifty, "sft", batch) < kept_bytes(plain, "sft", batch)

    def test_needs_layers(self, make_backbone):
        backbone = make_backbone()
        del backbone.decoder.layers

        with pytest.raises(LabError, match="set gradient_checkpointing to false"):
            backbone.recompute_layers()
