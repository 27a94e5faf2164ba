"""How much the parts of a run take: weights and what an optimizer keeps, to the byte; passes as the stages
compute them, on the ``meta`` device. What happens inside one operation is not seen.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import AutoModelForSequenceClassification, DynamicCache

from trainer.handoff.rewards import RewardSource
from trainer.rlhf.batches import whole_steps
from trainer.rlhf.blanks import META, PassShape, blank_backbone
from trainer.rlhf.casts import Cast
from trainer.rlhf.memory import Need
from trainer.rlhf.meter import most_bytes
from trainer.rlhf.modeling import Backbone, Role, ScalarHead, learned_states
from trainer.rlhf.readings import Reading
from trainer.rlhf.sampling import draw
from trainer.rlhf.trunks import MOST_BYTES

LOADING, STEP, LEARNING, JUDGING, SAMPLING, SAVING, PUBLISHING, CHANGING, ROUNDING, MEASURING = (
    "loading", "optimizer step", "learning", "judging", "sampling", "saving", "publishing", "changing",
    "rounding", "measuring",
)  # fmt: skip
ON_HOST = (LOADING, SAVING)
"""Moments that take the machine's own memory, whatever device computes."""

Holding = Callable[[Iterable[Tensor]], int]
"""How many bytes of some tensors one process holds."""


def weights(cast: Cast, held: Holding | None = None) -> list[Need]:
    """Frozen and learned weights of each backbone; whatever is shared counts once."""
    held = held or byte_count
    learned = {id(parameter) for parameter in cast.learned.values()}
    found = []
    for name, backbone in cast.backbones.items():
        tensors = list({id(t): t for t in [*backbone.parameters(), *backbone.buffers()]}.values())
        frozen = [tensor for tensor in tensors if id(tensor) not in learned]
        found.append(Need("frozen weights", held(frozen), numbers={"of": name}))
        trained = [tensor for tensor in tensors if id(tensor) in learned]
        found.append(Need("learned weights", held(trained), numbers={"of": name}))
    heads = [parameter for head in cast.heads.values() for parameter in head.parameters()]
    return [*found, Need("heads", byte_count(heads))]


def training(
    learned: dict[str, nn.Parameter],
    held: Holding | None = None,
    *,
    ema: bool = False,
) -> list[Need]:
    """What an optimizer keeps beside the weights."""
    held = held or byte_count
    size = held(learned.values())
    largest = max(held([parameter]) for parameter in learned.values())
    found = [
        Need("gradients", size),
        Need("moments", 2 * size),
        Need("working space", 2 * largest, STEP),
    ]
    if ema:
        found += [Need("average", size), Need("last weights", size, PUBLISHING)]
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
        beyond = max(size - byte_count(learned.values()), 0) if learns else size
        what, numbers = (
            "learning pass" if learns else "judging pass",
            {"rows": shape.rows, "longest": shape.longest},
        )
        found.append(Need(what, beyond, moment, numbers=numbers))
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
        return Need("trunks", 0)
    width = backbone.hidden_size * backbone.model.dtype.itemsize
    size = sum(shape.rows * shape.columns * width for shape in shapes)
    return Need("trunks", min(size, MOST_BYTES))


def rollout(backbone: Backbone, rows: int, reading: Reading) -> Need:
    width = 8 * 8 + (
        0 if backbone.trunk_part is None else backbone.hidden_size * backbone.model.dtype.itemsize
    )
    size = rows * whole_steps(reading.longest) * width
    return Need("rollout", size, numbers={"rows": rows})


def sampled(role: Role, prompts: int, repeats: int, reading: Reading, max_new_tokens: int) -> Need:
    """Reading the prompts, then the last of the new tokens, with everything before it in the cache."""
    rows, longest = prompts * repeats, reading.longest_prompt + max_new_tokens
    read = most_bytes(lambda: _say(role, prompts, reading.longest_prompt, DynamicCache()))
    cache = DynamicCache()
    _say(role, 1, longest - 1, cache)
    kept = sum(
        byte_count(part for part in vars(layer).values() if isinstance(part, Tensor))
        for layer in cache.layers
    )
    cache.batch_repeat_interleave(rows)
    last = most_bytes(lambda: _say(role, rows, 1, cache, longest))
    size = max(read, rows * kept + last)
    return Need("keys and values", size, SAMPLING, numbers={"rows": rows, "longest": longest})


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


def judges(sources: Iterable[RewardSource], dtype: torch.dtype) -> list[Need]:
    """Reward models that score texts, each with all its weights."""
    found = []
    for source in sources:
        if source.is_checkpoint:
            classifier = AutoModelForSequenceClassification
            blank = blank_backbone(source.source, dtype, lora_rank=0, lora_layers=0, kind=classifier)
            size = byte_count(blank.parameters())
            found.append(Need("scores texts", size, numbers={"source": source.source}))
    return found


def spreading(backbone: Backbone) -> list[Need]:
    """What is whole although the layers are spread."""
    everything = byte_count(backbone.parameters())
    layer = max((list(layer.parameters()) for layer in backbone.layers or ()), key=byte_count, default=[])
    gradients = byte_count(parameter for parameter in layer if parameter.requires_grad)
    return [
        Need("whole model", everything, LOADING),
        Need("gathered model", everything, SAVING),
        Need("whole layers", 2 * (byte_count(layer) + gradients)),
    ]


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


def held_here(tensors: Iterable[Tensor], spread: set[int], processes: int) -> int:
    """Bytes in one process, where those that are ``spread`` lie in all of them."""
    return sum(byte_count([tensor]) // (processes if id(tensor) in spread else 1) for tensor in tensors)


def byte_count(tensors: Iterable[Tensor]) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)
