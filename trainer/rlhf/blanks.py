"""Models and batches without contents, on torch's ``meta`` device: to count what the real ones will take."""

import copy
from dataclasses import dataclass
from typing import Any

import torch
from transformers import AutoModelForCausalLM

from trainer.rlhf.batches import Batch, whole_steps
from trainer.rlhf.loading import load_config
from trainer.rlhf.modeling import Backbone

META = torch.device("meta")


@dataclass(frozen=True)
class PassShape:
    """What goes through a model at once."""

    rows: int
    longest: int
    """Tokens of the longest row."""
    learned: int
    """Learned tokens of all rows together."""
    shared: bool = False
    """Whether several completions stand in one row."""

    @property
    def columns(self) -> int:
        return whole_steps(self.longest)

    def batch(self) -> Batch:
        rows, columns, learned = self.rows, self.columns, -(-self.learned // self.rows)
        with META:
            places = torch.zeros(rows, columns, dtype=torch.long) if self.shared else None
            return Batch(
                ids=torch.zeros(rows, columns, dtype=torch.long),
                attention=torch.zeros(rows, columns, dtype=torch.long),
                source=torch.zeros(rows, learned, dtype=torch.long),
                tokens=torch.zeros(rows, learned, dtype=torch.long),
                mask=torch.ones(rows, learned),
                last=torch.zeros(rows, dtype=torch.long),
                row=torch.zeros(rows, dtype=torch.long),
                positions=places,
                part=places,
            )


@dataclass(frozen=True)
class Traits:
    """What can be done with a model's architecture."""

    layers: int
    hidden_size: int
    shares_trunk: bool
    shares_prefix: bool

    @classmethod
    def of(cls, base_model: str) -> "Traits":
        """Found out on two thin layers of the same architecture; not all of them can be made so small, but
        most can do both."""
        config = load_config(base_model).get_text_config()
        thin = copy.deepcopy(config)
        thin.num_hidden_layers, thin.vocab_size, thin.intermediate_size = 2, 32, 16
        thin.bos_token_id = thin.eos_token_id = thin.pad_token_id = None
        if getattr(config, "layer_types", None):
            thin.layer_types = config.layer_types[:2]
        try:
            with torch.random.fork_rng(devices=[]):
                model = AutoModelForCausalLM.from_config(thin)  # type: ignore[no-untyped-call]
            backbone = Backbone(model, lora_rank=1, lora_layers=1)
            shares_trunk, shares_prefix = backbone.trunk_part is not None, backbone.shares_prefix
        except Exception:  # whatever an architecture says to sizes it was not made for
            shares_trunk = shares_prefix = True
        return cls(config.num_hidden_layers, config.hidden_size, shares_trunk, shares_prefix)


def blank_backbone(
    base_model: str,
    dtype: torch.dtype,
    *,
    lora_rank: int,
    lora_layers: int,
    kind: Any = AutoModelForCausalLM,
    told: Any = None,
) -> Backbone:
    """The model with room for roles, but no weights; or one of another config, as ``told``."""
    # To make models, even without weights, may draw random numbers.
    with torch.random.fork_rng(devices=[]), META:
        model = kind.from_config(told or load_config(base_model), dtype=dtype)
    backbone = Backbone(model, lora_rank=lora_rank, lora_layers=lora_layers)
    if backbone.trunk_part is not None and not Traits.of(base_model).shares_trunk:
        backbone.trunk_part = backbone.top_part = None
    return backbone
