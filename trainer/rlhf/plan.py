"""What each stage holds in memory, counted on models without weights before the real ones are loaded.

Frozen and learned weights, gradients and moments are exact. Passes are computed on the ``meta`` device as
the stages compute them, at the longest texts of the data; what happens inside one operation is not seen.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import AutoModelForSequenceClassification, DynamicCache

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
from trainer.handoff.rewards import RewardSource
from trainer.handoff.rundir import RunSpec
from trainer.rlhf.batches import whole_steps
from trainer.rlhf.blanks import META, PassShape, blank_backbone
from trainer.rlhf.loading import pick_dtype, weights_dtype
from trainer.rlhf.memory import Need
from trainer.rlhf.meter import most_bytes
from trainer.rlhf.modeling import FULL, Backbone, Role, ScalarHead, learned_states
from trainer.rlhf.readings import Reading
from trainer.rlhf.reward_models import REPORT
from trainer.rlhf.rewards import holdout_reward, whole_reward
from trainer.rlhf.sampling import draw
from trainer.rlhf.trunks import MOST_BYTES

LOADING, STEP, LEARNING, JUDGING, SAMPLING, SAVING = (
    "loading", "optimizer step", "learning", "judging", "sampling", "saving",
)  # fmt: skip
ON_HOST = (LOADING, SAVING)
"""Moments that take the machine's own memory, whatever device computes."""

Holding = Callable[[Iterable[Tensor]], int]
"""How many bytes of some tensors one process holds."""


@dataclass(frozen=True)
class Cast:
    """Who takes part: all of them without weights."""

    backbones: dict[str, Backbone]
    """By what they are there for; the first one speaks for the role that is trained."""
    learned: dict[str, nn.Parameter]
    heads: dict[str, ScalarHead]


def needs(
    config: Config, spec: RunSpec, reading: Reading, *, device: torch.device, processes: int
) -> list[Need]:
    """Everything that takes memory in one process."""
    if isinstance(config, SampleConfig):
        found = sampling_run(config, spec, reading)
    elif isinstance(config, PPOConfig):
        found = ppo_run(config, spec, reading, processes)
    else:
        found = supervised_run(config, spec, reading, processes)
    return [need if need.during in ON_HOST else replace(need, on=str(device)) for need in found]


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

    held: Holding = _bytes
    whole, found = learned, []
    if config.shard and processes > 1:
        spread = spread_layers(backbone)
        held = partial(_held, spread=spread, processes=processes)
        whole = {name: parameter for name, parameter in learned.items() if id(parameter) not in spread}
        found += spreading(backbone)
    found += [*weights(cast, held), *training(learned, held)]
    found += passes(LEARNING, pass_through, reading.learning, whole, learns=True)
    found += passes(JUDGING, pass_through, reading.judging, whole, learns=False)
    found.append(kept_trunks(backbone, reading.learning))
    if isinstance(config, SFTConfig) and config.patience:
        found.append(Need("best weights", held(learned.values()), "of the best held-out loss so far"))
    if isinstance(config, RewardConfig):
        why = "the same weights as a sequence classifier"
        found.append(Need("classifier", _bytes(backbone.parameters()), why, SAVING))
    return found


def spread_layers(backbone: Backbone) -> set[int]:
    """Let the layers of a model without weights behave as spread ones do: a gradient goes as soon as it is
    there, and nothing is kept of the trunk. Returns their parameters' identities."""
    backbone.trunk_part = backbone.top_part = None
    parameters = list(backbone.layers.parameters()) if backbone.layers is not None else []
    for parameter in parameters:
        if parameter.requires_grad:
            parameter.register_post_accumulate_grad_hook(_let_gradient_go)  # type: ignore[no-untyped-call]
    return set(map(id, parameters))


def spreading(backbone: Backbone) -> list[Need]:
    """What is whole although the layers are spread."""
    everything = _bytes(backbone.parameters())
    layer = max((list(layer.parameters()) for layer in backbone.layers or ()), key=_bytes, default=[])
    gradients = _bytes(parameter for parameter in layer if parameter.requires_grad)
    return [
        Need("whole model", everything, "as it is loaded, before it is spread", LOADING),
        Need("gathered model", everything, "in the first process, to be saved", SAVING),
        Need("whole layers", 2 * (_bytes(layer) + gradients), "the one that speaks and the next"),
    ]


