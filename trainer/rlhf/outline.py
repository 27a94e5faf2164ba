"""A run before it starts, in names and numbers: what it reads, what it will hold, what may make it fit."""

import json
from dataclasses import asdict, dataclass, replace

import torch

from trainer.handoff.configs import Config, PPOConfig, SampleConfig, TrainingConfig
from trainer.handoff.configs.compress import CompressConfig, QuantizeConfig
from trainer.handoff.plans import Said
from trainer.handoff.rundir import RunDirectory
from trainer.rlhf.amounts import ON_HOST
from trainer.rlhf.blanks import Traits
from trainer.rlhf.compress.plan import compression_needs
from trainer.rlhf.compress.readings import read_compression
from trainer.rlhf.loading import load_tokenizer, pick_dtype, weights_dtype
from trainer.rlhf.memory import Plan, free_memory
from trainer.rlhf.plan import needs
from trainer.rlhf.readings import Reading, read

Planned = Config | CompressConfig
"""Runs whose memory is planned."""


@dataclass(frozen=True)
class Outline:
    facts: dict[str, Said]
    reading: Reading
    plan: Plan
    changes: list[Said]
    """What may make a run fit that does not."""

    def text(self) -> str:
        width = max(map(len, self.facts))
        facts = "\n".join(f"{name:<{width}}  {fact.text()}" for name, fact in self.facts.items())
        return f"{facts}\n\n{self.plan.table()}"

    def json(self) -> str:
        """For a program that reads it: the desk, before a run is asked for."""
        return json.dumps(
            {
                "facts": {name: asdict(fact) for name, fact in self.facts.items()},
                "rows": self.reading.learned,
                "tokens": self.reading.tokens,
                "needs": [asdict(need) for need in self.plan.needs if need.bytes],
                "available": self.plan.available,
                "peaks": {device: self.plan.peak(device) for device in self.plan.available},
                "changes": [asdict(change) for change in self.changes],
            }
        )


def outline(
    config: Planned, directory: RunDirectory, *, device: torch.device, processes: int, nodes: int = 1
) -> Outline:
    """Of a run that ``processes`` share on each of its ``nodes``.

    :raises LabError: there is nothing to learn from, or no model to start from.
    """
    spec, all_processes = directory.spec(), processes * nodes
    traits, tokenizer = Traits.of(spec.base_model), load_tokenizer(spec.base_model)
    if isinstance(config, CompressConfig):
        reading = read_compression(config, directory, tokenizer, all_processes)
        found = compression_needs(config, spec, reading)
    else:
        reading = read(config, directory, tokenizer, traits, all_processes)
        found = needs(config, spec, reading, all_processes)
    found = [need if need.during in ON_HOST else replace(need, on=str(device)) for need in found]
    plan = Plan(found, free_memory(device, processes))
    facts = {
        "run": Said("run", {"kind": spec.kind, "model": spec.base_model}),
        "processes": _about_the_processes(device, processes, nodes),
        **_about_each(config, reading, all_processes),
        **_about_the_model(config, traits),
        **_about_the_data(config, reading),
    }
    return Outline(facts, reading, plan, changes(config, all_processes))


def changes(config: Planned, processes: int) -> list[Said]:
    """Settings that would take less memory than they do."""
    if isinstance(config, SampleConfig):
        return [_smaller("batch_size"), _smaller("max_prompt_tokens", "max_new_tokens"), SMALL_NUMBERS]
    if isinstance(config, CompressConfig):
        least = _set("calibration" if isinstance(config, QuantizeConfig) else "epochs", "0")
        fewer_tokens = _smaller("max_prompt_tokens", "max_completion_tokens")
        return [_smaller("batch_size"), fewer_tokens, least, SMALL_NUMBERS]
    found = [] if config.gradient_checkpointing else [_set("gradient_checkpointing", "true")]
    if processes > 1 and not config.shard:
        found.append(_set("shard", "true"))
    if config.rows_per_pass != 1:
        found.append(_smaller("rows_per_pass"))
    found.append(_fewer_weights(config))
    if isinstance(config, PPOConfig):
        found += [_smaller("max_prompt_tokens", "max_new_tokens"), _smaller("rollout_size")]
    else:
        found.append(_smaller("max_prompt_tokens", "max_completion_tokens"))
    return found + ([SMALL_NUMBERS] if pick_dtype(config) == torch.float32 else [])


def _fewer_weights(config: TrainingConfig) -> Said:
    if not config.lora_rank:
        return Said("above", {"setting": "lora_rank", "value": 0})
    if not config.lora_layers:
        return Said("fewer layers")
    return Said("below", {"setting": "lora_layers", "value": config.lora_layers})


def _smaller(setting: str, other: str = "") -> Said:
    return Said("smaller one" if other else "smaller", {"setting": setting, "other": other})


def _set(setting: str, value: str) -> Said:
    return Said("set", {"setting": setting, "value": value})


SMALL_NUMBERS = _set("dtype", "bfloat16")


def _about_the_processes(device: torch.device, processes: int, nodes: int) -> Said:
    numbers = {"count": processes, "device": device.type}
    return Said("processes", numbers) if nodes == 1 else Said("on each node", {**numbers, "nodes": nodes})


def _about_each(config: Planned, reading: Reading, processes: int) -> dict[str, Said]:
    """What is held by each of several processes that share a run."""
    if processes == 1 or isinstance(config, QuantizeConfig):  # all but the first do nothing there
        return {}
    if isinstance(config, PPOConfig):
        what, whole = "completions", config.rollout_size
    elif isinstance(config, SampleConfig):
        what, whole = "prompts", min(config.prompts_at_once, reading.learned)
    else:
        what, whole = "rows", min(config.batch_size, reading.learned)
    is_spread = isinstance(config, TrainingConfig) and config.shard
    numbers = {"rows": -(-whole // processes), "whole": whole, "what": what}
    return {"each": Said("parts" if is_spread else "copies", numbers)}


def _about_the_model(config: Planned, traits: Traits) -> dict[str, Said]:
    if not isinstance(config, TrainingConfig):
        return {"weights": _name(pick_dtype(config))}
    facts = {"weights": _name(weights_dtype(config))}
    if config.lora_rank:
        below = traits.layers - config.lora_layers if config.lora_layers and traits.shares_trunk else 0
        layers = {"below": below, "layers": traits.layers}
        facts["trunk"] = Said("shared", layers) if below > 0 else Said("nothing shared")
    return facts


def _name(dtype: torch.dtype) -> Said:
    return Said("weights", {"dtype": str(dtype).removeprefix("torch.")})


def _about_the_data(config: Planned, reading: Reading) -> dict[str, Said]:
    what = "prompts" if isinstance(config, PPOConfig | SampleConfig) else "rows"
    counts = {"used": reading.learned, "left_out": reading.left_out, "held_out": reading.held_out}
    steps = {} if isinstance(config, QuantizeConfig) else {"steps": Said("steps", {"count": reading.steps})}
    return {
        what: Said("used", counts),
        **steps,
        "tokens": Said("tokens", {"count": reading.tokens, "what": what}),
        "longest": Said("longest", {"count": reading.longest}),
    }
