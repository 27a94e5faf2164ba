"""What a model says to a few prompts before a run and after it, greedily: the last of the run's samples."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import torch

from trainer.handoff.rundir import RunDirectory
from trainer.rlhf.batches import prompt_ids
from trainer.rlhf.modeling import Role
from trainer.rlhf.sampling import Sampled, sample
from trainer.rlhf.world import World

PROMPTS, MOST_TOKENS = 4, 64
LOOKED_AT = 100
GREEDY = 1e-4
"""So cold that the likeliest token is drawn, whatever the luck."""


class SideBySide:
    """To be made before anything is learned: each attempt begins with the weights that the run starts from,
    so none has to save what they say."""

    def __init__(
        self, role: Role, tokenizer: Any, data: Path, *, max_prompt_tokens: int, longest: int, world: World
    ) -> None:
        """``data``: the snapshot's file; ``longest``: tokens of the longest answer that is learned from."""
        self.role, self.tokenizer, self.tokens = role, tokenizer, max(1, min(longest, MOST_TOKENS))
        self.prompts, self.world = prompts_in(data, tokenizer, max_prompt_tokens), world
        self.before = self._answers()

    def keep(self, directory: RunDirectory, step: int) -> None:
        """Add what is said now, each answer with the one before."""
        now = self._answers()
        if not self.world.is_first:
            return
        for prompt_id, said, before in zip(self.prompts, now, self.before, strict=True):
            directory.append_sample(
                prompt_id=prompt_id,
                completion=said.text(self.tokenizer),
                base=before.text(self.tokenizer),
                finished=said.finished,
                tokens=len(said.tokens),
                score=None,
                ref_kl=None,
                step=step,
            )

    def _answers(self) -> Sequence[Sampled]:
        # Layers that are spread answer where all processes ask them together; else one process is enough.
        if not self.prompts or not (self.world.is_first or self.world.in_step):
            return []
        return sample(
            self.role,
            list(self.prompts.values()),
            temperature=GREEDY,
            max_new_tokens=self.tokens,
            eos=self.tokenizer.eos_token_id,
            luck=torch.full((len(self.prompts), self.tokens), 0.5),
        )


def prompts_in(data: Path, tokenizer: Any, max_prompt_tokens: int) -> dict[int, list[int]]:
    """A few prompts of a snapshot by their id, held-out ones first; always the same ones."""
    with pq.ParquetFile(data) as file:
        rows = next(file.iter_batches(LOOKED_AT, columns=["prompt_id", "split", "messages"])).to_pylist()
    found: dict[int, list[int]] = {}
    for row in sorted(rows, key=lambda row: row["split"] != "held_out"):
        ids = prompt_ids(tokenizer, row["messages"])
        if len(ids) <= max_prompt_tokens and len(found) < PROMPTS:
            found.setdefault(row["prompt_id"], ids)
    return found
