"""One frozen backbone, several roles: the models that the stages train, ask and save.

With adapters only on the topmost layers, everything below them (the *trunk*) says the same for every role
and every epoch: it runs once per batch and its activations are kept.
"""

import copy
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint
from transformers.modeling_layers import GradientCheckpointingLayer

from trainer.rlhf.batches import Batch, Family, cheapest_rows, in_whole_steps, pad, pad_shared
from trainer.rlhf.errors import LabError
from trainer.rlhf.lora import LoRALinear, Speaker, unwrap_linears, widened, wrap_linears

FULL = "full"
"""The role that trains all weights, where there are no adapters."""


class Backbone(nn.Module):
    """A causal language model whose frozen weights serve several roles.

    ``decoder`` gives hidden states, ``head`` turns them into logits.
    """

    def __init__(
        self, model: Any, *, lora_rank: int, lora_layers: int, compute: torch.dtype | None = None
    ) -> None:
        """``compute``: what matrix products are done in, where that is not the weights' own type."""
        super().__init__()
        self.model = model
        self._compute = compute
        self.lora_rank, self.lora_layers = lora_rank, lora_layers
        self.speaker = Speaker()
        self.requires_grad_(False).eval()  # dropout stays off: scores must not depend on luck
        self.trunk_part, self.top_part = self._split(lora_layers if lora_rank else 0)
        self.adapted: list[LoRALinear] = self._adapt() if lora_rank else []

    def recompute_layers(self) -> None:
        """From now on a layer keeps its input alone, and says the rest again when its gradient is asked for.

        transformers can do this too, but only in training mode, where some layers drop out.

        :raises LabError: it cannot be told what the model's layers are.
        """
        layers = [part for part in self.decoder.modules() if isinstance(part, GradientCheckpointingLayer)]
        if not layers:
            raise LabError(
                "This model has no layers that transformers can recompute: set "
                "gradient_checkpointing to false."
            )
        for layer in layers:
            if not isinstance(layer.forward, partial):
                layer.forward = partial(self._said_twice, layer.forward)

    def _said_twice(self, forward: Callable[..., Any], *args: Any, **options: Any) -> Any:
        if not torch.is_grad_enabled():
            return forward(*args, **options)
        return checkpoint(
            forward,
            *args,
            use_reentrant=False,
            preserve_rng_state=False,
            # The gradient is taken when nobody speaks any more, or somebody else does.
            context_fn=lambda: (nullcontext(), self.speaking(self.speaker.role)),
            **options,
        )

    @property
    def decoder(self) -> Any:
        return self.model.base_model

    @property
    def layers(self) -> nn.ModuleList | None:
        """The decoder's, whatever the architecture calls them; None where they cannot be told apart."""
        count = getattr(self.decoder.config, "num_hidden_layers", None)
        for layers in self.decoder.modules():
            if isinstance(layers, nn.ModuleList) and len(layers) == count:
                return layers
        return None

    @property
    def compute(self) -> torch.dtype:
        """What matrix products are done in."""
        return self._compute or self.model.dtype

    @property
    def hidden_size(self) -> int:
        return int(self.decoder.config.hidden_size)

    @property
    def device(self) -> torch.device:
        device: torch.device = self.model.device
        return device

    def add_role(self, role: str, seed: int) -> list[nn.Parameter]:
        """Fresh adapters for ``role`` (all weights where there are none), and what is to be trained."""
        if not self.lora_rank:
            self.requires_grad_(True)
            return list(self.parameters())
        generator = torch.Generator().manual_seed(seed)
        for layer in self.adapted:
            layer.add_role(role, self.lora_rank, generator)
        return self.role_parameters(role)

    def role_parameters(self, role: str) -> list[nn.Parameter]:
        return [table[role] for layer in self.adapted for table in (layer.down, layer.up)]

    def learned_by(self, role: str) -> dict[str, nn.Parameter]:
        """What training ``role`` changes, by name: its adapters, or all weights where there are none."""
        if not self.lora_rank:
            return dict(self.model.named_parameters())
        return {
            f"{index}.{part}": table[role]
            for index, layer in enumerate(self.adapted)
            for part, table in (("down", layer.down), ("up", layer.up))
        }

    def role_tensors(self, role: str) -> dict[str, Tensor]:
        """The role's adapters by name, for another backbone with the same layers."""
        return {name: parameter.detach().cpu() for name, parameter in self.learned_by(role).items()}

    @torch.no_grad()
    def load_role(self, role: str, tensors: dict[str, Tensor]) -> None:
        """Give ``role`` the adapters that ``role_tensors`` gave."""
        self.add_role(role, seed=0)
        for index, layer in enumerate(self.adapted):
            layer.down[role].copy_(tensors[f"{index}.down"])
            layer.up[role].copy_(tensors[f"{index}.up"])

    @cached_property
    def shares_prefix(self) -> bool:
        """Whether completions that share a row are read as if each stood alone with the prompt.

        Not every architecture takes its positions and its mask from outside: try, and compare. Where layers
        look back only so far, a small example could not tell.
        """
        if _looks_back_only_so_far(self.decoder.config):
            return False
        ids = torch.arange(1, 30) % self.decoder.config.vocab_size
        first, second, third, fourth, fifth = (part.tolist() for part in ids.split([9, 5, 4, 6, 5]))
        families = [Family(first, [second, third, fourth]), Family(third, [fifth, second])]
        together = pad_shared(families, self.device)
        alone = pad([one for family in families for one in family.sequences()], self.device)
        try:
            expected, found, without_positions, without_mask = (
                self._states(one)
                for one in (alone, together, replace(together, positions=None), replace(together, part=None))
            )
        except Exception:  # whatever an architecture says to inputs it was not made for
            return False
        # Rounding aside the same; and exactly the same without positions or mask if it ignores those.
        error = (found - expected).norm() / expected.norm()
        obeys = not (torch.equal(found, without_positions) or torch.equal(found, without_mask))
        return obeys and error.item() < math.sqrt(torch.finfo(self.compute).eps)

    def pad(self, families: Sequence[Family]) -> Batch:
        """The families' completions as one batch, prompts read once where that is right and cheaper."""
        # Of none too it is found out whether a prefix is shared: where layers are spread, all have to try.
        if self.shares_prefix and families:
            rows = cheapest_rows(families, self.hidden_size)
            if any(len(row.completions) > 1 for row in rows):
                return pad_shared(rows, self.device)
        return pad([sequence for family in families for sequence in family.sequences()], self.device)

    def trunk(self, batch: Batch) -> Tensor | None:
        """Activations (R, S, H) below the first adapter; None where there is nothing to share."""
        if self.trunk_part is None:
            return None
        with torch.no_grad(), self.speaking(None):
            output = self.trunk_part(input_ids=batch.ids, **self._context(batch), use_cache=False)
        return output.last_hidden_state  # type: ignore[no-any-return]

    def hidden(self, role: str | None, batch: Batch, trunk: Tensor | None = None) -> Tensor:
        """Final hidden states (R, S, H) when ``role`` speaks; from the trunk's activations if given."""
        inputs: dict[str, Tensor] = {"input_ids": batch.ids}
        part = self.decoder
        if self.top_part is not None:
            trunk = self.trunk(batch) if trunk is None else trunk
            inputs, part = {"inputs_embeds": trunk}, self.top_part  # type: ignore[dict-item]
        with self.speaking(role):
            output = part(**inputs, **self._context(batch), use_cache=False)
        return output.last_hidden_state  # type: ignore[no-any-return]

    def logits(self, states: Tensor) -> Tensor:
        """(…, V) in float32 from hidden states (…, H)."""
        with self._autocast():
            logits: Tensor = self.model.get_output_embeddings()(states)
        return widened(logits)

    @contextmanager
    def speaking(self, role: str | None) -> Iterator[None]:
        with self.speaker.speaking(role), self._autocast():
            yield

    def _autocast(self) -> Any:
        """Weights that are trained stay in float32, also where bfloat16 does the arithmetic: a step is often
        smaller than bfloat16 can tell."""
        if self.compute == self.model.dtype or self.device.type == "meta":
            return nullcontext()
        return torch.autocast(self.device.type, dtype=self.compute)

    def merge(self, role: str) -> Any:
        """The plain model that says what ``role`` says. The backbone is used up."""
        unwrap_linears(self.decoder, role)
        return self.model

    @torch.no_grad()
    def _states(self, batch: Batch) -> Tensor:
        """(tokens, H): the frozen model's states behind the learned tokens."""
        return learned_states(self.hidden(None, batch), batch)[batch.mask.bool()]

    def _context(self, batch: Batch) -> dict[str, Tensor]:
        """What each token sees, and where it stands, for transformers."""
        # A row to itself needs no mask: padding stands behind it, where no token looks.
        inputs: dict[str, Tensor] = {}
        if batch.part is not None:
            # Added to the scores, which every attention can do: not all of them take booleans.
            dtype = self.compute
            hidden = torch.zeros((), dtype=dtype, device=self.device)
            inputs["attention_mask"] = hidden.where(batch.visible(), torch.finfo(dtype).min)[:, None]
        elif self.device.type == "meta":
            # Without a mask transformers looks for packed rows, which takes contents.
            inputs["attention_mask"] = batch.visible()[:, None]
        if batch.positions is not None:
            inputs["position_ids"] = batch.positions
        return inputs

    def _adapt(self) -> list[LoRALinear]:
        """Room for adapters on the topmost layers, or on all there is."""
        adapted = wrap_linears(self._topmost() if self.lora_layers else self.decoder, self.speaker)
        if not adapted:
            raise LabError(
                f"This {self.decoder.config.model_type} model has no linear layers that adapters could go "
                "on. Set lora_rank=0 to train all weights."
            )
        return adapted

    def _topmost(self) -> nn.ModuleList:
        """The layers that get adapters."""
        if self.layers is not None:
            return self.layers[-self.lora_layers :]
        raise LabError(
            f"lora_layers is {self.lora_layers}, but the layers of this {self.decoder.config.model_type} "
            "model cannot be told apart. Set lora_layers=0 to put adapters on all of it."
        )

    def _split(self, lora_layers: int) -> tuple[Any, Any]:
        """The layers below and from the first adapter on; (None, None) if the model cannot be split."""
        layers = getattr(self.decoder, "layers", None)
        if not lora_layers or not isinstance(layers, nn.ModuleList) or lora_layers >= len(layers):
            return None, None
        if not hasattr(self.decoder, "norm"):
            return None, None
        cut = len(layers) - lora_layers
        trunk = _with_layers(self.decoder, slice(0, cut), nn.Identity())
        top = _with_layers(self.decoder, slice(cut, None), self.decoder.norm)
        if self.device.type == "meta":  # a model without weights, to plan memory: nothing to compare
            return trunk, top
        # Not every architecture allows this cut (some scale embeddings on the way in): try, and compare.
        ids = torch.arange(1, 9, device=self.device)[None]
        with torch.no_grad():
            whole = self.decoder(input_ids=ids, use_cache=False).last_hidden_state
            below = trunk(input_ids=ids, use_cache=False).last_hidden_state
            parts = top(inputs_embeds=below, use_cache=False).last_hidden_state
        return (trunk, top) if torch.equal(whole, parts) else (None, None)


