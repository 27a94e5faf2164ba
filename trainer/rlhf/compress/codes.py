"""Weights as whole numbers with scales: a weight is its code times the scale of its group.

Symmetric and to the nearest code, so that no weight moves by more than half a step.
"""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Codes:
    """A matrix (N, K) in few bits.

    codes  (N, K) int8, or (N, K / 2) uint8 with two codes of 4 bits in each byte
    scale  (N, G) bfloat16: of each row's G groups of K / G neighbouring weights
    """

    codes: Tensor
    scale: Tensor

    @property
    def bits(self) -> int:
        return 4 if self.codes.dtype == torch.uint8 else 8

    @property
    def group(self) -> int:
        """Weights that share a scale."""
        return self.codes.shape[1] * (8 // self.bits) // self.scale.shape[1]

    def whole(self) -> Tensor:
        """(N, K) int8: a code for each weight."""
        return unpacked(self.codes) if self.bits == 4 else self.codes

    def weights(self, dtype: torch.dtype = torch.float32) -> Tensor:
        """(N, K) what the codes stand for."""
        # Codes and scales are exact in bfloat16 too, so each product is rounded once.
        grouped = self.whole().to(dtype).view(*self.scale.shape, self.group)
        weights: Tensor = grouped * self.scale.to(dtype)[:, :, None]
        return weights.flatten(1)

    def rows(self, index: Tensor) -> "Codes":
        return Codes(self.codes[index], self.scale[index])


def encode(weight: Tensor, *, bits: int, group: int = 0) -> Codes:
    """``group`` neighbours share a scale; 0, or a width that it does not divide: a whole row does."""
    group = group if group and weight.shape[1] % group == 0 else weight.shape[1]
    most = 2 ** (bits - 1) - 1
    grouped = weight.detach().float().reshape(len(weight), -1, group)
    scale = (grouped.abs().amax(-1) / most).clamp(min=torch.finfo(torch.bfloat16).tiny).bfloat16()
    # Rounded against the scale that is kept, not against the one that was meant.
    codes = (grouped / scale.float()[:, :, None]).round().clamp(-most - 1, most).to(torch.int8).flatten(1)
    return Codes(packed(codes) if bits == 4 else codes, scale)


def packed(codes: Tensor) -> Tensor:
    """(N, K / 2) uint8 from codes (N, K) between -8 and 7: the even columns in the lower halves."""
    shifted = (codes + 8).to(torch.uint8)
    return shifted[:, 0::2] | (shifted[:, 1::2] << 4)


def unpacked(codes: Tensor) -> Tensor:
    """What ``packed`` was given."""
    halves = torch.stack([codes & 15, codes >> 4], dim=-1)
    return halves.flatten(1).to(torch.int8) - 8
