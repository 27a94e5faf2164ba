"""Training that brings back what a compression has cost: on demonstrations, and on the original's opinion."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from trainer.handoff.configs.compress import RecoveryConfig
from trainer.handoff.rundir import RunDirectory
from trainer.rlhf.batches import Batch, TokenSequence, length_buckets
from trainer.rlhf.epochs import Epochs
from trainer.rlhf.loading import pick_dtype
from trainer.rlhf.modeling import FULL, Backbone, Role, learned_states
from trainer.rlhf.reporting import Reporter
from trainer.rlhf.sft import SFTBatch, collate
from trainer.rlhf.world import World


def distillation_loss(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """T² · KL(teacher ‖ student) of probabilities at temperature T, per token (Hinton et al. 2015, section
    2). T² keeps the gradient's size whatever T is.

    student, teacher  (N, V)  logits
    """
    told = F.log_softmax(teacher / temperature, -1)
    thought = F.log_softmax(student / temperature, -1)
    kl = F.kl_div(thought, told, log_target=True, reduction="none").sum(-1)
    return temperature**2 * kl


@dataclass(frozen=True)
class Lesson:
    """Who learns from whom."""

    student: Role
    teacher: Role | None
    config: RecoveryConfig

    def loss(self, part: Batch, learned_tokens: float) -> Tensor:
        """Of the part, per learned token of the whole step."""
        real = part.mask.bool()

        def speak(role: Role) -> Tensor:
            return role.backbone.logits(learned_states(role.hidden(part), part)[real])

        return self.lost(part.tokens[real], speak) / learned_tokens

    def lost(self, tokens: Tensor, speak: Callable[[Role], Tensor]) -> Tensor:
        """Summed over ``tokens`` (N,); ``speak`` gives somebody's logits (N, V)."""
        weight = self.config.teacher_weight if self.teacher else 0.0
        logits = speak(self.student)
        loss = torch.zeros((), device=logits.device)
        if weight < 1:
            loss = (1 - weight) * F.cross_entropy(logits, tokens, reduction="sum")
        if self.teacher and weight:
            with torch.no_grad():
                taught = speak(self.teacher)
            loss = loss + weight * distillation_loss(logits, taught, self.config.temperature).sum()
        return loss


def recover(
    model: Any,
    teacher: Role | None,
    sequences: Sequence[TokenSequence],
    config: RecoveryConfig,
    directory: RunDirectory,
    report: Reporter,
    world: World,
    *,
    zeros: Mapping[str, Tensor] | None = None,
) -> dict[str, object]:
    """Train all weights of ``model`` (float32). ``zeros`` has a mask (1: stays) by a parameter's name."""
    backbone = Backbone(model, lora_rank=0, lora_layers=0, compute=pick_dtype(config))
    backbone.add_role(FULL, config.seed)
    lesson = Lesson(Role(backbone, FULL), teacher, config)
    lengths = [len(sequence.ids) for sequence in sequences]
    buckets = length_buckets(sequences, lengths, config.batch_size, random.Random(config.seed))
    batches = [collate(bucket, 0, world) for bucket in buckets]
    epochs = Epochs(config, batches, backbone.learned_by(FULL), directory, report, world)
    for batch in epochs.steps():
        epochs.update(accumulate_loss(lesson, batch))
        keep_zeros(epochs.learner.parameters, zeros or {})
    return {"loss": round(epochs.last["loss"], 4)} if epochs.last else {}


def accumulate_loss(lesson: Lesson, batch: SFTBatch) -> dict[str, float]:
    """Add up the gradient of this process's share. Returns what its share adds to the step's metrics."""
    added = {"loss": 0.0, "tokens": 0.0}
    for part in batch.passes:
        loss = lesson.loss(part, batch.learned_tokens)
        loss.backward()  # type: ignore[no-untyped-call]
        added["loss"] += loss.item()
        added["tokens"] += part.token_count
    return added


@torch.no_grad()
def keep_zeros(parameters: Mapping[str, Tensor], zeros: Mapping[str, Tensor]) -> None:
    for name, mask in zeros.items():
        parameters[name].mul_(mask)
