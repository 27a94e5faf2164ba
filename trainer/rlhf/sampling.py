"""Sampling with a key-value cache; rows that are done leave the batch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import DynamicCache

from trainer.rlhf.modeling import Role


@dataclass(frozen=True)
class Sampled:
    """One completion of the policy."""

    tokens: list[int]
    """The end mark included where ``finished``."""
    logprobs: list[float]
    """Of each token under the distribution it was drawn from."""
    finished: bool
    """The policy ended it by itself."""

    def text(self, tokenizer: Any) -> str:
        text: str = tokenizer.decode(self.tokens, skip_special_tokens=True)
        return text.strip()


@torch.no_grad()
def sample(
    role: Role,
    prompts: Sequence[list[int]],
    *,
    repeats: int = 1,
    temperature: float,
    max_new_tokens: int,
    eos: int,
    luck: Tensor,
    anybody: Callable[[bool], bool] = bool,
) -> list[Sampled]:
    """``repeats`` completions for each prompt (token ids): those of one prompt stand side by side, in the
    prompts' order. Each prompt is read once, however many answers it gets.

    luck  (completions, max_new_tokens or more)  numbers in [0, 1) that decide each token: a completion says
          the same whoever stands beside it
    anybody  whether somebody goes on, given whether somebody here does: whoever keeps in step with others has
          to speak for as long as they do
    """
    backbone = role.backbone
    luck = luck.to(backbone.device)
    ids, mask = _left_padded(prompts, backbone.device)
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    cache = DynamicCache()

    def read(ids: Tensor, positions: Tensor) -> Tensor:
        """(rows, H): the states behind the last column, which the cache now includes."""
        output = backbone.decoder(
            input_ids=ids, attention_mask=mask, position_ids=positions, cache=cache, use_cache=True
        )
        return output.last_hidden_state[:, -1]  # type: ignore[no-any-return]

    rows = list(range(len(prompts) * repeats))
    tokens: list[list[int]] = [[] for _ in rows]
    logprobs: list[list[float]] = [[] for _ in rows]
    finished = [False for _ in rows]
    with backbone.speaking(role.name):
        states = read(ids, positions).repeat_interleave(repeats, 0)
        cache.batch_repeat_interleave(repeats)
        mask, positions = mask.repeat_interleave(repeats, 0), positions.repeat_interleave(repeats, 0)
        for number in range(1, max_new_tokens + 1):
            drawn, drawn_logprobs = draw(backbone.logits(states) / temperature, luck[rows, number - 1])
            for row, token, logprob in zip(rows, drawn.tolist(), drawn_logprobs.tolist(), strict=True):
                if not finished[row]:
                    tokens[row].append(token)
                    logprobs[row].append(logprob)
                    finished[row] = token == eos
            going_on = [index for index, row in enumerate(rows) if not finished[row]]
            if number == max_new_tokens or not anybody(bool(going_on)):
                break
            # Past its end a row says nothing that counts.
            going_on = going_on or [0]
            positions = positions[:, -1:] + 1
            mask = F.pad(mask, (0, 1), value=1)
            if len(going_on) < len(rows):
                kept = torch.tensor(going_on, device=backbone.device)
                cache.batch_select_indices(kept)
                drawn, positions, mask = drawn[kept], positions[kept], mask[kept]
                rows = [rows[index] for index in going_on]
            states = read(drawn[:, None], positions)
    return [
        Sampled(tokens=row, logprobs=row_logprobs, finished=ended)
        for row, row_logprobs, ended in zip(tokens, logprobs, finished, strict=True)
    ]


def _left_padded(prompts: Sequence[list[int]], device: torch.device) -> tuple[Tensor, Tensor]:
    """(prompts, longest) token ids, and 1 where one stands: the next token of every row is in one column."""
    longest = max(map(len, prompts))
    ids = torch.tensor([[0] * (longest - len(prompt)) + prompt for prompt in prompts])
    mask = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts])
    return ids.to(device), mask.to(device)


def draw(logits: Tensor, luck: Tensor) -> tuple[Tensor, Tensor]:
    """A token (N,) from each row of logits (N, V) by its luck (N,), and its log-probability (N,).

    By the inverse of the distribution function: one random number a row, where ``multinomial`` draws V.
    """
    total = logits.logsumexp(-1, keepdim=True)
    cumulative = (logits - total).exp_().cumsum(-1)
    point = luck[:, None].to(cumulative.dtype) * cumulative[:, -1:]
    # Exactly 0 would draw the first token, however unlikely it is.
    point = point.clamp(min=torch.finfo(point.dtype).tiny)
    drawn = torch.searchsorted(cumulative, point).clamp(max=logits.shape[-1] - 1)
    return drawn[:, 0], (logits.gather(1, drawn) - total)[:, 0]
