"""Each kind of compression as a run: what it leaves behind can be loaded, and is what the report says."""

import json

import pytest
import torch
from safetensors.torch import load_file

from tests.trainer.rlhf.kitchen import run_program
from trainer.handoff.configs import ConfigError, build_config
from trainer.rlhf.compress import report
from trainer.rlhf.compress.artifact import WEIGHTS, Recipe
from trainer.rlhf.loading import load_model

IDS = torch.arange(1, 9)[None]
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def no_other_process(monkeypatch):
    monkeypatch.setattr(report, "peak_memory", lambda place, config: 1.0)


@torch.no_grad()
def said_by(folder):
    return load_model(str(folder), torch.float32, CPU).eval()(IDS, use_cache=False).logits


def compared(directory):
    return {row["name"]: row for row in directory.outcome().summary["compared"]}


class TestQuantize:
    @pytest.mark.parametrize("scheme", ["int4", "int8", "int8_dynamic"])
    def test_is_smaller_and_says_nearly_the_same(self, lab, model_folder, scheme):
        directory = lab.run("quantize", scheme=scheme)

        figures = compared(directory)
        assert figures["size_mb"]["ratio"] < 0.5  # of float32
        assert figures["perplexity"]["ratio"] == pytest.approx(1, abs=0.05)
        off = said_by(directory.result_path) - said_by(model_folder)
        assert off.norm() / said_by(model_folder).norm() < 0.3
        assert json.loads((directory.result_path / "report.json").read_text())["compared"]

    def test_gives_eight_bits_to_the_share_that_was_asked_for(self, lab):
        tensors = load_file(lab.run("quantize", exact_share=0.25).result_path / WEIGHTS)

        layers = {
            name: one for name, one in tensors.items() if ".layers." in name and name.endswith(".codes")
        }
        weights = {name: one.numel() * (2 if one.dtype == torch.uint8 else 1) for name, one in layers.items()}
        eight = sum(weights[name] for name, one in layers.items() if one.dtype == torch.int8)
        assert 0.2 < eight / sum(weights.values()) <= 0.25

    def test_can_be_evaluated_and_sampled_from(self, lab):
        artifact = lab.run("quantize").result_path

        outcome = lab.run("sample", model=artifact).outcome()

        assert outcome.succeeded, outcome.reason
        assert outcome.summary["completions"] == 16

    def test_tells_how_often_a_reward_model_likes_its_answers_better(self, lab):
        reward = lab.run("reward").result_path

        directory = lab.run("quantize", reward_model=reward)

        assert 0 <= directory.outcome().summary["score_win_rate"] <= 1
        assert compared(directory)["score"]["ratio"] is None

    def test_is_quantized_once_and_not_trained(self, lab):
        artifact = lab.run("quantize").result_path

        again = lab.run("quantize", model=artifact, name="again").outcome()
        trained = lab.run("sft", model=artifact).outcome()

        assert "quantized already" in again.reason
        assert "not learn" in trained.reason

    def test_plain_transformers_refuses_it_instead_of_making_weights_up(self, lab):
        from transformers import AutoModelForCausalLM

        artifact = lab.run("quantize").result_path

        with pytest.raises(OSError, match="model.safetensors"):
            AutoModelForCausalLM.from_pretrained(artifact)


class TestDistill:
    @pytest.mark.parametrize("learn_from", ["logits", "answers"])
    def test_makes_a_plain_model_of_fewer_layers(self, lab, learn_from):
        directory = lab.run("distill", learn_from=learn_from, max_completion_tokens=12)

        assert directory.outcome().succeeded, directory.outcome().reason
        model = load_model(str(directory.result_path), torch.float32, CPU)
        assert model.config.num_hidden_layers == 1
        assert compared(directory)["size_mb"]["ratio"] < 1

    def test_comes_nearer_to_its_teacher(self, lab):
        directory = lab.run("distill", epochs=20, learning_rate=1e-2, teacher_weight=1.0)

        losses = [line["loss"] for line in directory.read_metrics()[0] if "loss" in line]
        assert losses[-1] < losses[0] / 2

    def test_is_the_same_to_the_byte_when_it_was_broken_off(self, lab):
        whole = lab.run("distill", checkpoint_every=1, name="whole")
        broken = lab.directory("distill", checkpoint_every=1, name="broken")
        stop_after(broken, 2)

        run_program(broken.path)

        files = [one.result_path / "model.safetensors" for one in (whole, broken)]
        assert files[0].read_bytes() == files[1].read_bytes()


