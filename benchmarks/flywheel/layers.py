"""What SmolLM2-135M loses in words and gains in speed when layers are taken out: those that turn their input
least, as ``prune`` chooses them, without any training afterwards; the speed is that of 4 bits then.

One thread, and its processor time: what else the machine does at the moment changes little of that.
"""

import time
from collections.abc import Iterator, Mapping
from functools import cache
from statistics import median
from typing import Any

import torch

from benchmarks.figures import Figure
from benchmarks.flywheel.compression import MODEL, TOKENS, demonstrations
from trainer.rlhf.batches import TokenSequence, dialogue_sequence
from trainer.rlhf.compress.artifact import put_codes
from trainer.rlhf.compress.prune import block_influence, most_telling
from trainer.rlhf.compress.quantize import encode_model
from trainer.rlhf.compress.report import predictions, write
from trainer.rlhf.compress.students import keep_layers
from trainer.rlhf.loading import load_model, load_tokenizer
from trainer.rlhf.modeling import Backbone, Role

KEPT = (30, 28, 26, 24)
CALIBRATION = 32


def figures(repeats: int) -> Iterator[Figure]:
    usual = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield from _scores()
        yield from _speeds(repeats)
    finally:
        torch.set_num_threads(usual)


def _scores() -> Iterator[Figure]:
    held_out = _sequences("held_out")
    whole = predictions(_role(_cut(max(KEPT))), held_out, 8)[1]
    for layers in KEPT[1:]:
        score = predictions(_role(_cut(layers)), held_out, 8)[1]
        yield Figure(f"layers_{layers}_score_ratio", score / whole, "of the original")


def _speeds(repeats: int) -> Iterator[Figure]:
    roles = {name: _role(load_model(str(MODEL), getattr(torch, name))) for name in ("bfloat16", "float32")}
    roles |= {str(layers): _role(_in_four_bits(_cut(layers))) for layers in KEPT}
    seconds = _seconds(roles, repeats)
    plain = min(seconds.pop("bfloat16"), seconds.pop("float32"))
    for layers, taken in seconds.items():
        yield Figure(f"layers_{layers}_int4_speed_ratio", plain / taken, "times, one thread")


def _seconds(roles: Mapping[str, Role], repeats: int) -> dict[str, float]:
    """Of the processor, for an answer; the median of turns that all take one after the other."""
    taken: dict[str, list[float]] = {name: [] for name in roles}
    for repeat in range(repeats + 1):
        for name, role in roles.items():
            started = time.process_time()
            write(role, [[1, 2, 3, 4, 5, 6, 7, 8]], TOKENS, seed=repeat, eos=-1)
            taken[name].append(time.process_time() - started)
    return {name: median(turns[1:]) for name, turns in taken.items()}


def _cut(layers: int) -> Any:
    model = load_model(str(MODEL), torch.bfloat16).eval()
    if layers < max(KEPT):
        keep_layers(model, most_telling(_influence(), layers))
    return model


@cache
def _influence() -> list[float]:
    return block_influence(_role(_cut(max(KEPT))), _sequences("train")[:CALIBRATION])


def _in_four_bits(model: Any) -> Any:
    """Rounded to the nearest code: how carefully they were chosen changes nothing about the speed."""
    put_codes(model, encode_model(model, "int4", 32, "int8"), torch.bfloat16, dynamic=False)
    return model


def _sequences(split: str) -> list[TokenSequence]:
    tokenizer = load_tokenizer(str(MODEL))
    return [
        dialogue_sequence(tokenizer, row.messages, row.turns, 256)
        for row in demonstrations()
        if row.split == split
    ]


def _role(model: Any) -> Role:
    return Role(Backbone(model, lora_rank=0, lora_layers=0), None)
