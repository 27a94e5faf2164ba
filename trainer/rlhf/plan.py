"""What each stage holds in memory, counted on models without weights before the real ones are loaded."""

from functools import partial

from torch import Tensor, nn

from trainer.handoff.configs import (
    Config,
    DPOConfig,
    KTOConfig,
    PPOConfig,
    RewardConfig,
    SampleConfig,
    SFTConfig,
    TrainingConfig,
)
from trainer.handoff.rundir import RunSpec
from trainer.rlhf.amounts import (
    JUDGING,
    LEARNING,
    LOADING,
    SAVING,
    Holding,
    blank_trunk,
    byte_count,
    held_here,
    judges,
    kept_trunks,
    language_loss,
    passes,
    rollout,
    sampled,
    score_sum,
    spreading,
    token_losses,
    training,
    weights,
)
from trainer.rlhf.blanks import META, PassShape, blank_backbone
from trainer.rlhf.casts import Cast, blank_training_backbone, ppo_cast, spread_layers
from trainer.rlhf.loading import pick_dtype
from trainer.rlhf.memory import Need
from trainer.rlhf.modeling import Role, ScalarHead, learned_states
from trainer.rlhf.readings import Reading
from trainer.rlhf.rewards import holdout_reward, whole_reward


def needs(config: Config, spec: RunSpec, reading: Reading, processes: int) -> list[Need]:
    """Everything that takes memory in one process."""
    if isinstance(config, SampleConfig):
        return sampling_run(config, spec, reading, processes)
    if isinstance(config, PPOConfig):
        return ppo_run(config, spec, reading, processes)
    return supervised_run(config, spec, reading, processes)


def supervised_run(
    config: SFTConfig | RewardConfig | DPOConfig | KTOConfig, spec: RunSpec, reading: Reading, processes: int
) -> list[Need]:
    backbone = blank_training_backbone(config, spec.base_model)
    role = spec.kind
    backbone.add_role(role, config.seed)
    heads = {}
    if isinstance(config, RewardConfig):
        heads["reward"] = ScalarHead(backbone.hidden_size, spread=0, seed=0).to(META)
    learned = backbone.learned_by(role) | _named(heads)
    cast = Cast({"model": backbone}, learned, heads)

    def pass_through(shape: PassShape) -> Tensor:
        return (
            language_loss(Role(backbone, role), shape)
            if not heads
            else score_sum(backbone, role, heads, shape)
        )

    held, whole, found = layout(config, cast, processes)
    found += [*weights(cast, held), *training(learned, held)]
    found += passes(LEARNING, pass_through, reading.learning, whole, learns=True)
    found += passes(JUDGING, pass_through, reading.judging, whole, learns=False)
    found.append(kept_trunks(backbone, reading.learning))
    if isinstance(config, SFTConfig) and config.patience:
        found.append(Need("best weights", held(learned.values())))
    if isinstance(config, RewardConfig):
        found.append(Need("classifier", byte_count(backbone.parameters()), SAVING))
    return found


def sampling_run(config: SampleConfig, spec: RunSpec, reading: Reading, processes: int) -> list[Need]:
    backbone = blank_backbone(spec.base_model, pick_dtype(config), lora_rank=0, lora_layers=0)
    prompts = -(-min(config.prompts_at_once, reading.learned) // processes)
    cast = Cast({"policy": backbone}, {}, {})
    return [
        *weights(cast),
        *judges(whole_reward(spec), pick_dtype(config)),
        sampled(Role(backbone, None), prompts, config.draws_per_prompt, reading, config.max_new_tokens),
    ]


def ppo_run(config: PPOConfig, spec: RunSpec, reading: Reading, processes: int) -> list[Need]:
    cast, policy, critic = ppo_cast(config, spec)
    learned = cast.learned
    head = cast.heads["value"]
    rows = -(-config.rollout_size // processes)

    def pass_through(shape: PassShape) -> Tensor:
        batch = shape.batch()
        trunk = blank_trunk(policy.backbone, shape)
        states = learned_states(policy.hidden(batch, trunk), batch)
        loss = token_losses(policy.backbone, states, shape)
        if critic is not policy:
            shared = critic.backbone is policy.backbone
            states = learned_states(critic.hidden(batch, trunk if shared else None), batch)
        values: Tensor = head(states)
        return loss + values.sum()

    def mixed_in(shape: PassShape) -> Tensor:
        return language_loss(policy, shape)

    held, whole, found = layout(config, cast, processes)
    found += [*weights(cast, held), *training(learned, held, ema=config.ema_decay > 0)]
    found += passes(LEARNING, pass_through, reading.learning, whole, learns=True)
    found += passes("learning demonstrations", mixed_in, reading.mixed_in, whole, learns=True)
    found.append(sampled(policy, rows, 1, reading, config.max_new_tokens))
    found += judges([*spec.rewards, *holdout_reward(spec)], pick_dtype(config))
    if spec.reward_model and "reward model" not in cast.backbones:
        found.append(Need("whole reward model", byte_count(policy.backbone.parameters()), LOADING))
    found.append(rollout(policy.backbone, rows, reading))
    return found


def layout(
    config: TrainingConfig, cast: Cast, processes: int
) -> tuple[Holding, dict[str, nn.Parameter], list[Need]]:
    """How much of tensors one process holds, what is learned and whole in it, and what takes memory because
    layers are spread."""
    if not config.shard or processes == 1:
        return byte_count, cast.learned, []
    trained, *others = cast.backbones.values()
    spread = set().union(*map(spread_layers, cast.backbones.values()))
    whole = {name: parameter for name, parameter in cast.learned.items() if id(parameter) not in spread}
    # Only what is trained is put together again to be saved.
    beside = [need for backbone in others for need in spreading(backbone) if need.during != SAVING]
    found = [*spreading(trained), *beside]
    return partial(held_here, spread=spread, processes=processes), whole, found


def _named(heads: dict[str, ScalarHead]) -> dict[str, nn.Parameter]:
    return {f"head.{name}": p for head in heads.values() for name, p in head.named_parameters()}