class TestPrune:
    @pytest.mark.parametrize("what", ["layers", "heads", "mlp", "magnitude", "2:4"])
    def test_leaves_a_plain_model(self, lab, what):
        directory = lab.run("prune", what=what)

        assert directory.outcome().succeeded, directory.outcome().reason
        assert Recipe.of(directory.result_path) is None
        assert said_by(directory.result_path).isfinite().all()
        ratio = compared(directory)["size_mb"]["ratio"]
        assert ratio < 1 if what in {"layers", "heads", "mlp"} else ratio == pytest.approx(1, abs=0.01)

    def test_can_be_pruned_further_and_quantized_afterwards(self, lab):
        cut = lab.run("prune", what="layers").result_path
        thinner = lab.run("prune", what="mlp", model=cut, name="thinner").result_path

        directory = lab.run("quantize", model=thinner)

        assert directory.outcome().succeeded, directory.outcome().reason
        assert Recipe.of(directory.result_path) == Recipe(scheme="int4")
        off = said_by(directory.result_path) - said_by(thinner)
        assert off.norm() / said_by(thinner).norm() < 0.3

    def test_recovery_leaves_zeros_alone(self, lab):
        directory = lab.run("prune", what="2:4", learning_rate=1e-2)

        weights = load_file(directory.result_path / "model.safetensors")
        projection = weights["model.layers.0.mlp.up_proj.weight"]
        assert (projection.view(-1, 4) == 0).sum(1).eq(2).all()


class TestShare:
    def test_stores_shared_layers_once(self, lab):
        directory = lab.run("share")

        assert directory.outcome().succeeded, directory.outcome().reason
        names = load_file(directory.result_path / WEIGHTS).keys()
        assert any(name.startswith("model.layers.2.") for name in names)
        assert not any(name.startswith("model.layers.1.") for name in names)

    def test_computes_them_in_each_place(self, lab):
        directory = lab.run("share")

        model = load_model(str(directory.result_path), torch.float32, CPU)

        first, second = (model.model.layers[place].mlp.up_proj.weight for place in (0, 1))
        assert len(model.model.layers) == 3
        assert first.data_ptr() == second.data_ptr()

    def test_can_be_quantized_afterwards(self, lab):
        shared = lab.run("share").result_path

        directory = lab.run("quantize", model=shared)

        assert directory.outcome().succeeded, directory.outcome().reason
        assert Recipe.of(directory.result_path) == Recipe(scheme="int4", places=[0, 0, 2])
        off = said_by(directory.result_path) - said_by(shared)
        assert off.norm() / said_by(shared).norm() < 0.3


class TestConfigs:
    @pytest.mark.parametrize(
        ("kind", "values"),
        [
            ("quantize", {"scheme": "int3"}),
            ("prune", {"fraction": 1}),
            ("distill", {"temperature": 0}),
            ("share", {"group": 1}),
        ],
    )
    def test_refuse_what_cannot_be(self, kind, values):
        with pytest.raises(ConfigError):
            build_config(kind, values)


def stop_after(directory, steps):
    """Run until so many steps are done, as if the worker had to leave."""
    from unittest.mock import patch

    from trainer.rlhf.reporting import Reporter

    step = Reporter.step

    def counted(self, number, *args, **values):
        step(self, number, *args, **values)
        self.stopping = number >= steps

    with patch.object(Reporter, "step", counted):
        run_program(directory.path)
