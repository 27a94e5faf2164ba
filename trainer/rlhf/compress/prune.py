"""Taking out what matters least: whole layers, heads, the width of MLPs, or single weights."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainer.handoff.configs.compress import PruneConfig
from trainer.handoff.rundir import RunDirectory, RunSpec
from trainer.rlhf.batches import TokenSequence, pad
from trainer.rlhf.compress.recover import keep_zeros
from trainer.rlhf.compress.students import keep_layers, made_by_training, plain_decoder
from trainer.rlhf.modeling import Role
from trainer.rlhf.reporting import Reporter
from trainer.rlhf.world import World

CALIBRATION = 32
"""So many demonstrations tell which layers, heads and neurons matter."""


def prune_checkpoint(
    config: PruneConfig, spec: RunSpec, directory: RunDirectory, report: Reporter, world: World
) -> dict[str, object]:
    def take_out(model: Any, teacher: Role, sequences: Sequence[TokenSequence]) -> dict[str, Tensor]:
        return prune(model, teacher, sequences[:CALIBRATION], config)

    return made_by_training(config, spec, directory, report, world, take_out)


def prune(
    model: Any, original: Role, sequences: Sequence[TokenSequence], config: PruneConfig
) -> dict[str, Tensor]:
    """Change ``model``. Returns masks of weights that are to stay zero, by a parameter's name."""
    match config.what:
        case "layers":
            influence = block_influence(original, sequences)
            keep_layers(model, most_telling(influence, kept_of(len(influence), config.fraction)))
        case "heads":
            prune_heads(model, config.fraction)
        case "mlp":
            prune_mlp(model, config.fraction)
        case _:
            masks = {
                f"{name}.weight": (
                    two_of_four(module.weight)
                    if config.what == "2:4"
                    else largest(module.weight, config.fraction)
                )
                for name, module in model.named_modules()
                if isinstance(module, nn.Linear) and module is not model.get_output_embeddings()
            }
            keep_zeros(dict(model.named_parameters()), masks)
            return masks
    return {}


def kept_of(count: int, fraction: float) -> int:
    """At least one stays."""
    return max(1, count - round(count * fraction))


def most_telling(importance: Sequence[float], count: int) -> list[int]:
    """The places of the ``count`` largest, in order; of equals the first."""
    ranked = sorted(range(len(importance)), key=lambda place: -importance[place])
    return sorted(ranked[:count])


@torch.no_grad()
def block_influence(role: Role, sequences: Sequence[TokenSequence]) -> list[float]:
    """How far each layer turns its input: 1 − cosine of what goes in and what comes out, mean over tokens
    (Men et al. 2024, "ShortGPT", eq. 1)."""
    layers = plain_decoder(role.backbone.model).layers
    turned = [0.0] * len(layers)
    tokens = 0

    def note(place: int) -> Any:
        def hook(_layer: nn.Module, inputs: Any, output: Any) -> None:
            after = output[0] if isinstance(output, tuple) else output
            cosine = F.cosine_similarity(inputs[0].float(), after.float(), dim=-1)
            turned[place] += (1 - cosine).sum().item()

        return hook

    hooks = [layer.register_forward_hook(note(place)) for place, layer in enumerate(layers)]
    for sequence in sequences:
        role.hidden(pad([sequence], role.backbone.device))
        tokens += len(sequence.ids)
    for hook in hooks:
        hook.remove()
    return [one / max(tokens, 1) for one in turned]


@torch.no_grad()
def prune_heads(model: Any, fraction: float) -> None:
    """Take out key-value heads with all query heads that read them: those whose part of the output
    projection is smallest, as many in each layer."""
    config = model.config
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    readers = config.num_attention_heads // config.num_key_value_heads
    count = kept_of(config.num_key_value_heads, fraction)
    for layer in plain_decoder(model).layers:
        attention = layer.self_attn
        parts = attention.o_proj.weight.reshape(-1, config.num_key_value_heads, readers * size)
        kept = most_telling(parts.float().square().sum((0, 2)).tolist(), count)
        queries, keys = _spans(kept, readers * size), _spans(kept, size)
        _keep_rows(attention.q_proj, queries)
        _keep_rows(attention.k_proj, keys)
        _keep_rows(attention.v_proj, keys)
        _keep_columns(attention.o_proj, queries)
    config.head_dim, config.num_key_value_heads = size, count
    config.num_attention_heads = count * readers


@torch.no_grad()
def prune_mlp(model: Any, fraction: float) -> None:
    """Take out neurons: those whose weights in and out are smallest, as many in each layer."""
    count = kept_of(model.config.intermediate_size, fraction)
    for layer in plain_decoder(model).layers:
        mlp = layer.mlp
        parts = (mlp.gate_proj.weight, mlp.up_proj.weight, mlp.down_proj.weight.T)
        sizes = torch.stack([part.float().square().sum(1) for part in parts]).prod(0)
        kept = torch.tensor(most_telling(sizes.tolist(), count))
        _keep_rows(mlp.gate_proj, kept)
        _keep_rows(mlp.up_proj, kept)
        _keep_columns(mlp.down_proj, kept)
    model.config.intermediate_size = count


def largest(weight: Tensor, fraction: float) -> Tensor:
    """A mask that is 0 on exactly ``fraction`` of the weights, rounded: the smallest (Han et al. 2015)."""
    mask = torch.ones(weight.numel(), device=weight.device)
    order = weight.detach().flatten().abs().argsort(stable=True)
    mask[order[: round(weight.numel() * fraction)]] = 0
    return mask.view_as(weight)


def two_of_four(weight: Tensor) -> Tensor:
    """A mask that is 1 on the two largest of every four neighbours in a row (Mishra et al. 2021)."""
    groups = weight.detach().abs().reshape(len(weight), -1, 4)
    kept = groups.argsort(dim=-1, descending=True, stable=True)[..., :2]
    return torch.zeros_like(groups).scatter_(-1, kept, 1.0).flatten(1)


def _spans(places: Sequence[int], size: int) -> Tensor:
    return torch.cat([torch.arange(place * size, (place + 1) * size) for place in places])


def _keep_rows(linear: Any, kept: Tensor) -> None:
    linear.weight = nn.Parameter(linear.weight[kept].clone())
    linear.out_features = len(kept)
    if linear.bias is not None:
        linear.bias = nn.Parameter(linear.bias[kept].clone())


def _keep_columns(linear: Any, kept: Tensor) -> None:
    linear.weight = nn.Parameter(linear.weight[:, kept].clone())
    linear.in_features = len(kept)
