"""Where PPO stands within an iteration, and the price of drifting: both survive a stop."""

from collections.abc import Iterator

import torch
from torch import Tensor

from trainer.handoff.configs import PPOConfig
from trainer.rlhf.modeling import Backbone
from trainer.rlhf.randomness import seed_for
from trainer.rlhf.rollouts import Rollout


class Flight:
    """The rollout that is being learned from, and what its minibatches measured so far."""

    def __init__(self, backbone: Backbone, rows_per_pass: int) -> None:
        self.backbone, self.rows_per_pass = backbone, rows_per_pass
        self.rollout: Rollout | None = None
        self.measured: list[dict[str, float]] = []

    def begin(self, rollout: Rollout) -> None:
        self.rollout, self.measured = rollout, []

    def minibatches_to_go(self, config: PPOConfig, iteration: int) -> Iterator[Tensor]:
        """Rows of the whole rollout (over all processes) for each optimizer step that is still to come.

        ``epochs`` passes in fresh orders; they end early where the update itself has drifted too far.
        """
        generator = torch.Generator().manual_seed(seed_for(config.seed, "minibatches", iteration))
        done = len(self.measured)
        for _epoch in range(config.epochs):
            shuffled = torch.randperm(config.rollout_size, generator=generator)
            minibatches = torch.split(shuffled, config.minibatch_size)
            yield from minibatches[done:]
            done = max(0, done - len(minibatches))
            if done == 0 and self.drifted_beyond(config.target_approx_kl):
                return

    def drifted_beyond(self, target_approx_kl: float) -> bool:
        return 0 < target_approx_kl < self.measured[-1]["approx_kl"]

    def note(self, measured: dict[str, float]) -> None:
        """What the next minibatch measured."""
        self.measured.append(measured)

    def means(self) -> dict[str, float]:
        names = self.measured[0]
        return {name: sum(one[name] for one in self.measured) / len(self.measured) for name in names}

    def land(self) -> None:
        self.rollout, self.measured = None, []

    def state(self) -> dict[str, Tensor]:
        if self.rollout is None:
            return {}
        names = self.measured[0] if self.measured else ()
        columns = {
            f"measured/{name}": torch.tensor([one[name] for one in self.measured], dtype=torch.float64)
            for name in names
        }
        return columns | {f"rollout/{name}": tensor for name, tensor in self.rollout.state().items()}

    def load(self, state: dict[str, Tensor]) -> None:
        self.land()
        if not state:
            return
        rollout = {k.removeprefix("rollout/"): t for k, t in state.items() if k.startswith("rollout/")}
        columns = {
            k.removeprefix("measured/"): t.tolist() for k, t in state.items() if k.startswith("measured/")
        }
        self.rollout = Rollout.from_state(rollout, self.backbone, self.rows_per_pass)
        rows = zip(*columns.values(), strict=True)
        self.measured = [dict(zip(columns, row, strict=True)) for row in rows]


class KLController:
    """The price of drifting: fixed, or steered toward a drift of ``target`` nats a completion (Ziegler et al.
    2019, §2.2)."""

    def __init__(self, kl_coef: float, target: float, horizon: float) -> None:
        """``target``: 0 keeps the price as it is. ``horizon``: completions over which it adapts."""
        self.kl_coef, self.target, self.horizon = kl_coef, target, horizon

    def update(self, ref_kl: float, episodes: int) -> None:
        """After ``episodes`` completions that drifted by ``ref_kl`` nats on average."""
        if self.target:
            error = min(max(ref_kl / self.target - 1, -0.2), 0.2)
            self.kl_coef *= 1 + error * episodes / self.horizon

    def state(self) -> dict[str, Tensor]:
        return {"kl_coef": torch.tensor(self.kl_coef, dtype=torch.float64)}

    def load(self, state: dict[str, Tensor]) -> None:
        self.kl_coef = state["kl_coef"].item()
