"""Text to tokens, and tokens to padded tensors.

Everything learned or scored is a *sequence*: token ids, of which some are learned. A prompt's tokens are made
exactly as they are made for sampling, so that what is learned is what will be sampled.

Where one prompt has several completions (a *family*), they can stand in one row behind it, each blind to the
others: the prompt is then read once, however many answers it has.
"""

import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor

from trainer.rlhf.errors import LabError
from trainer.rlhf.marks import SEAM, unmarked, unmarked_messages

Message = dict[str, str]
Item = TypeVar("Item")

# For tokenizers that come without a chat template.
PLAIN_TEMPLATE = (
    "{% for message in messages %}{{ message['role'] + ':\n' + message['content'] }}"
    "{% if message['role'] == 'assistant' %}{{ eos_token }}{% endif %}{{ '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'assistant:\n' }}{% endif %}"
)


STEP = 16
"""Rows are as many columns wide as a multiple of this, and so are the contexts of models."""


@dataclass(frozen=True)
class TokenSequence:
    """Token ids, and which of them are learned or were sampled."""

    ids: list[int]
    learned: list[int]
    """Positions in ``ids``, ascending, none of them 0."""


@dataclass(frozen=True)
class Family:
    """One prompt and its completions, in token ids."""

    prompt: list[int]
    completions: list[list[int]]

    @property
    def width(self) -> int:
        """How many tokens stand in one row that holds the family."""
        return len(self.prompt) + sum(map(len, self.completions))

    def sequences(self) -> list[TokenSequence]:
        """Each completion with the prompt to itself."""
        return [answer_sequence(self.prompt, completion) for completion in self.completions]


@dataclass(frozen=True)
class Batch:
    """N sequences in R right-padded rows of S columns; T is the most learned tokens in one sequence.

    Either every sequence has a row to itself, or a row is shared by the completions of one prompt:
    ``[prompt | a1 | a2 | …]``.

    ids        (R, S)  token ids; what stands in the padding is never read
    attention  (R, S)  1 on tokens, 0 on padding
    source     (N, T)  the column whose hidden state predicts a learned token
    tokens     (N, T)  the learned tokens
    mask       (N, T)  1.0 on learned tokens, 0.0 on padding
    last       (N,)    the column of each sequence's last token
    row        (N,)    the row that each sequence stands in
    positions  (R, S)  how many tokens of its sequence come before a token; None: its column says so
    part       (R, S)  k on the tokens of a row's k-th completion, 0 on its prompt; None: rows are not shared
    """

    ids: Tensor
    attention: Tensor
    source: Tensor
    tokens: Tensor
    mask: Tensor
    last: Tensor
    row: Tensor
    positions: Tensor | None = None
    part: Tensor | None = None

    @property
    def token_count(self) -> int:
        """Tokens that the model reads."""
        return int(self.attention.sum())

    def visible(self) -> Tensor:
        """(R, S, S) whether a token sees another: its prompt's and its own completion's, up to itself.

        The padding stands behind all tokens, so none of them sees it; it sees the prompt, since nobody may
        see nothing at all.
        """
        columns = self.ids.shape[1]
        past = torch.ones(columns, columns, dtype=torch.bool, device=self.ids.device).tril()
        if self.part is None:
            return past.expand(len(self.ids), -1, -1)
        own = self.part[:, :, None] == self.part[:, None, :]
        return past & (own | (self.part == 0)[:, None, :])

    def rows(self, index: Tensor) -> "Batch":
        """The chosen sequences, padded no further than the longest of them. Each has a row to itself; of
        none, there is one row that nothing is read from."""
        if self.part is not None:
            raise ValueError("Sequences that share a row cannot be taken out of it.")
        if not len(index):
            return _nothing(self.ids.device)
        longest = whole_steps(int(self.last[index].max()) + 1)
        learned = max(int(self.mask[index].sum(1).max()), 1)
        return Batch(
            ids=self.ids[index, :longest],
            attention=self.attention[index, :longest],
            source=self.source[index, :learned],
            tokens=self.tokens[index, :learned],
            mask=self.mask[index, :learned],
            last=self.last[index],
            row=torch.arange(len(index), device=self.row.device),
        )


def pad(sequences: Sequence[TokenSequence], device: torch.device | str = "cpu") -> Batch:
    """The sequences as one batch, a row for each; of none, one row that nothing is read from."""
    if not sequences:
        return _nothing(device)
    lengths = [len(sequence.ids) for sequence in sequences]
    return Batch(
        ids=_columns([sequence.ids for sequence in sequences]).to(device),
        attention=_columns([[1] * length for length in lengths]).to(device),
        source=_right_padded([[place - 1 for place in s.learned] for s in sequences]).to(device),
        tokens=_right_padded([[s.ids[place] for place in s.learned] for s in sequences]).to(device),
        mask=_right_padded([[1] * len(s.learned) for s in sequences]).float().to(device),
        last=torch.tensor([length - 1 for length in lengths], device=device),
        row=torch.arange(len(sequences), device=device),
    )


def _nothing(device: torch.device | str) -> Batch:
    """A pass that teaches nothing: one row, in which no sequence stands."""
    row, none = torch.zeros(1, 1, dtype=torch.long, device=device), torch.zeros(0, device=device).long()
    places = none.view(0, 1)
    return Batch(row, row, source=places, tokens=places, mask=places.float(), last=none, row=none)


