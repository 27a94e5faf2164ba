"""What an optimizer step changes: weights, moments, and the average of the weights."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from trainer.rlhf.sharding import clip_gradients, cut_like, is_part
from trainer.rlhf.world import World


class Learner:
    """AdamW on named parameters, with a schedule that depends on the step alone."""

    def __init__(
        self,
        parameters: dict[str, nn.Parameter],
        *,
        learning_rate: float,
        world: World,
        schedule: Callable[[int], float] = lambda step: 1.0,
        learning_rates: dict[str, float] | None = None,
        betas: tuple[float, float] = (0.9, 0.999),
        max_grad_norm: float = 1.0,
        ema_decay: float = 0.0,
    ) -> None:
        """``learning_rates`` is for parameters, by name, that want another one than ``learning_rate``."""
        self.parameters = parameters
        self.world, self.schedule, self.max_grad_norm = world, schedule, max_grad_norm
        self.step = 0
        rates = {name: (learning_rates or {}).get(name, learning_rate) for name in parameters}
        self.learning_rate = learning_rate
        # Neither does a rate differ within a group, nor are parts of tensors beside whole ones.
        groups: dict[tuple[float, bool], list[nn.Parameter]] = {}
        for name, parameter in parameters.items():
            groups.setdefault((rates[name], is_part(parameter)), []).append(parameter)
        self.optimizer = torch.optim.AdamW(
            [{"params": groups[key], "base_rate": key[0]} for key in sorted(groups)],
            betas=betas,
            weight_decay=0.0,
            fused=True,
        )
        self.ema_decay = ema_decay
        self.average = {name: p.detach().clone() for name, p in parameters.items()} if ema_decay else {}

    @property
    def rate(self) -> float:
        """The learning rate of the next step, where a parameter has no other."""
        return self.learning_rate * self.schedule(self.step)

    def update(self) -> float:
        """Step along the gradients that the processes have added up. Returns the gradient's norm."""
        # Of layers that are spread over the processes, backward has summed them.
        self.world.sum_gradients(p for p in self.parameters.values() if not is_part(p))
        norm = clip_gradients(self.parameters.values(), self.max_grad_norm, self.world)
        for group in self.optimizer.param_groups:
            group["lr"] = group["base_rate"] * self.schedule(self.step)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.step += 1
        for name, average in self.average.items():
            average.lerp_(self.parameters[name].detach(), 1 - self.ema_decay)
        return norm.item()

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Inside, the parameters are their own average, if one is kept."""
        now = {name: self.parameters[name].detach().clone() for name in self.average}
        self.set(self.average)
        yield
        self.set(now)

    def state(self) -> dict[str, Tensor]:
        tensors = {f"parameter/{name}": p.detach() for name, p in self.parameters.items()}
        tensors |= {f"average/{name}": average for name, average in self.average.items()}
        for name, parameter in self.parameters.items():
            for moment, value in self.optimizer.state[parameter].items():
                tensors[f"{moment}/{name}"] = value
        return {"step": torch.tensor(self.step), **tensors}

    def load(self, state: dict[str, Tensor]) -> None:
        self.step = int(state["step"])
        self.set({name: state[f"parameter/{name}"] for name in self.parameters})
        self.average = {name: cut_like(state[f"average/{name}"], a) for name, a in self.average.items()}
        for name, parameter in self.parameters.items():
            moments = ("step", "exp_avg", "exp_avg_sq")
            found = {moment: state[f"{moment}/{name}"] for moment in moments if f"{moment}/{name}" in state}
            if found:
                # Fused, AdamW counts its steps on the parameter's own device.
                self.optimizer.state[parameter] = {
                    moment: value.to(parameter.device, copy=True)
                    if moment == "step"
                    else cut_like(value, parameter)
                    for moment, value in found.items()
                }

    @torch.no_grad()
    def set(self, values: dict[str, Tensor]) -> None:
        """Overwrite parameters, by name."""
        for name, value in values.items():
            self.parameters[name].copy_(cut_like(value, self.parameters[name]))


class BestSoFar:
    """The parameters that did best on the held-out rows, where training may stop early."""

    def __init__(self, learner: Learner, patience: int) -> None:
        """``patience``: epochs without a better loss after which training gives up; 0: never."""
        self.learner, self.patience = learner, patience
        self.loss = math.inf
        self.epochs_without_gain = 0
        self.parameters: dict[str, Tensor] = {}

    @property
    def gave_up(self) -> bool:
        return 0 < self.patience <= self.epochs_without_gain

    def consider(self, loss: float) -> None:
        """Look at the loss at an epoch's end. Without patience the last one counts, not the best."""
        if loss < self.loss or not self.patience:
            self.loss, self.epochs_without_gain = loss, 0
            if self.patience:
                now = self.learner.parameters.items()
                self.parameters = {name: parameter.detach().clone() for name, parameter in now}
        else:
            self.epochs_without_gain += 1

    def restore(self) -> None:
        """Give the learner the best parameters back."""
        self.learner.set(self.parameters)

    def state(self) -> dict[str, Tensor]:
        figures = torch.tensor([self.loss, self.epochs_without_gain], dtype=torch.float64)
        return {"figures": figures, **self.parameters}

    def load(self, state: dict[str, Tensor]) -> None:
        self.loss, without_gain = state["figures"].tolist()
        self.epochs_without_gain = int(without_gain)
        now = self.learner.parameters
        self.parameters = {name: cut_like(state[name], now[name]) for name in state if name != "figures"}
