"""How far a policy has come from the model that it was trained from, on its own answers."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from trainer.handoff.configs import EvaluateConfig
from trainer.handoff.records import Message
from trainer.rlhf.batches import answer_sequence, completion_ids, pad, prompt_ids, rows_by_length
from trainer.rlhf.loading import load_model, load_tokenizer, pick_dtype
from trainer.rlhf.modeling import Backbone, Role, learned_states, token_logprobs
from trainer.rlhf.rewards import WHOLE


def ref_kl(
    config: EvaluateConfig,
    policy: str,
    reference: str,
    asked: Sequence[Sequence[Message]],
    samples: Sequence[dict[str, Any]],
) -> float | None:
    """Mean over answers of Σ_t log π(y_t) − log π_ref(y_t), in nats, both at the temperature that the answers
    were drawn at; unbiased for KL(π ‖ π_ref) where they are the policy's own. None where the two do not read
    texts as the same tokens.
    """
    tokenizer = load_tokenizer(policy)
    if load_tokenizer(reference).get_vocab() != tokenizer.get_vocab() or not samples:
        return None
    sequences = []
    for messages, sample in zip(asked, samples, strict=True):
        prompt = prompt_ids(tokenizer, messages)
        said = completion_ids(tokenizer, sample["completion"], WHOLE)
        # An answer that was cut has drawn no end mark.
        sequences.append(answer_sequence(prompt, said if sample["finished"] else said[:-1]))
    told = [logprobs(config, place, sequences) for place in (policy, reference)]
    return (told[0] - told[1]).mean().item()


@torch.no_grad()
def logprobs(config: EvaluateConfig, place: str, sequences: Sequence[Any]) -> Tensor:
    """(N,) of each answer as a whole."""
    role = Role(Backbone(load_model(place, pick_dtype(config)), lora_rank=0, lora_layers=0), None)
    batch = pad(sequences, role.backbone.device)
    total = torch.zeros(len(sequences), device=batch.mask.device)
    for rows in rows_by_length(batch, config.batch_size):
        part = batch.rows(rows)
        states = learned_states(role.hidden(part), part)
        total[rows] = token_logprobs(role.backbone, states, part, config.temperature).sum(1)
    return total
