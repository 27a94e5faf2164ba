"""Weights, gradients and moments spread over the processes (FSDP2; Zhao et al. 2023), layer by layer.

Each process keeps a part of every decoder layer; a layer is whole only while it speaks. Embeddings, the last
norm, the output head and heads of one number stay whole in each process: they are summed as ever. What a
checkpoint or a result holds is whole too, so any number of processes can take it up.
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from trainer.rlhf.errors import LabError
from trainer.rlhf.modeling import Backbone
from trainer.rlhf.world import World


def shard_layers(backbone: Backbone, world: World) -> None:
    """Leave each process its part of the layers, and move everything to its device; one process has it all.
    Comes after ``add_role``: later parameters would be whole.

    :raises LabError: it cannot be told what the model's layers are.
    """
    if world.size == 1:
        backbone.to(world.device)
        return
    # Loaded when asked for: it takes a second.
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    layers = backbone.layers
    if layers is None:
        raise LabError(
            f"The layers of this {backbone.decoder.config.model_type} model cannot be told apart, so they "
            "cannot be spread over processes: set shard to false."
        )
    mesh = init_device_mesh(world.device.type, (world.size,))
    spread = [parameter for layer in layers for parameter in layer.parameters()]
    others = set(backbone.decoder.parameters()) - set(spread)
    for layer in layers:
        sharded: Any = fully_shard(layer, mesh=mesh)
        # Sums, as of every other gradient; and as one operation, which gloo knows.
        sharded.set_gradient_divide_factor(1.0)
        sharded.set_force_sum_reduction_for_comms(True)
    # Layers of one decoder know each other: the next is fetched ahead, and the last one's gradient let go.
    fully_shard(backbone.decoder, mesh=mesh, ignored_params=others)
    # How much of the trunk is kept would differ between processes, but all have to ask for the same layers.
    backbone.trunk_part = backbone.top_part = None
    backbone.to(world.device)
    world.in_step = True


def gather_layers(backbone: Backbone, world: World) -> None:
    """Make the layers whole again in the first process, in the machine's own memory, to be saved there. All
    processes take part, and none can learn or speak any more."""
    for module in backbone.modules():
        for name, parameter in list(module.named_parameters(recurse=False)):
            if is_part(parameter):
                value = whole(parameter.detach())
                if world.is_first:
                    # Not by assignment, which the sharded layers watch.
                    module._parameters[name] = nn.Parameter(value.cpu(), requires_grad=False)


def is_part(tensor: Tensor) -> bool:
    # To import the class takes a second, which runs without parts need not wait.
    return hasattr(tensor, "to_local")


def whole(tensor: Any) -> Tensor:
    """The parts of all processes together, for which all have to call this; a whole tensor as it is."""
    found: Tensor = tensor.full_tensor() if is_part(tensor) else tensor
    return found


def cut_like(value: Tensor, model: Any) -> Tensor:
    """A whole ``value``, the same in every process, on the device of ``model``, and cut as that is."""
    value = value.to(model.device)
    if not is_part(model) or is_part(value):
        return value
    from torch.distributed.tensor import distribute_tensor

    # Everybody has it already: nothing is sent.
    return distribute_tensor(value, model.device_mesh, model.placements, src_data_rank=None)


@torch.no_grad()
def clip_gradients(parameters: Iterable[nn.Parameter], most: float, world: World) -> Tensor:
    """Scale the gradients down to the norm ``most``. Returns the norm () that they had: of the whole ones,
    which are the same in every process, and of all parts together."""
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    others = [gradient for gradient in gradients if not is_part(gradient)]
    norm = nn.utils.get_total_norm(others)
    parts: list[Any] = [gradient for gradient in gradients if is_part(gradient)]
    if parts:
        local = [part.to_local() for part in parts]
        squares = world.sum(nn.utils.get_total_norm(local).square().to(world.device))
        norm = (norm.to(world.device).square() + squares).sqrt()
        others += local
    scale = (most / (norm + 1e-6)).clamp(max=1)
    torch._foreach_mul_(others, scale.to(norm.device))  # type: ignore[no-untyped-call]
    return norm
