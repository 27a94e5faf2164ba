"""The steps of a stage whose batches are fixed: each batch once an epoch, one optimizer step each."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Generic, TypeVar

from torch import nn

from trainer.handoff.configs import DPOConfig, KTOConfig, RewardConfig, SFTConfig
from trainer.handoff.configs.compress import RecoveryConfig
from trainer.handoff.rundir import RunDirectory
from trainer.rlhf.checkpoints import Checkpoints, Numbers, Stateful
from trainer.rlhf.learner import Learner
from trainer.rlhf.reporting import Reporter
from trainer.rlhf.schedules import cosine, shuffled_epochs
from trainer.rlhf.world import World

Batch = TypeVar("Batch")


class Epochs(Generic[Batch]):
    """Goes on from the last saved state, and saves it again. What a step learns, the stage says."""

    def __init__(
        self,
        config: SFTConfig | RewardConfig | DPOConfig | KTOConfig | RecoveryConfig,
        batches: Sequence[Batch],
        learned: dict[str, nn.Parameter],
        directory: RunDirectory,
        report: Reporter,
        world: World,
        *,
        learning_rates: dict[str, float] | None = None,
    ) -> None:
        self.batches, self.directory, self.report, self.world = batches, directory, report, world
        self.order = shuffled_epochs(len(batches), config.epochs, config.seed)
        self.every = config.checkpoint_every
        self.learner = Learner(
            learned,
            learning_rate=config.learning_rate,
            learning_rates=learning_rates,
            schedule=cosine(len(self.order)),
            max_grad_norm=config.max_grad_norm,
            world=world,
        )
        self.last = Numbers()
        """The metrics of the last step."""

    def steps(self, **kept: Stateful) -> Iterator[Batch]:
        """The batches that are still to learn from; ``update`` after each. ``kept`` is saved too.

        :raises Stopped: somebody asked the run to stop; its state is saved.
        """
        shared: dict[str, Stateful] = {"learner": self.learner, "last": self.last, **kept}
        checkpoints = Checkpoints(self.directory, self.report, self.world, every=self.every, shared=shared)
        for step in range(checkpoints.resume() + 1, len(self.order) + 1):
            yield self.batches[self.order[step - 1]]
            checkpoints.after(step)

    def update(self, added: Mapping[str, float]) -> None:
        """Step along the gradients, and report: ``added`` is what this process adds to the metrics."""
        rate = self.learner.rate
        self.last.clear()
        self.last |= self.world.totals(added)
        norm = self.learner.update()
        self.tell(**self.last, grad_norm=norm, learning_rate=rate)

    def tell(self, **values: float) -> None:
        """Report more of the step that was done last."""
        self.report.step(self.learner.step, len(self.order), **values)

    @property
    def is_epochs_end(self) -> bool:
        return self.learner.step % len(self.batches) == 0
