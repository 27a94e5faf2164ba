"""What a reward run makes and PPO asks: scores for whole completions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import AutoModelForSequenceClassification

from trainer.handoff.configs import RewardConfig
from trainer.handoff.rundir import RunDirectory, RunSpec
from trainer.rlhf.batches import Batch
from trainer.rlhf.errors import LabError
from trainer.rlhf.loading import pick_device, save_model
from trainer.rlhf.modeling import Backbone, Role, ScalarHead

ADAPTER, REPORT = "adapter.safetensors", "reward.json"


@dataclass(frozen=True)
class RewardModel:
    """Scores for whole completions, on a scale frozen after training."""

    role: Role
    head: ScalarHead
    bias: float = 0.0
    scale: float = 1.0

    def raw_scores(self, batch: Batch, trunk: Tensor | None = None) -> Tensor:
        """(N,) read at each sequence's last token, found by its length: padding may equal the end mark."""
        hidden = self.role.hidden(batch, trunk)
        scores: Tensor = self.head(hidden[batch.row, batch.last])
        return scores

    @torch.no_grad()
    def scores(self, batch: Batch, trunk: Tensor | None = None) -> Tensor:
        """(N,) normalized."""
        return (self.raw_scores(batch, trunk) - self.bias) / self.scale


def load_reward_model(
    folder: Path, *, dtype: torch.dtype, shared: Backbone | None = None, base_digest: str = ""
) -> RewardModel:
    """What a reward run published. Where it was trained from the weights of ``shared``, it speaks through
    that backbone as one more role; else it brings its own."""
    try:
        about = json.loads((folder / REPORT).read_text(encoding="utf-8"))
        classifier = AutoModelForSequenceClassification.from_pretrained(folder, dtype=dtype)
    except (OSError, ValueError) as error:
        raise LabError(f"The reward model in {folder} could not be loaded: {error}") from error
    head = ScalarHead(classifier.config.hidden_size, spread=0.0, seed=0)
    head.weight.data = classifier.score.weight.detach().float()
    rank, layers = (shared.lora_rank, shared.lora_layers) if shared else (0, 0)
    same_layers = (about["lora_rank"], about["lora_layers"]) == (rank, layers)
    if shared and rank and about["base_digest"] == base_digest and same_layers:
        shared.load_role("reward", load_file(folder / ADAPTER))
        role = Role(shared, "reward")
    else:
        device, compute = (shared.device, shared.compute) if shared else (pick_device(), dtype)
        own = Backbone(classifier.to(device), lora_rank=rank, lora_layers=layers, compute=compute)
        role = Role(own, None)
    head.to(role.backbone.device).requires_grad_(False)
    return RewardModel(role, head, bias=about["bias"], scale=about["scale"])


def publish_reward_model(
    model: RewardModel,
    config: RewardConfig,
    spec: RunSpec,
    directory: RunDirectory,
    tokenizer: Any,
    summary: dict[str, object],
    files: dict[str, str],
) -> None:
    backbone = model.role.backbone
    about = {
        "bias": model.bias,
        "scale": model.scale,
        "base_digest": spec.base_digest,
        "lora_rank": config.lora_rank,
        "lora_layers": config.lora_layers,
        "report": summary,
    }
    with directory.publish_result() as folder:
        if config.lora_rank:
            save_file(backbone.role_tensors("reward"), folder / ADAPTER)
        _pad_apart_from_end(tokenizer)
        save_model(_classifier(backbone.merge("reward"), model.head, tokenizer), tokenizer, folder)
        (folder / REPORT).write_text(json.dumps(about, indent=2), encoding="utf-8")
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")


def _pad_apart_from_end(tokenizer: Any) -> None:
    """Any special token but the end mark pads: transformers' classifiers read the score at the last token
    that is no padding, and ours stands at the end mark."""
    others = [token for token in tokenizer.all_special_tokens if token != tokenizer.eos_token]
    if tokenizer.pad_token_id in (None, tokenizer.eos_token_id):
        tokenizer.pad_token = others[0] if others else None


def _classifier(language_model: Any, head: nn.Module, tokenizer: Any) -> Any:
    """The same weights under a one-number head, as transformers' own sequence classifier."""
    config = language_model.config
    config.num_labels, config.pad_token_id = 1, tokenizer.pad_token_id
    try:
        classifier: Any = AutoModelForSequenceClassification.from_config(  # type: ignore[no-untyped-call]
            config, dtype=language_model.dtype
        )
    except ValueError as error:
        raise LabError(f"transformers has no sequence classifier for {config.model_type} models.") from error
    classifier.base_model.load_state_dict(language_model.base_model.state_dict())
    classifier.score.weight.data.copy_(head.state_dict()["weight"])
    return classifier
