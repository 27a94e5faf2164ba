"""``python -m trainer.rlhf RUN_DIR``: each kind of run, from a directory made by hand to its result."""

import math
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer

from tests.trainer.rlhf.kitchen import Lab, both_splits, prompt, run_program
from trainer.handoff.health import judge
from trainer.handoff.metrics import METRICS
from trainer.handoff.rundir import digest_of_folder
from trainer.rlhf.__main__ import STOPPED

REPOSITORY = Path(__file__).parents[3]


def start(folder):
    return subprocess.Popen(
        [sys.executable, "-m", "trainer.rlhf", str(folder)], cwd=REPOSITORY, stderr=subprocess.PIPE, text=True
    )


class TestEachKind:
    def test_ends_well_and_says_so(self, chain):
        outcomes = {kind: run.outcome() for kind, run in chain.items()}

        assert {kind: outcome.reason for kind, outcome in outcomes.items()} == dict.fromkeys(chain, "")
        assert all(outcome.succeeded for outcome in outcomes.values())

    def test_logs_finite_metrics_under_known_names(self, chain):
        for run in chain.values():
            lines, count = run.read_metrics()

            assert count > 0
            for line in lines:
                values = {name: value for name, value in line.items() if name not in ("step", "steps", "at")}
                assert values.keys() <= METRICS.keys()
                assert all(math.isfinite(value) for value in values.values())

    def test_ends_with_a_verdict_on_its_curves(self, chain):
        for kind, run in chain.items():
            told = run.outcome().summary["health"]

            assert told == judge(kind, run.read_metrics()[0], run.spec().config).as_dict()
            assert told["verdict"] in ("healthy", "watch", "alarm")

    @pytest.mark.parametrize("kind", ["sft", "ppo"])
    def test_publishes_a_model_that_loads(self, chain, kind):
        folder = chain[kind].result_path

        model = AutoModelForCausalLM.from_pretrained(folder)
        tokenizer = AutoTokenizer.from_pretrained(folder)

        ids = tokenizer.apply_chat_template([{"role": "user", "content": "Tea?"}], return_tensors="pt")
        assert model.generate(**ids, max_new_tokens=3).shape[1] > ids.input_ids.shape[1]

    def test_changes_the_model_it_started_from(self, chain, model_folder):
        folders = [model_folder, chain["sft"].result_path, chain["ppo"].result_path]

        assert len({(folder / "model.safetensors").read_bytes() for folder in folders}) == 3

    def test_keeps_what_the_policy_said(self, chain):
        samples = [sample for sample in chain["ppo"].read_samples() if "base" not in sample]

        assert len(samples) == 8  # two iterations of four
        assert {sample["step"] for sample in samples} == {1, 2}
        # Every prompt of the train split once before any comes again; none that is held out.
        assert sorted(sample["prompt_id"] for sample in samples[:6]) == list(range(6))
        assert {sample["prompt_id"] for sample in samples} == set(range(6))
        assert all(isinstance(sample["score"], float) for sample in samples)

    def test_samples_as_many_candidates_of_each_prompt_as_asked(self, chain):
        samples = chain["sample"].read_samples()

        assert sorted(sample["prompt_id"] for sample in samples) == sorted([*range(8)] * 2)
        assert chain["sample"].outcome().summary["completions"] == 16

    @pytest.mark.parametrize("kind", ["sft", "reward", "ppo"])
    def test_full_fine_tuning_works_too(self, lab, chain, kind):
        reward_model = chain["reward"].result_path if kind == "ppo" else None

        run = lab.run(kind, lora_rank=0, learning_rate=1e-3, reward_model=reward_model)

        assert run.outcome().succeeded
        assert run.result_path.is_dir()


