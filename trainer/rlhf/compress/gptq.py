"""Four bits with care: what rounding one weight does to a layer's outputs is made up for by those after it
(Frantar et al. 2023, "GPTQ", algorithm 1), with the scale of each group that rounds it best."""

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from trainer.rlhf.batches import Batch
from trainer.rlhf.compress.codes import Codes, packed
from trainer.rlhf.modeling import Role

LOW, HIGH = -8, 7
DAMPING = 0.01
"""Of the mean of the moments' diagonal, as in the paper."""
TRIED = 19


@torch.no_grad()
def input_moments(
    role: Role, linears: Sequence[tuple[str, nn.Linear]], batches: Iterable[Batch]
) -> dict[str, Tensor]:
    """Σ x xᵀ (K, K) over the inputs of the layers of each name. A batch has one sequence: padding is no
    input."""
    moments: dict[str, Tensor] = {}

    def note(name: str) -> Any:
        def hook(_layer: nn.Module, inputs: tuple[Tensor, ...], _output: Tensor) -> None:
            rows = inputs[0].reshape(-1, inputs[0].shape[-1]).float()
            moments[name] = moments[name] + rows.T @ rows if name in moments else rows.T @ rows

        return hook

    hooks = [linear.register_forward_hook(note(name)) for name, linear in linears]
    for batch in batches:
        role.hidden(batch)
    for hook in hooks:
        hook.remove()
    return moments


@torch.no_grad()
def encode_with_care(weight: Tensor, moments: Tensor, *, group: int) -> Codes:
    """Codes (N, K) of 4 bits that keep the layer's outputs; ``group`` divides K."""
    rest = weight.float().clone()
    spread = spreading(moments.float())
    codes, scales = torch.zeros_like(rest, dtype=torch.int8), []
    for start in range(0, rest.shape[1], group):
        end = start + group
        scale = best_scale(rest[:, start:end])
        scales.append(scale)
        errors = torch.zeros_like(rest[:, start:end])
        for column in range(start, end):
            codes[:, column] = (rest[:, column] / scale.float()).round().clamp(LOW, HIGH).to(torch.int8)
            off = rest[:, column] - codes[:, column] * scale.float()
            errors[:, column - start] = off / spread[column, column]
            rest[:, column:end] -= errors[:, column - start, None] * spread[column, column:end]
        rest[:, end:] -= errors @ spread[start:end, end:]
    return Codes(packed(codes), torch.stack(scales, 1))


def lost_share(weight: Tensor, codes: Codes, moments: Tensor) -> float:
    """How much of the layer's outputs, in squares, the codes have changed."""
    weight = weight.detach().float()
    off = codes.weights() - weight
    return (((off @ moments) * off).sum() / ((weight @ moments) * weight).sum()).item()


def spreading(moments: Tensor) -> Tensor:
    """(K, K) upper triangular: how a column's error is best spread over those after it. The Cholesky factor
    of the moments' inverse."""
    moments = moments.clone()
    diagonal = moments.diagonal()
    diagonal[diagonal == 0] = 1  # an input that was never seen
    diagonal.add_(DAMPING * diagonal.mean())
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(moments))
    return torch.linalg.cholesky(inverse, upper=True)  # type: ignore[no-any-return]


def best_scale(weight: Tensor) -> Tensor:
    """(N,) bfloat16 for groups (N, G): of some scales, also negative ones, that with the least squared error.
    A negative one gives the extra code below zero to the large weights above it."""
    largest = weight.abs().amax(1).clamp(min=torch.finfo(torch.bfloat16).tiny)
    best, least = (largest / HIGH).bfloat16(), torch.full_like(largest, torch.inf)
    for share in torch.linspace(0.6, 1.05, TRIED).tolist():
        for sign in (1, -1):
            scale = (sign * share * largest / (HIGH + 0.5)).bfloat16()
            step = scale.float()[:, None]
            error = ((weight / step).round().clamp(LOW, HIGH) * step - weight).square().sum(1)
            best, least = torch.where(error < least, scale, best), torch.minimum(error, least)
    return best
