"""Policies over a handful of tokens, so that everything they could say can be listed."""

import dataclasses
from itertools import product

import torch
from transformers import GPTNeoXConfig, GPTNeoXForCausalLM

from trainer.rlhf.modeling import Backbone

END = 0


def tiny_policy(*, vocab=5, hidden=16, lora_rank=2, seed=0):
    """A backbone without roles. GPT-NeoX, whose norms compute in float64 when asked to."""
    config = GPTNeoXConfig(
        vocab_size=vocab,
        hidden_size=hidden,
        intermediate_size=2 * hidden,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=64,
        initializer_range=0.2,
        bos_token_id=None,
        eos_token_id=END,
        pad_token_id=END,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Backbone(GPTNeoXForCausalLM(config), lora_rank=lora_rank, lora_layers=0)


def add_random_role(backbone, role, *, spread=0.3, seed=1):
    """Adapters that say something; returns their parameters."""
    parameters = backbone.add_role(role, seed)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in parameters:
            parameter.add_(spread * torch.randn(parameter.shape, generator=generator))
    return parameters


def all_completions(vocab, longest):
    """Everything that can be said: up to the end mark, or cut at ``longest`` tokens."""
    words = range(1, vocab)
    ended = [[*said, END] for length in range(longest) for said in product(words, repeat=length)]
    return ended + [list(said) for said in product(words, repeat=longest)]


def in_double(batch):
    return dataclasses.replace(batch, mask=batch.mask.double())
