"""Who says how well a completion is going to do."""

import torch

from trainer.handoff.configs import ConfigError, PPOConfig
from trainer.rlhf.modeling import FULL, Role, ScalarHead, frozen_copy
from trainer.rlhf.reward_models import RewardModel


@torch.no_grad()
def make_critic(config: PPOConfig, policy: Role, reward: RewardModel | None) -> tuple[Role, ScalarHead]:
    """The role whose states the values are read from, and the head that reads them.

    ``critic="reward"`` starts as the reward model (InstructGPT 2022, §3.5): one more role on its backbone, or
    a copy of it where there are no adapters. ``critic="policy"`` reads the policy's own states: no second
    model runs, and the values start at 0.

    :raises ConfigError: there is no reward model to start as.
    """
    backbone = policy.backbone
    head = ScalarHead(backbone.hidden_size, spread=0.0, seed=config.seed, bias=True).to(backbone.device)
    if config.critic == "policy":
        return policy, head
    if reward is None:
        raise ConfigError("critic", config.critic, "policy where no reward checkpoint is given")
    head.weight.copy_(reward.head.weight / reward.scale)
    assert head.bias is not None
    head.bias.fill_(-reward.bias / reward.scale)
    home = reward.role.backbone
    if config.gradient_checkpointing:
        home.recompute_layers()
    if not config.lora_rank:
        copy = frozen_copy(home)
        copy.add_role(FULL, config.seed)
        return Role(copy, None), head
    home.add_role("critic", config.seed)
    if reward.role.name:
        begins_as = home.learned_by(reward.role.name)
        for name, parameter in home.learned_by("critic").items():
            parameter.copy_(begins_as[name])
    return Role(home, "critic"), head