@dataclass(frozen=True)
class Role:
    """Somebody who speaks through a backbone."""

    backbone: Backbone
    name: str | None

    def hidden(self, batch: Batch, trunk: Tensor | None = None) -> Tensor:
        return self.backbone.hidden(self.name, batch, trunk)


def learned_states(hidden: Tensor, batch: Batch) -> Tensor:
    """(N, T, H) from (R, S, H): the hidden states that predict the learned tokens."""
    place = batch.row[:, None] * hidden.shape[1] + batch.source
    # As an embedding: where completions read the same state, its gradient adds up in a fixed order.
    return F.embedding(place, hidden.flatten(0, 1))


def token_logprobs(backbone: Backbone, states: Tensor, batch: Batch, temperature: float = 1.0) -> Tensor:
    """(N, T) log-probabilities of the learned tokens, 0 on padding. Only real tokens pass the head."""
    real = batch.mask.bool()
    tokens = batch.tokens[real]
    logits = backbone.logits(in_whole_steps(states[real]))  # (tokens and a few more, V)
    logits = logits if temperature == 1 else logits / temperature
    wanted = F.pad(tokens, (0, len(logits) - len(tokens)), value=-100)  # which has no loss
    logprobs = -F.cross_entropy(logits, wanted, reduction="none")[: len(tokens)]
    return torch.zeros_like(batch.mask).masked_scatter(real, logprobs)


