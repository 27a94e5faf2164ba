"""Text to tokens, and tokens to padded tensors.

Everything learned or scored is a *sequence*: token ids, of which some are learned. A prompt's tokens are made
exactly as they are made for sampling, so that what is learned is what will be sampled.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor

from trainer.rlhf.errors import LabError

Message = dict[str, str]
Item = TypeVar("Item")

# For tokenizers that come without a chat template.
PLAIN_TEMPLATE = (
    "{% for message in messages %}{{ message['role'] + ':\n' + message['content'] }}"
    "{% if message['role'] == 'assistant' %}{{ eos_token }}{% endif %}{{ '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'assistant:\n' }}{% endif %}"
)


@dataclass(frozen=True)
class TokenSequence:
    """Token ids, and which of them are learned or were sampled."""

    ids: list[int]
    learned: list[int]
    """Positions in ``ids``, ascending, none of them 0."""


@dataclass(frozen=True)
class Batch:
    """Right-padded sequences. S is the longest sequence, T the most learned tokens in one.

    ids        (N, S)  token ids; what stands in the padding is never read
    attention  (N, S)  1 on tokens, 0 on padding
    source     (N, T)  the position whose hidden state predicts a learned token
    tokens     (N, T)  the learned tokens
    mask       (N, T)  1.0 on learned tokens, 0.0 on padding
    last       (N,)    the position of each sequence's last token
    """

    ids: Tensor
    attention: Tensor
    source: Tensor
    tokens: Tensor
    mask: Tensor
    last: Tensor

    @property
    def token_count(self) -> int:
        return int(self.attention.sum())

    def rows(self, index: Tensor) -> "Batch":
        """The chosen rows, padded no further than the longest of them."""
        longest = int(self.last[index].max()) + 1
        learned = max(int(self.mask[index].sum(1).max()), 1)
        return Batch(
            ids=self.ids[index, :longest],
            attention=self.attention[index, :longest],
            source=self.source[index, :learned],
            tokens=self.tokens[index, :learned],
            mask=self.mask[index, :learned],
            last=self.last[index],
        )


def pad(sequences: Sequence[TokenSequence], device: torch.device | str = "cpu") -> Batch:
    """The sequences as one batch."""
    count, longest = len(sequences), max(len(sequence.ids) for sequence in sequences)
    learned = max(1, max(len(sequence.learned) for sequence in sequences))
    ids = torch.zeros(count, longest, dtype=torch.long)
    attention = torch.zeros(count, longest, dtype=torch.long)
    source = torch.zeros(count, learned, dtype=torch.long)
    tokens = torch.zeros(count, learned, dtype=torch.long)
    mask = torch.zeros(count, learned)
    for row, sequence in enumerate(sequences):
        positions = torch.tensor(sequence.learned, dtype=torch.long)
        ids[row, : len(sequence.ids)] = torch.tensor(sequence.ids)
        attention[row, : len(sequence.ids)] = 1
        source[row, : len(positions)] = positions - 1
        tokens[row, : len(positions)] = ids[row, positions]
        mask[row, : len(positions)] = 1.0
    last = torch.tensor([len(sequence.ids) - 1 for sequence in sequences])
    return Batch(*(x.to(device) for x in (ids, attention, source, tokens, mask, last)))


def rows_by_length(batch: Batch, size: int, among: Tensor | None = None) -> tuple[Tensor, ...]:
    """Indices of the batch's rows (of those ``among`` them), ``size`` of like length at a time."""
    rows = torch.arange(len(batch.last), device=batch.last.device) if among is None else among
    return torch.split(rows[batch.last[rows].argsort(stable=True)], size)


def prompt_ids(tokenizer: Any, messages: Sequence[Message]) -> list[int]:
    """The tokens of a conversation up to where the assistant is to speak."""
    return _ids(tokenizer, render_prompt(tokenizer, messages))


def render_prompt(tokenizer: Any, messages: Sequence[Message]) -> str:
    text: str = tokenizer.apply_chat_template(list(messages), tokenize=False, add_generation_prompt=True)
    return text


def completion_ids(tokenizer: Any, text: str, limit: int) -> list[int]:
    """The tokens of an answer, end mark included; at most ``limit`` before the end mark."""
    return [*_ids(tokenizer, text)[:limit], tokenizer.eos_token_id]


def answer_sequence(prompt: list[int], completion: list[int]) -> TokenSequence:
    """A prompt and its completion; every token of the completion is learned."""
    return TokenSequence(
        ids=prompt + completion, learned=list(range(len(prompt), len(prompt) + len(completion)))
    )


def dialogue_sequence(
    tokenizer: Any, messages: Sequence[Message], turns: Sequence[Message], limit: int
) -> TokenSequence:
    """A prompt and the turns after it; the assistant's tokens among the turns are learned, with end marks.

    Spans come from rendering prefixes, so any chat template works that only appends.

    :raises LabError: the chat template rewrites earlier turns.
    """
    ids: list[int] = []
    learned: list[int] = []
    done = ""
    for position, turn in enumerate(turns):
        if turn["role"] != "assistant":
            continue
        before = render_prompt(tokenizer, [*messages, *turns[:position]])
        after = tokenizer.apply_chat_template([*messages, *turns[: position + 1]], tokenize=False)
        if not (before.startswith(done) and after.startswith(before)):
            raise LabError(
                "The model's chat template changes earlier turns, so answers cannot be told apart."
            )
        ids += _ids(tokenizer, before[len(done) :])
        answer, done = _answer(tokenizer, before, after)
        kept = answer[:limit]
        learned += range(len(ids), len(ids) + len(kept))
        ids += kept
        # A cut answer gets its end mark too, for the turns after it; but to end there is not learned.
        if len(kept) == len(answer):
            learned.append(len(ids))
        ids.append(tokenizer.eos_token_id)
    return TokenSequence(ids=ids, learned=learned)


def length_buckets(
    items: Sequence[Item], lengths: Sequence[int], size: int, rng: random.Random
) -> list[list[Item]]:
    """Batches of items of like length, in random order. Which items are together does not change."""
    order = list(range(len(items)))
    rng.shuffle(order)
    order.sort(key=lambda index: lengths[index])
    batches = [
        [items[index] for index in order[start : start + size]] for start in range(0, len(order), size)
    ]
    rng.shuffle(batches)
    return batches


def _ids(tokenizer: Any, text: str) -> list[int]:
    found: list[int] = tokenizer(text, add_special_tokens=False).input_ids
    return found


def _answer(tokenizer: Any, before: str, after: str) -> tuple[list[int], str]:
    """The tokens that the template added for an answer, up to its end mark; and the text up to and with that.
    A template without end marks gets one: sampling has to end somewhere."""
    added = after[len(before) :]
    end = added.find(tokenizer.eos_token)
    said = added if end < 0 else added[:end]
    done = after if end < 0 else before + added[: end + len(tokenizer.eos_token)]
    return _ids(tokenizer, said), done
