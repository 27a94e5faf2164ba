"""Exact resume: everything that a step changes, in one file of tensors, written whole or not at all."""

from typing import Protocol

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from trainer.handoff.rundir import RunDirectory
from trainer.rlhf.errors import LabError, Stopped
from trainer.rlhf.randomness import AmbientRandomness
from trainer.rlhf.reporting import Reporter
from trainer.rlhf.sharding import whole
from trainer.rlhf.world import World

STATE = "state.safetensors"
KEPT = 2
"""How many checkpoints stay: one more than is needed, should a disk spoil the last."""


class Stateful(Protocol):
    """Something that changes while a run goes on."""

    def state(self) -> dict[str, Tensor]: ...

    def load(self, state: dict[str, Tensor]) -> None: ...


class Numbers(dict[str, float]):
    """Figures that a resumed run still has to tell."""

    def state(self) -> dict[str, Tensor]:
        return {name: torch.tensor(value, dtype=torch.float64) for name, value in self.items()}

    def load(self, state: dict[str, Tensor]) -> None:
        self.clear()
        self.update({name: value.item() for name, value in state.items()})


class Checkpoints:
    """Saves the parts of a run every few steps and when it is told to stop, and finds them again."""

    def __init__(
        self,
        directory: RunDirectory,
        report: Reporter,
        world: World,
        *,
        every: int,
        shared: dict[str, Stateful],
        local: dict[str, Stateful] | None = None,
    ) -> None:
        """``every``: so many steps; 0 saves only when the run is told to stop. ``shared`` parts are the same
        in every process, ``local`` ones each process has of its own."""
        self.directory, self.report, self.world, self.every = directory, report, world, every
        self.shared = shared
        self.local: dict[str, Stateful] = {"ambient": AmbientRandomness(), **(local or {})}

    def resume(self) -> int:
        """Take up the last checkpoint. Returns its optimizer step; 0 where there is none.

        :raises LabError: it was made with other settings.
        """
        try:
            found = self.directory.latest_checkpoint()
        except ValueError as error:
            raise LabError(str(error)) from error
        self._check_alike(found.step if found else 0)
        if self.world.is_first:
            self.directory.rewind(found)
        if found is None:
            return 0
        tensors = load_file(found.path / STATE)
        for name, part in self.shared.items():
            part.load(_below(f"{name}/", tensors))
        # With another number of processes it goes on all the same, though no longer to the same bytes.
        if (
            f"{self.world.size - 1}/ambient/torch" in tensors
            and f"{self.world.size}/ambient/torch" not in tensors
        ):
            for name, part in self.local.items():
                part.load(_below(f"{self.world.rank}/{name}/", tensors))
        return found.step

    def _check_alike(self, step: int) -> None:
        """Machines that share no disk may have found different states.

        :raises LabError: they have.
        """
        steps = sorted(set(self.world.gather([step])))
        if len(steps) > 1:
            raise LabError(
                f"The machines found different saved states, of the steps {', '.join(map(str, steps))}. Let "
                "them share a disk, or a place for runs that all reach (RANKWRIGHT_RUNS_STORE)."
            )

    def after(self, step: int, *, count: int | None = None) -> None:
        """To be called when an optimizer step is done and logged. ``count`` is what ``every`` counts, where
        that is not the step.

        :raises Stopped: somebody asked the run to stop; its state is saved.
        """
        if self.every and (count or step) % self.every == 0:
            self.save(step)
            if self.world.any(self.report.stopping):
                raise Stopped
        else:
            self.stop_if_asked(step)

    def stop_if_asked(self, step: int) -> None:
        """:raises Stopped: somebody asked the run to stop; its state is saved."""
        if self.world.any(self.report.stopping):
            self.save(step)
            raise Stopped

    def save(self, step: int) -> None:
        mine = {f"{self.world.rank}/{key}": kept.cpu().contiguous() for key, kept in _tensors(self.local)}
        tensors = {}
        for key, tensor in _tensors(self.shared):
            # All take part in making it whole, but one will save it.
            gathered = whole(tensor)
            if self.world.is_first:
                tensors[key] = gathered.cpu().contiguous()
        for others in self.world.gather([mine]):
            tensors |= others
        if self.world.is_first:
            with self.directory.write_checkpoint(step, kept=KEPT) as folder:
                save_file(tensors, folder / STATE)
        self.world.wait()


def _tensors(parts: dict[str, Stateful]) -> list[tuple[str, Tensor]]:
    return [
        (f"{name}/{key}", tensor.detach())
        for name, part in parts.items()
        for key, tensor in part.state().items()
    ]


def _below(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): t for key, t in tensors.items() if key.startswith(prefix)}
