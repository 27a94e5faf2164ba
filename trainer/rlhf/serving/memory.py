"""What was read before, for questions that begin with it: in a chat, all turns but the last.

Without it the tenth turn of a chat would wait for the nine before it to be read again.
"""

from collections.abc import Sequence

from torch import Tensor
from transformers import DynamicCache

LEAST_SHARED = 16
"""Fewer tokens are read as fast as they are copied."""

States = list[tuple[Tensor, Tensor]]
"""Keys and values (1, heads, tokens, width of a head) of each layer."""


class Memory:
    """Conversations by their tokens, the one that was needed last behind; ``most`` tokens of all together."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.kept: list[tuple[list[int], States]] = []

    def keep(self, ids: Sequence[int], states: States) -> None:
        """Those whose beginning this is are no longer needed: the same chat, some turns ago."""
        if len(ids) > self.most:
            return
        self.kept = [one for one in self.kept if shared(one[0], ids) < len(one[0])]
        self.kept.append((list(ids), states))
        while sum(len(known) for known, _states in self.kept) > self.most:
            self.kept.pop(0)

    def recall(self, prompt: Sequence[int]) -> tuple[DynamicCache, int]:
        """A cache that has read the prompt's beginning, and how many tokens that are; never all of them: the
        last one says what comes next."""
        cache = DynamicCache()
        lengths = [shared(known, prompt) for known, _states in self.kept]
        length = min(max(lengths, default=0), len(prompt) - 1)
        if length < LEAST_SHARED:
            return cache, 0
        best = lengths.index(max(lengths))
        self.kept.append(self.kept.pop(best))
        for layer, (keys, values) in enumerate(self.kept[-1][1]):
            cache.update(keys[:, :, :length], values[:, :, :length], layer)
        return cache, length


def shared(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens at the beginning are the same."""
    for place, (mine, theirs) in enumerate(zip(one, other, strict=False)):
        if mine != theirs:
            return place
    return min(len(one), len(other))