def sampling_run(config: SampleConfig, spec: RunSpec, reading: Reading) -> list[Need]:
    backbone = blank_backbone(spec.base_model, pick_dtype(config), lora_rank=0, lora_layers=0)
    prompts = max(1, config.batch_size // config.draws_per_prompt)
    prompts = min(prompts, reading.learned)
    cast = Cast({"policy": backbone}, {}, {})
    return [
        *weights(cast),
        *judges(whole_reward(spec), pick_dtype(config)),
        sampled(Role(backbone, None), prompts, config.draws_per_prompt, reading, config.max_new_tokens),
    ]


def ppo_run(config: PPOConfig, spec: RunSpec, reading: Reading, processes: int) -> list[Need]:
    cast, policy, critic = ppo_cast(config, spec)
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

    found = [*weights(cast), *training(cast.learned, ema=config.ema_decay > 0)]
    found += passes(LEARNING, pass_through, reading.learning, cast.learned, learns=True)
    found += passes("learning demonstrations", mixed_in, reading.mixed_in, cast.learned, learns=True)
    found.append(sampled(policy, rows, 1, reading, config.max_new_tokens))
    found += judges([*spec.rewards, *holdout_reward(spec)], pick_dtype(config))
    if spec.reward_model and "reward model" not in cast.backbones:
        why = "the whole reward model, of which adapters and head are kept"
        found.append(Need("reward model", _bytes(policy.backbone.parameters()), why, LOADING))
    found.append(rollout(policy.backbone, rows, reading))
    return found


def ppo_cast(config: PPOConfig, spec: RunSpec) -> tuple[Cast, Role, Role]:
    """Also who speaks as the policy, and who as the critic."""
    backbone = blank_training_backbone(config, spec.base_model)
    backbones = {"policy": backbone}
    policy = Role(backbone, "policy" if config.lora_rank else None)
    backbone.add_role(policy.name or FULL, config.seed)
    if not config.lora_rank:
        backbones["reference"] = blank_training_backbone(config, spec.base_model)
    heads = {
        name: ScalarHead(backbone.hidden_size, spread=0, seed=0, bias=name == "value").to(META)
        for name in ("value", "reward")
    }
    heads["reward"].requires_grad_(False)
    home = backbone
    if speaks_through(config, spec):
        backbone.add_role("reward", 0)
        for parameter in backbone.role_parameters("reward"):
            parameter.requires_grad_(False)
    elif spec.reward_model:
        home = backbones["reward model"] = _blank_reward_model(config, spec)
    learned = {f"policy.{name}": p for name, p in backbone.learned_by(policy.name or FULL).items()}
    critic = policy
    if config.critic == "reward":
        if not config.lora_rank:
            home = backbones["critic"] = _blank_reward_model(config, spec)
        critic = Role(home, "critic" if config.lora_rank else None)
        home.add_role(critic.name or FULL, config.seed)
        learned |= {f"critic.{name}": p for name, p in home.learned_by(critic.name or FULL).items()}
    learned |= {f"value.{name}": p for name, p in heads["value"].named_parameters()}
    return Cast(backbones, learned, heads), policy, critic


def judges(sources: Iterable[RewardSource], dtype: torch.dtype) -> list[Need]:
    """Reward models that score texts, each with all its weights."""
    found = []
    for source in sources:
        if source.is_checkpoint:
            classifier = AutoModelForSequenceClassification
            blank = blank_backbone(source.source, dtype, lora_rank=0, lora_layers=0, kind=classifier)
            found.append(Need(f"reward model {source.source}", _bytes(blank.parameters()), "scores texts"))
    return found


def speaks_through(config: PPOConfig, spec: RunSpec) -> bool:
    """Whether the reward model is one more role on the policy's backbone."""
    if not (config.lora_rank and spec.reward_model):
        return False
    try:
        about = json.loads((Path(spec.reward_model) / REPORT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    wanted = {
        "lora_rank": config.lora_rank,
        "lora_layers": config.lora_layers,
        "base_digest": spec.base_digest,
    }
    return all(about.get(name) == value for name, value in wanted.items())


def weights(cast: Cast, held: Holding | None = None) -> list[Need]:
    """Frozen and learned weights of each backbone; whatever is shared counts once."""
    held = held or _bytes
    learned = {id(parameter) for parameter in cast.learned.values()}
    found = []
    for name, backbone in cast.backbones.items():
        tensors = list({id(t): t for t in [*backbone.parameters(), *backbone.buffers()]}.values())
        frozen = [tensor for tensor in tensors if id(tensor) not in learned]
        found.append(Need(f"{name}: frozen weights", held(frozen), "as they are loaded"))
        trained = [tensor for tensor in tensors if id(tensor) in learned]
        found.append(Need(f"{name}: learned weights", held(trained), "adapters, or all of them"))
    heads = [parameter for head in cast.heads.values() for parameter in head.parameters()]
    return [*found, Need("heads", _bytes(heads), "one number from a hidden state")]


def training(
    learned: dict[str, nn.Parameter],
    held: Holding | None = None,
    *,
    ema: bool = False,
) -> list[Need]:
    """What an optimizer keeps beside the weights."""
    held = held or _bytes
    size = held(learned.values())
    largest = max(held([parameter]) for parameter in learned.values())
    found = [
        Need("gradients", size, "one for each learned weight"),
        Need("moments", 2 * size, "AdamW keeps two for each learned weight"),
        Need("working space", 2 * largest, "AdamW takes one tensor after the other", STEP),
    ]
    if ema:
        found.append(Need("average", size, "ema_decay keeps a moving average of the learned weights"))
        found.append(Need("last weights", size, "put aside while the average is published", "publishing"))
    return found


def passes(
    moment: str,
    compute: Callable[[PassShape], Tensor],
    shapes: Sequence[PassShape],
    learned: dict[str, nn.Parameter],
    *,
    learns: bool,
) -> list[Need]:
    """The largest pass of a moment; nothing where there is none."""
    found = []
    for shape in _largest(shapes):
        size = most_bytes(partial(_through, compute, shape, learns=learns))
        for parameter in learned.values():
            parameter.grad = None
        # While activations are there, not all gradients are yet.
        beyond = max(size - _bytes(learned.values()), 0) if learns else size
        what = "activations, beyond what the gradients take" if learns else "activations of some layer"
        found.append(Need(f"pass of {shape.rows} x {shape.longest} tokens", beyond, what, moment))
    return sorted(found, key=lambda need: need.bytes)[-1:]


def language_loss(role: Role, shape: PassShape) -> Tensor:
    batch = shape.batch()
    return token_losses(role.backbone, learned_states(role.hidden(batch), batch), shape)


def token_losses(backbone: Backbone, states: Tensor, shape: PassShape) -> Tensor:
    """``token_logprobs`` when it is known how many tokens are real, but not which."""
    logits = backbone.logits(states.flatten(0, 1)[: shape.learned].clone()) / 1.0
    tokens = torch.zeros(len(logits), dtype=torch.long, device=META)
    return F.cross_entropy(logits, tokens, reduction="none").sum()


def score_sum(backbone: Backbone, role: str, heads: dict[str, ScalarHead], shape: PassShape) -> Tensor:
    batch = shape.batch()
    scores: Tensor = heads["reward"](backbone.hidden(role, batch)[batch.row, batch.last])
    return scores.sum()


def blank_trunk(backbone: Backbone, shape: PassShape) -> Tensor | None:
    if backbone.trunk_part is None:
        return None
    size = (shape.rows, shape.columns, backbone.hidden_size)
    return torch.zeros(*size, dtype=backbone.model.dtype, device=META)


def kept_trunks(backbone: Backbone, shapes: Iterable[PassShape]) -> Need:
    """What ``TrunkCache`` keeps of all batches."""
    if backbone.trunk_part is None:
        return Need("trunks", 0, "no layers are shared")
    width = backbone.hidden_size * backbone.model.dtype.itemsize
    size = sum(shape.rows * shape.columns * width for shape in shapes)
    return Need(
        "trunks", min(size, MOST_BYTES), "states below the first adapter, for every batch of the data"
    )


def rollout(backbone: Backbone, rows: int, reading: Reading) -> Need:
    width = 8 * 8 + (
        0 if backbone.trunk_part is None else backbone.hidden_size * backbone.model.dtype.itemsize
    )
    size = rows * whole_steps(reading.longest) * width
    return Need("rollout", size, f"{rows} completions, with the states below the first adapter")


def sampled(role: Role, prompts: int, repeats: int, reading: Reading, max_new_tokens: int) -> Need:
    """Reading the prompts, then the last of the new tokens, with everything before it in the cache."""
    rows, longest = prompts * repeats, reading.longest_prompt + max_new_tokens
    read = most_bytes(lambda: _say(role, prompts, reading.longest_prompt, DynamicCache()))
    cache = DynamicCache()
    _say(role, 1, longest - 1, cache)
    kept = sum(
        _bytes(part for part in vars(layer).values() if isinstance(part, Tensor)) for layer in cache.layers
    )
    cache.batch_repeat_interleave(rows)
    last = most_bytes(lambda: _say(role, rows, 1, cache, longest))
    size = max(read, rows * kept + last)
    return Need("keys and values", size, f"of {rows} completions of {longest} tokens, and a step", SAMPLING)


@torch.no_grad()
def _say(role: Role, rows: int, new: int, cache: Any, whole: int = 0) -> None:
    backbone, whole = role.backbone, whole or new
    with META:
        ids = torch.zeros(rows, new, dtype=torch.long)
        mask = torch.ones(rows, 1, new, whole, dtype=torch.bool)
        luck = torch.zeros(rows)
    with backbone.speaking(role.name):
        output = backbone.decoder(
            input_ids=ids,
            attention_mask=mask,
            position_ids=torch.zeros_like(ids),
            cache=cache,
            use_cache=True,
        )
    draw(backbone.logits(output.last_hidden_state[:, -1]) / 1.0, luck)


def blank_training_backbone(config: TrainingConfig, base_model: str, **options: Any) -> Backbone:
    backbone = blank_backbone(
        base_model,
        weights_dtype(config),
        lora_rank=config.lora_rank,
        lora_layers=config.lora_layers,
        **options,
    )
    if config.gradient_checkpointing:
        backbone.recompute_layers()
    return backbone


def _blank_reward_model(config: PPOConfig, spec: RunSpec) -> Backbone:
    model = spec.reward_model or spec.base_model
    return blank_training_backbone(config, model, kind=AutoModelForSequenceClassification)


def _through(compute: Callable[[PassShape], Tensor], shape: PassShape, *, learns: bool) -> None:
    with torch.set_grad_enabled(learns):
        loss = compute(shape)
        if learns:
            loss.backward()  # type: ignore[no-untyped-call]


def _largest(shapes: Sequence[PassShape]) -> set[PassShape]:
    """The shapes that may take most: of texts, of texts squared, and of learned tokens."""
    sizes = (
        lambda shape: shape.rows * shape.columns,
        lambda shape: shape.rows * shape.columns**2,
        lambda shape: shape.learned,
    )
    return {max(shapes, key=size) for size in sizes} if shapes else set()


def _named(heads: dict[str, ScalarHead]) -> dict[str, nn.Parameter]:
    return {f"head.{name}": p for head in heads.values() for name, p in head.named_parameters()}


def _let_gradient_go(parameter: Tensor) -> None:
    parameter.grad = None


def _held(tensors: Iterable[Tensor], spread: set[int], processes: int) -> int:
    """Bytes in one process."""
    return sum(_bytes([tensor]) // (processes if id(tensor) in spread else 1) for tensor in tensors)


def _bytes(tensors: Iterable[Tensor]) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)
