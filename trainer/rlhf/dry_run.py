"""What a run will read, do and need: ``--dry-run`` prints it, and what cannot fit is refused."""

import json
import os
import sys
import traceback
from dataclasses import asdict, dataclass

import torch

from trainer.handoff.configs import (
    Config,
    ConfigError,
    LabConfig,
    PPOConfig,
    SampleConfig,
    TrainingConfig,
    build_config,
)
from trainer.handoff.configs.synthetic import AskingConfig
from trainer.handoff.endpoints import is_endpoint
from trainer.handoff.rundir import RunDirectory
from trainer.rlhf.blanks import Traits
from trainer.rlhf.errors import LabError
from trainer.rlhf.loading import load_tokenizer, pick_device, pick_dtype, weights_dtype
from trainer.rlhf.memory import Plan, free_memory
from trainer.rlhf.plan import needs
from trainer.rlhf.readings import Reading, read
from trainer.rlhf.synthetic.outlook import outlook
from trainer.rlhf.world import World


@dataclass(frozen=True)
class Outline:
    facts: dict[str, str]
    reading: Reading
    plan: Plan
    changes: list[str]
    """What may make a run fit that does not."""

    def text(self) -> str:
        width = max(map(len, self.facts))
        facts = "\n".join(f"{name:<{width}}  {fact}" for name, fact in self.facts.items())
        return f"{facts}\n\n{self.plan.table()}"

    def json(self) -> str:
        """For a program that reads it: the desk, before a run is asked for."""
        return json.dumps(
            {
                "facts": self.facts,
                "rows": self.reading.learned,
                "tokens": self.reading.tokens,
                "needs": [asdict(need) for need in self.plan.needs if need.bytes],
                "available": self.plan.available,
                "peaks": {device: self.plan.peak(device) for device in self.plan.available},
            }
        )


def rehearse(directory: RunDirectory, processes: int | None, *, as_json: bool = False) -> int:
    """Print the plan of a run, and touch nothing. Returns 1 where it could not be carried out."""
    count = torch.cuda.device_count() if processes is None else processes
    try:
        spec = directory.spec()
        config = build_config(spec.kind, spec.config)
        if isinstance(config, AskingConfig):
            asked = outlook(config, directory)
            print(json.dumps(asked.as_dict()) if as_json else asked.text(), flush=True)
            return 0
        if is_endpoint(spec.base_model):
            print(f"{spec.kind} from {spec.base_model}: its weights are loaded elsewhere", flush=True)
            return 0
        if not isinstance(config, Config):
            print(f"{spec.kind} from {spec.base_model}: its memory is not planned", flush=True)
            return 0
        planned = outline(config, directory, device=pick_device(), processes=max(count, 1))
        print(planned.json() if as_json else planned.text(), flush=True)
        planned.plan.check(planned.changes)
    except (LabError, ConfigError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def refuse_what_cannot_fit(config: LabConfig, directory: RunDirectory, world: World) -> None:
    """Before any weights are loaded.

    :raises LabError: the run needs more memory than there is.
    """
    if is_endpoint(directory.spec().base_model) or not isinstance(config, Config):
        return
    try:
        planned = outline(config, directory, device=world.device, processes=world.size)
    except (RuntimeError, NotImplementedError, TypeError, AttributeError):
        # A model that cannot be computed without weights may well be trained.
        traceback.print_exc()
        return
    planned.plan.check(planned.changes)


def outline(config: Config, directory: RunDirectory, *, device: torch.device, processes: int) -> Outline:
    """:raises LabError: there is nothing to learn from, or no model to start from."""
    spec = directory.spec()
    traits = Traits.of(spec.base_model)
    reading = read(config, directory, load_tokenizer(spec.base_model), traits, processes)
    here = int(os.environ.get("LOCAL_WORLD_SIZE", processes))
    plan = Plan(needs(config, spec, reading, device=device, processes=processes), free_memory(device, here))
    facts = {
        "run": f"{spec.kind} from {spec.base_model}",
        "processes": f"{processes} on {device.type}",
        **_about_the_model(config, traits),
        **_about_the_data(config, reading),
    }
    return Outline(facts, reading, plan, changes(config, processes))


def changes(config: Config, processes: int) -> list[str]:
    """Settings that would take less memory than they do."""
    if isinstance(config, SampleConfig):
        return ["a smaller batch_size", "smaller max_prompt_tokens or max_new_tokens", "dtype=bfloat16"]
    found = ["gradient_checkpointing=true"] if not config.gradient_checkpointing else []
    if processes > 1 and not (config.shard or isinstance(config, PPOConfig)):
        found.append("shard=true")
    if config.rows_per_pass != 1:
        found.append("a smaller rows_per_pass")
    found.append("lora_layers below " + str(config.lora_layers or "the number of layers"))
    if not config.lora_rank:
        found[-1] = "lora_rank above 0"
    if isinstance(config, PPOConfig):
        found += ["smaller max_prompt_tokens or max_new_tokens", "a smaller rollout_size"]
    else:
        found.append("smaller max_prompt_tokens or max_completion_tokens")
    return found + (["dtype=bfloat16"] if pick_dtype(config) == torch.float32 else [])


def _about_the_model(config: Config, traits: Traits) -> dict[str, str]:
    if not isinstance(config, TrainingConfig):
        return {"weights": _name(pick_dtype(config))}
    facts = {"weights": _name(weights_dtype(config))}
    if config.lora_rank:
        below = traits.layers - config.lora_layers if config.lora_layers and traits.shares_trunk else 0
        facts["trunk"] = (
            f"the lowest {below} of {traits.layers} layers are shared" if below > 0 else "nothing is shared"
        )
    return facts


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _about_the_data(config: Config, reading: Reading) -> dict[str, str]:
    what = "prompts" if isinstance(config, PPOConfig | SampleConfig) else "rows"
    return {
        what: f"{reading.learned} used, {reading.left_out} left out as too long, {reading.held_out} held out",
        "steps": str(reading.steps),
        "tokens": f"{reading.tokens} when each of the {what} is read once",
        "longest": f"{reading.longest} tokens",
    }