class ScalarHead(nn.Module):
    """One number from a hidden state, in float32."""

    def __init__(self, hidden_size: int, *, spread: float, seed: int, bias: bool = False) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.weight = nn.Parameter(torch.randn(1, hidden_size, generator=generator) * spread)
        self.bias = nn.Parameter(torch.zeros(1)) if bias else None

    def forward(self, states: Tensor) -> Tensor:
        return F.linear(widened(states), self.weight, self.bias)[..., 0]


def frozen_copy(backbone: Backbone) -> Backbone:
    """What the backbone says now, for as long as it is needed."""
    return copy.deepcopy(backbone).requires_grad_(False)


def _looks_back_only_so_far(config: Any) -> bool:
    """Whether some layers see a window of the latest tokens alone, or keep a running summary of all."""
    if getattr(config, "layer_types", None):
        return set(config.layer_types) != {"full_attention"}
    windows = ("sliding_window", "window_size", "local_attention", "attention_chunk_size")
    return any(getattr(config, window, None) for window in windows)


def _with_layers(decoder: Any, chosen: slice, norm: nn.Module) -> Any:
    """The same decoder, seen with some of its layers: shares every weight."""
    part = copy.copy(decoder)
    part._modules = {**decoder._modules, "layers": decoder.layers[chosen], "norm": norm}
    part.config = copy.copy(decoder.config)
    part.config.num_hidden_layers = len(part.layers)
    # Where some layers look back only so far, the config says which, by their position.
    if getattr(decoder.config, "layer_types", None):
        part.config.layer_types = decoder.config.layer_types[chosen]
    return part
