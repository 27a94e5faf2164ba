"""What the lab tells of a run before it starts: names and numbers, with the words around them in English.

The command line says them as they are; the desk, which reads names and numbers, in its reader's language.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Translate = Callable[[str], str]
Numbers = Mapping[str, Any]


@dataclass(frozen=True)
class Said:
    """One thing that is told: which words, and what stands in them."""

    what: str
    numbers: Numbers = field(default_factory=dict)

    def text(self, translate: Translate = str) -> str:
        return filled(WORDS[self.what], self.numbers, translate)


def filled(words: str, numbers: Numbers, translate: Translate = str) -> str:
    """Who takes part is translated as well; names of settings, models and devices stay what they are."""
    known = {name: translate(one) if one in PARTS else one for name, one in numbers.items()}
    return translate(words) % known


PARTS = {
    *("model", "policy", "reference", "reward model", "critic", "original", "student"),
    *("rows", "prompts", "completions"),
}

WORDS = {
    # What a run is like.
    "run": "%(kind)s from %(model)s",
    "processes": "%(count)s on %(device)s",
    "on each node": "%(count)s on %(device)s, on each of %(nodes)s nodes",
    "copies": "the whole model, and at most %(rows)s of a batch of %(whole)s %(what)s",
    "parts": "its part of the layers, and at most %(rows)s of a batch of %(whole)s %(what)s",
    "weights": "%(dtype)s",
    "shared": "the lowest %(below)s of %(layers)s layers are shared",
    "nothing shared": "nothing is shared",
    "used": "%(used)s used, %(left_out)s left out as too long, %(held_out)s held out",
    "steps": "%(count)s",
    "tokens": "%(count)s when each of the %(what)s is read once",
    "longest": "%(count)s tokens",
    "items": "%(count)s, %(finished)s of them finished",
    "requests": "%(most)s at most",
    "limits": "%(limits)s",
    "no limits": "none",
    "guideline": "version %(version)s",
    "shortened guideline": "version %(version)s, without its last %(left_out)s characters",
    "no guideline": "none",
    # What may make it fit.
    "set": "%(setting)s=%(value)s",
    "smaller": "a smaller %(setting)s",
    "smaller one": "smaller %(setting)s or %(other)s",
    "above": "%(setting)s above %(value)s",
    "below": "%(setting)s below %(value)s",
    "fewer layers": "lora_layers below the number of layers",
}

NEEDS = {
    "frozen weights": ("%(of)s: frozen weights", "as they are loaded"),
    "learned weights": ("%(of)s: learned weights", "adapters, or all of them"),
    "heads": ("heads", "one number from a hidden state"),
    "gradients": ("gradients", "one for each learned weight"),
    "moments": ("moments", "AdamW keeps two for each learned weight"),
    "working space": ("working space", "AdamW takes one tensor after the other"),
    "average": ("average", "ema_decay keeps a moving average of the learned weights"),
    "last weights": ("last weights", "put aside while the average is published"),
    "learning pass": (
        "pass of %(rows)s x %(longest)s tokens",
        "activations, beyond what the gradients take",
    ),
    "judging pass": ("pass of %(rows)s x %(longest)s tokens", "activations of some layer"),
    "trunks": ("trunks", "states below the first adapter, for every batch of the data"),
    "best weights": ("best weights", "of the best held-out loss so far"),
    "classifier": ("classifier", "the same weights as a sequence classifier"),
    "whole model": ("whole model", "as it is loaded, before it is spread"),
    "gathered model": ("gathered model", "in the first process, to be saved"),
    "whole layers": ("whole layers", "the one that speaks and the next"),
    "rollout": ("rollout", "%(rows)s completions, with the states below the first adapter"),
    "keys and values": ("keys and values", "of %(rows)s completions of %(longest)s tokens, and a step"),
    "whole reward model": ("reward model", "the whole reward model, of which adapters and head are kept"),
    "original again": ("original: once more", "loaded again, to be asked or compared"),
    "copy to change": ("copy", "the whole model in float32, before anything is taken out"),
    "masks": ("masks", "which weights stay zero"),
    "codes": ("codes", "the weights in few bits, with their scales"),
    "careful codes": ("careful codes", "those that take the inputs into account, beside the plain ones"),
    "input moments": ("input moments", "Σ x xᵀ of what each layer reads: GPTQ's Hessians"),
    "one matrix": ("one matrix", "while its codes are found, in float32"),
    "result": ("result", "loaded as it is kept"),
    "fresh process": ("fresh process", "loads each of both, to tell what they take at most"),
    "scores texts": ("reward model %(source)s", "scores texts"),
}
"""By what takes memory: its name, and why it does."""

MOMENTS = {
    "": "always",
    "loading": "loading",
    "optimizer step": "optimizer step",
    "learning": "learning",
    "learning demonstrations": "learning demonstrations",
    "judging": "judging",
    "sampling": "sampling",
    "saving": "saving",
    "publishing": "publishing",
    "changing": "changing",
    "rounding": "rounding",
    "measuring": "measuring",
}
"""When something takes memory; of two moments only one is ever now."""

TOO_LARGE = (
    "The run would need about %(needed)s of memory on %(device)s, and %(free)s are free there. "
    "The largest part is %(part)s (%(size)s: %(why)s). Try %(changes)s."
)


def plan_texts() -> list[str]:
    """Whatever may have to be translated."""
    needs = [text for words in NEEDS.values() for text in words]
    return [*sorted(PARTS), *WORDS.values(), *needs, *MOMENTS.values(), TOO_LARGE]