class TestSameSeed:
    def test_gives_the_same_bytes(self, chain, tmp_path, model_folder):
        again = Lab(tmp_path, model_folder).run_chain()

        for kind in ("sft", "reward", "ppo"):
            assert digest_of_folder(again[kind].result_path) == digest_of_folder(chain[kind].result_path), (
                kind
            )
        assert again["ppo"].read_samples() == chain["ppo"].read_samples()
        assert again["sample"].read_samples() == chain["sample"].read_samples()

    def test_matters(self, chain, lab):
        other = lab.run("sft", seed=8)

        assert digest_of_folder(other.result_path) != digest_of_folder(chain["sft"].result_path)


class TestRefusal:
    def failed(self, run):
        assert not run.result_path.exists()
        assert not run.outcome().succeeded
        return run.outcome().reason

    @pytest.mark.parametrize("kind", ["ppo", "sample"])
    def test_says_that_a_split_has_no_prompt(self, lab, chain, kind):
        held_out = [prompt(number, split="held_out") for number in range(3)]
        options = {"split": "train"} if kind == "sample" else {"reward_model": chain["reward"].result_path}

        run = lab.run(kind, rows=held_out, **options)

        assert self.failed(run).startswith("There is no prompt to")

    def test_says_that_every_prompt_is_too_long(self, lab):
        assert "none with at most 3 tokens" in self.failed(lab.run("sample", max_prompt_tokens=3))

    def test_says_that_there_is_no_demonstration(self, lab):
        assert "none in its train split" in self.failed(lab.run("sft", rows=[]))

    def test_says_which_setting_cannot_be(self, lab):
        run = lab.run("ppo", rollout_size=5)

        assert self.failed(run) == "minibatch_size is 2; it must be a divisor of rollout_size (5)."

    def test_says_that_ppo_needs_a_reward_model(self, lab):
        assert "needs a reward model" in self.failed(lab.run("ppo"))

    def test_says_that_a_model_is_missing(self, lab, tmp_path):
        (tmp_path / "empty").mkdir()

        assert "could not be loaded" in self.failed(lab.run("sft", model=tmp_path / "empty"))

    def test_stops_at_a_loss_that_is_no_number(self, lab):
        assert "Try a smaller learning_rate" in self.failed(lab.run("sft", learning_rate=1e30, epochs=9))


class TestLeftOut:
    def test_counts_prompts_that_are_too_long(self, lab, tokenizer):
        rows = both_splits(prompt)
        rows[0].messages[0]["content"] = "Please. " * 40

        run = lab.run("sample", rows=rows, max_prompt_tokens=60)

        assert run.outcome().summary["left_out"] == 1
        assert {sample["prompt_id"] for sample in run.read_samples()} == set(range(1, 8))


class TestProgram:
    def test_without_a_run_directory_exits_1_with_words(self, tmp_path, capsys):
        assert run_program(tmp_path) == 1
        assert "is no run directory: it has no config.json" in capsys.readouterr().err

    def test_prints_the_verdict_and_its_reasons(self, lab, capsys):
        # One new token is never enough to say anything and end.
        directory = lab.directory("sample", max_new_tokens=1)

        assert run_program(directory.path) == 0

        printed = capsys.readouterr().err
        assert "\nalarm\nalarm: Of all answers, a share of only 0 came to an end by itself." in printed
        assert directory.outcome().summary["health"]["findings"][0]["check"] == "cut_answers"

    def test_exits_0_when_done_and_1_when_failed(self, lab):
        assert run_program(lab.directory("sft", name="good").path) == 0
        assert run_program(lab.directory("sft", name="bad", rows=[]).path) == 1

    def test_stops_when_it_is_told_to(self, lab):
        directory = lab.directory("sft", epochs=100_000)
        program = start(directory.path)
        wait_for_a_step(directory, program)

        program.send_signal(signal.SIGTERM)
        program.communicate(timeout=30)

        assert program.returncode == STOPPED
        assert directory.outcome() is None
        assert not directory.result_path.exists()


def wait_for_a_step(directory, program):
    give_up = time.monotonic() + 60
    while not directory.read_metrics()[1]:
        assert program.poll() is None, program.communicate()[1]
        assert time.monotonic() < give_up
        time.sleep(0.05)
