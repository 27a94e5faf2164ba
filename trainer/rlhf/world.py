"""The processes that share a run. Each works on its share of every batch; what is summed is summed over all
of them, and divided by counts of the whole batch: how many processes there are changes no loss.

Gradients are summed once per optimizer step, in one flat buffer: what DDP does, without hooks that count how
often a module spoke (here several roles speak through one backbone within a step).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

import torch
from accelerate import PartialState
from accelerate.utils import gather_object, reduce
from torch import Tensor, nn

Item = TypeVar("Item")


class World:
    """``rank`` of ``size`` processes, each with a ``device``; accelerate learns which from its launcher."""

    def __init__(self) -> None:
        state = PartialState(cpu=not torch.cuda.is_available())
        self.rank: int = state.process_index
        self.size: int = state.num_processes
        self.device: torch.device = state.device
        self.in_step = False
        """Whether all processes have to pass through the models equally often."""
        self._state = state

    @property
    def is_first(self) -> bool:
        """One process writes the run directory."""
        return self.rank == 0

    def share(self, items: Sequence[Item]) -> list[Item]:
        """Every ``size``-th of them: neighbours, which are of like length, go to different processes."""
        return list(items[self.rank :: self.size])

    def portions(self, items: Sequence[Item], size: int) -> list[list[Item]]:
        """``share``, at most ``size`` at a time; where all keep in step, those with fewer get empty ones."""
        mine = self.share(items)
        found = [mine[start : start + size] for start in range(0, len(mine), size)]
        if self.in_step:
            largest_share = -(-len(items) // self.size)
            found += [[] for _ in range(len(found), -(-largest_share // size))]
        return found

    def evened(self, parts: Sequence[Item], nothing: Item) -> list[Item]:
        """``parts``; where all keep in step, and ``nothing`` as often as the longest list is longer."""
        longest = max(self.gather([len(parts)])) if self.in_step else len(parts)
        return [*parts, *[nothing] * (longest - len(parts))]

    def mine(self, index: Tensor) -> Tensor:
        """Where this process keeps those of the items ``index`` that ``share`` gave it."""
        return index[index % self.size == self.rank] // self.size

    def sum(self, values: Tensor) -> Tensor:
        """The same shape, summed over the processes."""
        if self.size == 1:
            return values
        total: Tensor = reduce(values, "sum")  # type: ignore[no-untyped-call]
        return total

    def totals(self, values: Mapping[str, float]) -> dict[str, float]:
        """Each number summed over the processes, which all name the same."""
        if self.size == 1:
            return dict(values)
        # Not every GPU backend adds up float64 quickly, but these are a handful.
        summed = self.sum(torch.tensor(list(values.values()), dtype=torch.float64, device=self.device))
        return dict(zip(values, summed.tolist(), strict=True))

    def any(self, happened: bool) -> bool:
        """Whether it happened in some process."""
        return self.totals({"happened": float(happened)})["happened"] > 0

    def anybody(self, here: bool) -> bool:
        """Whether something is left to do ``here``, or, where all keep in step, with any of the others."""
        return self.any(here) if self.in_step else here

    def sum_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Each gradient summed over the processes; who had no part in it adds nothing."""
        if self.size == 1:
            return
        learned = [parameter for parameter in parameters if parameter.requires_grad]
        for parameter in learned:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        gradients = [parameter.grad for parameter in learned if parameter.grad is not None]
        if not gradients:
            return
        total = self.sum(torch.cat([gradient.flatten() for gradient in gradients]))
        sizes = [gradient.numel() for gradient in gradients]
        for gradient, part in zip(gradients, torch.split(total, sizes), strict=True):
            gradient.copy_(part.view_as(gradient))

    def gather(self, mine: Sequence[Item]) -> list[Item]:
        """What ``share`` dealt out, from all processes, in its first order."""
        if self.size == 1:
            return list(mine)
        shares: list[list[Any]] = gather_object([list(mine)])  # type: ignore[no-untyped-call]
        whole: list[Any] = [None] * sum(map(len, shares))
        for rank, share in enumerate(shares):
            whole[rank :: self.size] = share
        return whole

    def wait(self) -> None:
        """Until all processes are here."""
        self._state.wait_for_everyone()

    def leave(self) -> None:
        """The last thing that a process does with the others. Whoever exits while their connections are open
        can abort when one of them is closed at the other end."""
        self._state.destroy_process_group()  # type: ignore[no-untyped-call]
