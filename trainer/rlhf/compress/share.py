"""Layers that share their weights: stored once, computed in several places (Lan et al. 2020, "ALBERT")."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from trainer.handoff.configs.compress import ShareConfig
from trainer.handoff.rundir import RunDirectory, RunSpec
from trainer.rlhf.batches import TokenSequence
from trainer.rlhf.compress.artifact import share_layers
from trainer.rlhf.compress.students import made_by_training, plain_decoder
from trainer.rlhf.loading import load_config
from trainer.rlhf.modeling import Role
from trainer.rlhf.reporting import Reporter
from trainer.rlhf.world import World


def share_checkpoint(
    config: ShareConfig, spec: RunSpec, directory: RunDirectory, report: Reporter, world: World
) -> dict[str, object]:
    places = shared_places(load_config(spec.base_model).num_hidden_layers, config.group)

    def merge(model: Any, teacher: Role, sequences: Sequence[TokenSequence]) -> dict[str, Tensor]:
        average_layers(model, places)
        return {}

    return made_by_training(config, spec, directory, report, world, merge, places=places)


def shared_places(layers: int, group: int) -> list[int]:
    """Which layer stands in each place: the first of its group."""
    return [place - place % group for place in range(layers)]


@torch.no_grad()
def average_layers(model: Any, places: Sequence[int]) -> None:
    """Give the first of each group the group's mean weights, and let it stand in all its places."""
    layers = plain_decoder(model).layers
    for source in sorted(set(places)):
        members = [layers[place] for place, of in enumerate(places) if of == source]
        for name, parameter in layers[source].named_parameters():
            parameter.copy_(torch.stack([member.get_parameter(name) for member in members]).mean(0))
    share_layers(model, list(places))