def pad_shared(families: Sequence[Family], device: torch.device | str = "cpu") -> Batch:
    """The families as one batch, a row for each; its sequences are their completions, family by family."""
    ids, positions, part, row, columns = [], [], [], [], []
    for number, family in enumerate(families):
        start = len(family.prompt)
        row_ids, row_positions, row_part = list(family.prompt), list(range(start)), [0] * start
        for k, completion in enumerate(family.completions, start=1):
            row.append(number)
            # The prompt's last token predicts the first of every completion.
            columns.append([start - 1, *range(len(row_ids), len(row_ids) + len(completion))])
            row_ids += completion
            row_positions += range(start, start + len(completion))
            row_part += [k] * len(completion)
        ids.append(row_ids)
        positions.append(row_positions)
        part.append(row_part)
    completions = [completion for family in families for completion in family.completions]
    return Batch(
        ids=_columns(ids).to(device),
        attention=_columns([[1] * len(one) for one in ids]).to(device),
        source=_right_padded([one[:-1] for one in columns]).to(device),
        tokens=_right_padded(completions).to(device),
        mask=_right_padded([[1] * len(one) for one in completions]).float().to(device),
        last=torch.tensor([one[-1] for one in columns], device=device),
        row=torch.tensor(row, device=device),
        positions=_columns(positions).to(device),
        part=_columns(part).to(device),
    )


def cheapest_rows(families: Sequence[Family], hidden_size: int) -> list[Family]:
    """The families, each divided among as many rows as make their batch cheapest: long prompts are worth
    sharing, long answers are not. Completions keep their order."""
    most = max(len(family.completions) for family in families)
    divisions = [
        [row for family in families for row in _divided(family, at_most)] for at_most in range(most, 0, -1)
    ]
    return min(divisions, key=lambda rows: row_cost(rows, hidden_size))


def row_cost(rows: Sequence[Family], hidden_size: int) -> int:
    """What R rows of S tokens, padding included, cost a model: about R · S · (24H² + 4H·S) in a layer, here
    without 4H. Linear layers read each token; attention compares all columns, also those that are hidden."""
    longest = whole_steps(max(row.width for row in rows))
    return len(rows) * longest * (6 * hidden_size + longest)


def _divided(family: Family, at_most: int) -> list[Family]:
    """Rows of ``at_most`` completions, or one fewer."""
    count = len(family.completions)
    rows = -(-count // at_most)
    bounds = [count * row // rows for row in range(rows + 1)]
    return [
        replace(family, completions=family.completions[start:end])
        for start, end in itertools.pairwise(bounds)
    ]


def whole_steps(count: int) -> int:
    """``count`` of tokens and a few more. In bfloat16 a processor makes its kernels anew for every shape that
    it has not seen: that takes longer than to pass some padding through those that it has."""
    return -(-count // STEP) * STEP


def in_whole_steps(states: Tensor) -> Tensor:
    """(tokens and a few more, H) from (tokens, H), with zeros below."""
    return F.pad(states, (0, 0, 0, whole_steps(len(states)) - len(states)))


def _columns(rows: Sequence[Sequence[int]]) -> Tensor:
    """(rows, S) with zeros behind the shorter ones."""
    return _right_padded(rows, whole_steps(max(map(len, rows))))


def _right_padded(rows: Sequence[Sequence[int]], width: int = 1) -> Tensor:
    """(rows, longest) with zeros behind the shorter ones; ``width`` columns at least."""
    padded = torch.zeros(len(rows), max(width, *map(len, rows)), dtype=torch.long)
    for index, row in enumerate(rows):
        padded[index, : len(row)] = torch.tensor(row, dtype=torch.long)
    return padded


def rows_by_length(batch: Batch, size: int, among: Tensor | None = None) -> tuple[Tensor, ...]:
    """Indices of the batch's rows (of those ``among`` them), ``size`` of like length at a time."""
    rows = torch.arange(len(batch.last), device=batch.last.device) if among is None else among
    return torch.split(rows[batch.last[rows].argsort(stable=True)], size) if len(rows) else ()


def prompt_ids(tokenizer: Any, messages: Sequence[Message]) -> list[int]:
    """The tokens of a conversation up to where the assistant is to speak."""
    return _ids(tokenizer, render_prompt(tokenizer, messages))


def render_prompt(tokenizer: Any, messages: Sequence[Message]) -> str:
    return _rendered(tokenizer, messages, add_generation_prompt=True)


def _rendered(tokenizer: Any, messages: Sequence[Message], **options: Any) -> str:
    """The conversation as its template writes it; marks that somebody typed have seams."""
    typed = unmarked_messages(tokenizer, messages)
    text: str = tokenizer.apply_chat_template(typed, tokenize=False, **options)
    return text


def completion_ids(tokenizer: Any, text: str, limit: int) -> list[int]:
    """The tokens of an answer, end mark included; at most ``limit`` before the end mark."""
    return [*_ids(tokenizer, unmarked(tokenizer, text))[:limit], tokenizer.eos_token_id]


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
        after = _rendered(tokenizer, [*messages, *turns[: position + 1]])
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
    pieces = [piece for piece in text.split(SEAM) if piece]
    return [id for piece in pieces for id in tokenizer(piece, add_special_tokens=False).input_ids]


def _answer(tokenizer: Any, before: str, after: str) -> tuple[list[int], str]:
    """The tokens that the template added for an answer, up to its end mark; and the text up to and with that.
    A template without end marks gets one: sampling has to end somewhere."""
    added = after[len(before) :]
    end = added.find(tokenizer.eos_token)
    said = added if end < 0 else added[:end]
    done = after if end < 0 else before + added[: end + len(tokenizer.eos_token)]
    return _ids(tokenizer, said), done
