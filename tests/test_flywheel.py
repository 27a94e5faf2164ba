"""The whole loop with a tiny model made from scratch, through the real broker and the real worker."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from annotation.actions.sample import sample_answers
from annotation.simulated_labelers import COURTESIES
from tests.tiny_model import make_tiny_model

PROJECT = Path(__file__).resolve().parent.parent

FULL = {"lora_rank": 0, "dtype": "float32"}
ANSWERS = {"temperature": 0.8, "max_new_tokens": 32}
RECIPE = {
    "sft": {**FULL, "learning_rate": 3e-3, "epochs": 12, "batch_size": 16, "max_completion_tokens": 40},
    "reward": {**FULL, "learning_rate": 1e-3, "epochs": 4, "batch_size": 8},
    "ppo": {
        **FULL,
        **ANSWERS,
        "learning_rate": 5e-4,
        "iterations": 8,
        "gae_lambda": 1.0,
        # So small a model hardly ever ends an answer: the penalty would drown what the labelers like.
        "missing_eos_penalty": 0.0,
    },
    "sample": {**ANSWERS, "dtype": "float32", "batch_size": 96, "prompts": 96},
}


@pytest.fixture
def tiny(tmp_path):
    courtesies = [text for texts in COURTESIES.values() for text in texts]
    return make_tiny_model(tmp_path / "tiny", [*sample_answers().values(), *courtesies * 20], vocab=800)


@pytest.fixture
def machine(tmp_path):
    """A fresh var/ with an empty database, and the environment that leads there."""
    environment = {**os.environ, "RANKWRIGHT_VAR": str(tmp_path / "var"), "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=PROJECT, env=environment, check=True)
    return environment


class TestLoop:
    def test_beats_its_start_with_a_tiny_model(self, tiny, machine, tmp_path):
        recipe = tmp_path / "recipe.json"
        recipe.write_text(json.dumps(RECIPE))

        loop = subprocess.run(
            [sys.executable, "-m", "config.supervise", "loop", "--base", str(tiny), "--recipe", str(recipe)],
            cwd=PROJECT,
            env=machine,
            capture_output=True,
            text=True,
            timeout=240,
        )

        assert loop.returncode == 0, loop.stdout + loop.stderr
        assert "win rate over the SFT start" in loop.stdout
        assert "candidate sets that wait" in loop.stdout
