"""Low-rank adapters (Hu et al. 2021) for several roles on the same frozen layers.

peft can hold several adapters too, but switches them by walking all modules; here one attribute says which
role is speaking, so that policy, reference and reward model take turns within a step.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

SCALE = 2.0


def widened(x: Tensor) -> Tensor:
    """In float32 at least: what is learned or compared is not rounded to the frozen weights' bfloat16."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


class Speaker:
    """Which role's adapters are added right now; None is the frozen model alone."""

    def __init__(self) -> None:
        self.role: str | None = None

    @contextmanager
    def speaking(self, role: str | None) -> Iterator[None]:
        before, self.role = self.role, role
        try:
            yield
        finally:
            self.role = before


class LoRALinear(nn.Module):
    """A frozen linear layer, plus ``SCALE · B A x`` of the role that is speaking."""

    def __init__(self, linear: nn.Linear, speaker: Speaker) -> None:
        super().__init__()
        self.linear = linear
        self.speaker = speaker
        self.down = nn.ParameterDict()
        self.up = nn.ParameterDict()

    def add_role(self, role: str, rank: int, generator: torch.Generator) -> None:
        """Adapters in float32. ``up`` starts at zero: a new role speaks like the frozen model."""
        device = self.linear.weight.device
        bound = 1 / math.sqrt(self.linear.in_features)
        down = torch.empty(rank, self.linear.in_features).uniform_(-bound, bound, generator=generator)
        self.down[role] = nn.Parameter(down.to(device))
        self.up[role] = nn.Parameter(torch.zeros(self.linear.out_features, rank, device=device))

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.linear(x)
        role = self.speaker.role
        if role is None or role not in self.down:
            return y
        delta: Tensor = (widened(x) @ self.down[role].T) @ self.up[role].T
        return y + (SCALE * delta).to(y.dtype)

    @torch.no_grad()
    def merged(self, role: str) -> nn.Linear:
        """A plain linear layer that says what ``role`` says."""
        weight = self.linear.weight
        weight.copy_((widened(weight) + SCALE * self.up[role] @ self.down[role]).to(weight.dtype))
        return self.linear


def wrap_linears(module: nn.Module, speaker: Speaker) -> list[LoRALinear]:
    """Replace every linear layer below ``module``, and return what replaced them."""
    wrapped = []
    for parent in list(module.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.Linear) and not isinstance(parent, LoRALinear):
                layer = LoRALinear(child, speaker)
                setattr(parent, name, layer)
                wrapped.append(layer)
    return wrapped


def unwrap_linears(module: nn.Module, role: str) -> None:
    """Put plain linear layers back that have ``role`` merged into them."""
    for parent in list(module.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, LoRALinear):
                setattr(parent, name, child.merged(role))
