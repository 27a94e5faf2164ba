"""Randomness that depends on nothing but a seed and what it is for, so that a resumed run draws the same."""

import hashlib
import random

import numpy
import torch
from torch import Tensor


def seed_for(seed: int, *purpose: object) -> int:
    """Another seed for each purpose: ``seed_for(7, "rollout", 3)``."""
    name = "/".join(map(str, (seed, *purpose)))
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") >> 1


def uniforms(rows: int, columns: int, seed: int, *purpose: object) -> Tensor:
    """(rows, columns) in [0, 1), on the CPU: the same on every device and in every process."""
    generator = torch.Generator().manual_seed(seed_for(seed, *purpose))
    return torch.rand(rows, columns, generator=generator)


class AmbientRandomness:
    """The global generators. The lab draws from none of them, but a reward function of somebody else may."""

    def state(self) -> dict[str, Tensor]:
        version, words, gauss = random.getstate()
        assert version == 3
        name, keys, position, has_gauss, cached = numpy.random.get_state(legacy=True)
        assert name == "MT19937" and isinstance(keys, numpy.ndarray)
        return {
            "torch": torch.get_rng_state(),
            "python": torch.tensor(words, dtype=torch.int64),
            "python_gauss": torch.tensor([] if gauss is None else [gauss], dtype=torch.float64),
            "numpy": torch.tensor(keys.astype("int64")),
            "numpy_rest": torch.tensor([position, has_gauss, cached], dtype=torch.float64),
            **{f"cuda{i}": state for i, state in enumerate(_cuda_states())},
        }

    def load(self, state: dict[str, Tensor]) -> None:
        torch.set_rng_state(state["torch"])
        gauss = state["python_gauss"].tolist()
        random.setstate((3, tuple(state["python"].tolist()), gauss[0] if gauss else None))
        position, has_gauss, cached = state["numpy_rest"].tolist()
        keys = state["numpy"].numpy().astype("uint32")
        numpy.random.set_state(("MT19937", keys, int(position), int(has_gauss), cached))
        for index in range(torch.cuda.device_count()):
            if f"cuda{index}" in state:
                torch.cuda.set_rng_state(state[f"cuda{index}"], index)


def _cuda_states() -> list[Tensor]:
    return torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
