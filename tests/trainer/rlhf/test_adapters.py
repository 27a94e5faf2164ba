import json

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from trainer.handoff.rundir import ADAPTERS
from trainer.rlhf.adapters import CONFIG, WEIGHTS


def peft_weights(base, folder):
    """What peft makes of a base model's weights: W + alpha / r · B A, of the layers that are named."""
    config = json.loads((folder / CONFIG).read_text())
    tensors = load_file(folder / WEIGHTS)
    weights = {name: weight.clone() for name, weight in base.state_dict().items()}
    for name in config["target_modules"]:
        down, up = (tensors.pop(f"base_model.model.{name}.lora_{part}.weight") for part in "AB")
        assert len(down) == config["r"]
        weights[f"{name}.weight"] += config["lora_alpha"] / config["r"] * up @ down
    assert not tensors
    return weights


class TestAdapters:
    @pytest.mark.parametrize(("kind", "start"), [("sft", None), ("ppo", "sft")])
    def test_on_their_base_are_the_merged_model(self, chain, model_folder, kind, start):
        start = chain[start].result_path if start else model_folder
        result = chain[kind].result_path
        base, merged = (
            AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32) for folder in (start, result)
        )

        rebuilt = peft_weights(base, result / ADAPTERS)

        changed = 0
        for name, weight in merged.state_dict().items():
            assert torch.allclose(rebuilt[name], weight, atol=1e-6), name
            changed += not torch.equal(weight, base.state_dict()[name])
        assert changed == 14  # seven layers each in the two layers on top

    def test_are_not_there_where_all_weights_were_trained(self, lab):
        run = lab.run("sft", lora_rank=0, epochs=1)

        assert not (run.result_path / ADAPTERS).exists()
