"""Layers that multiply with codes as they are, by the kernels that torch has for processors.

Writing one token reads every weight once, so what is a quarter as long is read nearly four times as fast.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainer.rlhf.compress.codes import Codes

FAST_GROUPS = (32, 64, 128, 256)
"""The only ones that the kernel for 4 bits knows."""

MANY = 32
"""Tokens at once from which on it is faster to write the weights out and multiply as usual."""
FEW = 8
"""The same where tokens are multiplied one by one."""


def linear_of(codes: Codes, bias: Tensor | None, *, dynamic: bool) -> nn.Module:
    """The layer that is fastest for these codes on a processor.

    ``dynamic``: the inputs become 8-bit numbers too, token by token.
    """
    width = codes.codes.shape[0]
    if codes.bits == 4 and codes.group in FAST_GROUPS and width % 16 == 0:
        return Int4Linear(codes, bias)
    if codes.bits == 8 and codes.scale.shape[1] == 1:
        return DynamicLinear(codes, bias) if dynamic else Int8Linear(codes, bias)
    return PlainLinear(codes, bias)


class Int4Linear(nn.Module):
    """Weights of 4 bits; inputs in bfloat16."""

    def __init__(self, codes: Codes, bias: Tensor | None) -> None:
        super().__init__()
        self.codes, self.bias = codes, bias
        shifted = codes.whole().int() + 8
        self.packed = torch.ops.aten._convert_weight_to_int4pack_for_cpu(shifted, 2)
        scale = codes.scale.T
        self.scales = torch.stack([scale, torch.zeros_like(scale)], dim=-1).contiguous()

    def forward(self, inputs: Tensor) -> Tensor:
        rows = inputs.reshape(-1, inputs.shape[-1]).bfloat16()
        if len(rows) > MANY:
            return _written_out(self.codes, inputs, self.bias)
        out = torch.ops.aten._weight_int4pack_mm_for_cpu(rows, self.packed, self.codes.group, self.scales)
        return _shaped(out, inputs, self.bias)


class Int8Linear(nn.Module):
    """Weights of 8 bits; inputs in bfloat16."""

    def __init__(self, codes: Codes, bias: Tensor | None) -> None:
        super().__init__()
        self.codes, self.scale, self.bias = codes, codes.scale[:, 0].contiguous(), bias

    def forward(self, inputs: Tensor) -> Tensor:
        rows = inputs.reshape(-1, inputs.shape[-1]).bfloat16().contiguous()
        if len(rows) > MANY:
            return _written_out(self.codes, inputs, self.bias)
        return _shaped(torch._weight_int8pack_mm(rows, self.codes.codes, self.scale), inputs, self.bias)


class DynamicLinear(nn.Module):
    """Weights and inputs of 8 bits: the products are those of whole numbers."""

    def __init__(self, codes: Codes, bias: Tensor | None) -> None:
        super().__init__()
        self.codes, self.bias = codes, bias
        scale = codes.scale[:, 0].double()
        weight = torch._make_per_channel_quantized_tensor(
            codes.codes, scale, torch.zeros(len(scale), dtype=torch.long), 0
        )
        self.packed = torch.ops.quantized.linear_prepack(weight, None if bias is None else bias.float())

    def forward(self, inputs: Tensor) -> Tensor:
        rows = inputs.reshape(-1, inputs.shape[-1]).float()
        if len(rows) > FEW:
            return _written_out(self.codes, in_eight_bits(rows).to(inputs.dtype).view_as(inputs), self.bias)
        # One by one: the kernel has one scale for all it gets, and a single large token would spoil the rest.
        # By its full range: the usual way gives a bit away for the sake of old processors.
        said = [torch.ops.quantized.linear_dynamic(row, self.packed, False) for row in torch.split(rows, 1)]
        return torch.cat(said).view(*inputs.shape[:-1], -1).to(inputs.dtype)


class PlainLinear(nn.Module):
    """For groups that no kernel knows: right, but not fast."""

    def __init__(self, codes: Codes, bias: Tensor | None) -> None:
        super().__init__()
        self.codes, self.bias = codes, bias

    def forward(self, inputs: Tensor) -> Tensor:
        return _written_out(self.codes, inputs, self.bias)


class CodedEmbedding(nn.Module):
    """Looks rows of codes up and tells what they stand for."""

    def __init__(self, codes: Codes, dtype: torch.dtype) -> None:
        super().__init__()
        self.codes, self.dtype = codes, dtype

    def forward(self, ids: Tensor) -> Tensor:
        return self.codes.rows(ids.flatten()).weights(self.dtype).view(*ids.shape, -1)


def in_eight_bits(rows: Tensor) -> Tensor:
    """Each row as 256 evenly spaced numbers tell it, from its lowest to its highest, with 0 among them."""
    low, high = rows.amin(1, keepdim=True).clamp(max=0), rows.amax(1, keepdim=True).clamp(min=0)
    step = ((high - low) / 255).clamp(min=torch.finfo(rows.dtype).tiny)
    zero = (-low / step).round()
    return ((rows / step + zero).round().clamp(0, 255) - zero) * step


def _written_out(codes: Codes, inputs: Tensor, bias: Tensor | None) -> Tensor:
    return F.linear(inputs, codes.weights(inputs.dtype), None if bias is None else bias.to(inputs.dtype))


def _shaped(out: Tensor, inputs: Tensor, bias: Tensor | None) -> Tensor:
    out = out.view(*inputs.shape[:-1], -1)
    return (out if bias is None else out + bias).to(inputs.dtype)
