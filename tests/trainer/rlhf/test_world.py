"""Two processes (gloo) share a run: its losses, metrics and weights are those of one process alone."""

import json
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from accelerate import PartialState
from safetensors.torch import load_file
from torch import nn

from tests.trainer.rlhf.kitchen import demonstration, ranking, run_program
from tests.trainer.rlhf.test_run import wait_for_a_step
from trainer.rlhf import ppo
from trainer.rlhf.__main__ import STOPPED
from trainer.rlhf.world import World

REPOSITORY = Path(__file__).parents[3]


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def in_processes(count, do, *args):
    """``do(*args)`` in each of ``count`` processes that know each other. Their exit codes are all 0."""
    port = free_port()
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_begin, args=(rank, count, port, do, args)) for rank in range(count)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
        process.kill()
    assert [process.exitcode for process in processes] == [0] * count


def _begin(rank, count, port, do, args):
    os.environ |= {
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(count),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
    }
    PartialState._reset_state()
    do(*args)
    if torch.distributed.is_initialized():  # a program leaves by itself
        torch.distributed.destroy_process_group()


def what_it_learned(run):
    """The metrics that the data decide, and the weights."""
    assert run.outcome() and run.outcome().succeeded, run.outcome()
    lines = [
        {name: value for name, value in line.items() if name not in ("at", "memory_mb", "tokens_per_second")}
        for line in run.read_metrics()[0]
    ]
    return lines, load_file(run.result_path / "model.safetensors")


def reported(run):
    """The figures of a reward run's report that are not measured to the last digit."""
    report = json.loads((run.result_path / "report.json").read_text())
    return report["rankings"], report["comparisons"], report["accuracy"], report["kendall_tau"]


def assert_like(ours, theirs, tolerance):
    (lines, weights), (other_lines, other_weights) = ours, theirs
    assert len(lines) == len(other_lines)
    for line, other in zip(lines, other_lines, strict=True):
        assert line == pytest.approx(other, rel=1e-4, abs=tolerance)
    for name, tensor in weights.items():
        torch.testing.assert_close(tensor, other_weights[name], rtol=0, atol=tolerance)


class TestWorld:
    def test_deals_out_and_gathers_in_order(self):
        def check():
            world = World()
            mine = world.share("abcde")
            assert mine == (["a", "c", "e"], ["b", "d"])[world.rank]
            assert world.gather(mine) == list("abcde")
            assert world.gather([letter * 2 for letter in mine]) == ["aa", "bb", "cc", "dd", "ee"]
            assert world.mine(torch.tensor([4, 1, 2])).tolist() == ([2, 1], [0])[world.rank]

        in_processes(2, check)

    def test_deals_out_as_many_portions_to_each_where_all_keep_in_step(self):
        def check():
            world = World()
            assert world.portions("abcde", 2) == ([["a", "c"], ["e"]], [["b", "d"]])[world.rank]
            world.in_step = True
            assert world.portions("abcde", 2) == ([["a", "c"], ["e"]], [["b", "d"], []])[world.rank]
            assert world.portions("", 2) == []

        in_processes(2, check)

    def test_evens_out_what_is_to_be_done_where_all_keep_in_step(self):
        def check():
            world = World()
            mine = ["abc", "d"][world.rank]
            assert world.evened(mine, "-") == list(mine)
            assert world.anybody(world.rank == 1) == (world.rank == 1)
            world.in_step = True
            assert world.evened(mine, "-") == [["a", "b", "c"], ["d", "-", "-"]][world.rank]
            assert world.anybody(world.rank == 1)
            assert not world.anybody(False)

        in_processes(2, check)

    def test_sums_over_processes(self):
        def check():
            world = World()
            assert world.totals({"a": world.rank + 1.0, "b": 10.0}) == {"a": 3.0, "b": 20.0}
            assert world.any(world.rank == 1)
            assert not world.any(False)

        in_processes(2, check)

    def test_sums_gradients_of_those_that_took_part(self):
        def check():
            world = World()
            both, one, frozen = (nn.Parameter(torch.zeros(2)) for _ in range(3))
            frozen.requires_grad_(False)
            (both.sum() * (world.rank + 1)).backward()
            if world.rank == 0:
                (one * torch.tensor([1.0, 5.0])).sum().backward()
            world.sum_gradients([both, one, frozen])
            assert both.grad.tolist() == [3.0, 3.0]
            assert one.grad.tolist() == [1.0, 5.0]
            assert frozen.grad is None

        in_processes(2, check)


SETTINGS = {
    "sft": {"batch_size": 4, "patience": 5, "learning_rate": 1e-3},
    "reward": {"batch_size": 4, "learning_rate": 1e-3},
    "dpo": {"batch_size": 4, "learning_rate": 1e-3},
    "kto": {"batch_size": 4, "learning_rate": 1e-3},
    "ppo": {"iterations": 3, "learning_rate": 1e-4, "rollout_size": 6, "minibatch_size": 3, "ptx_coef": 0.0},
}


class TestSharedRun:
    @pytest.mark.parametrize("kind", SETTINGS)
    def test_learns_what_one_process_learns(self, lab, chain, kind):
        inputs = {"model": chain["sft"].result_path, "reward_model": chain["reward"].result_path}
        if kind != "ppo":
            inputs = {}
        alone = lab.run(kind, name="alone", **inputs, **SETTINGS[kind])
        shared = lab.directory(kind, name="shared", **inputs, **SETTINGS[kind])

        in_processes(2, run_program, shared.path)

        assert_like(what_it_learned(shared), what_it_learned(alone), tolerance=2e-4)
        if kind == "ppo":
            said = [[sample["completion"] for sample in run.read_samples()] for run in (shared, alone)]
            assert said[0] == said[1]

    def test_scores_texts_as_one_process_does(self, lab, tmp_path, monkeypatch):
        """Each process asks for its share: the conversations stand beside their own completions."""
        (tmp_path / "both_texts.py").write_text(
            "def score(prompts, completions):\n"
            "    pairs = zip(prompts, completions)\n"
            "    return [sum((p[0]['content'] + c).encode()) % 99 / 50 for p, c in pairs]\n"
        )
        monkeypatch.syspath_prepend(tmp_path)
        source = "python:both_texts:score"
        settings = {
            **SETTINGS["ppo"],
            "critic": "policy",
            "rewards": [(source, 1.0)],
            "holdout_reward": source,
        }
        alone = lab.run("ppo", name="alone", **settings)
        shared = lab.directory("ppo", name="shared", **settings)

        in_processes(2, run_program, shared.path)

        assert_like(what_it_learned(shared), what_it_learned(alone), tolerance=2e-4)
        assert "holdout_score" in shared.read_metrics()[0][0]
        assert [s["score"] for s in shared.read_samples()] == [s["score"] for s in alone.read_samples()]

    def test_draws_the_candidates_that_one_process_draws(self, lab, chain):
        model = chain["sft"].result_path
        alone = lab.run("sample", name="alone", model=model, batch_size=6)
        shared = lab.directory("sample", name="shared", model=model, batch_size=6)

        in_processes(2, run_program, shared.path)

        assert shared.read_samples() == alone.read_samples()
        assert shared.outcome().summary == alone.outcome().summary

    def test_eight_by_one_is_four_by_two_is_two_processes_by_four(self, lab):
        """However a batch is dealt out, its loss and its gradient are those of the whole."""
        rows = [demonstration(number) for number in range(8)]
        settings = {"rows": rows, "batch_size": 8, "epochs": 3, "learning_rate": 1e-3}
        whole = what_it_learned(lab.run("sft", name="whole", **settings))

        for rows_per_pass in (1, 2):
            run = lab.run("sft", name=f"by-{rows_per_pass}", rows_per_pass=rows_per_pass, **settings)
            assert_like(what_it_learned(run), whole, tolerance=1e-4)
        shared = lab.directory("sft", name="by-4", rows_per_pass=4, **settings)
        in_processes(2, run_program, shared.path)
        assert_like(what_it_learned(shared), whole, tolerance=1e-4)

    @pytest.mark.parametrize("loss", ["bradley_terry", "plackett_luce", "davidson", "rao_kupper"])
    def test_so_it_is_with_every_loss_of_rankings(self, lab, loss):
        """Of rankings that say more or less than others, or only that all are equal."""
        said = [[[1], [2], [3]], [[2, 1], [3]], [[1, 2, 3]], [[1], [2, 3]]]
        rows = [replace(ranking(n, tiers=said[n % 4]), weight=1 + n / 4) for n in range(8)]
        settings = {"rows": rows, "batch_size": 8, "epochs": 3, "learning_rate": 1e-3, "loss": loss}
        settings["center_coef"] = 0.01
        whole = what_it_learned(lab.run("reward", name="whole", **settings))

        for rows_per_pass in (1, 2):
            run = lab.run("reward", name=f"by-{rows_per_pass}", rows_per_pass=rows_per_pass, **settings)
            assert_like(what_it_learned(run), whole, tolerance=1e-4)
        shared = lab.directory("reward", name="by-4", rows_per_pass=4, **settings)
        in_processes(2, run_program, shared.path)
        assert_like(what_it_learned(shared), whole, tolerance=1e-4)


def test_shared_reward_runs_report_on_all_held_out_rankings(lab):
    alone, shared = lab.run("reward", name="alone"), lab.directory("reward", name="shared")

    in_processes(2, run_program, shared.path)

    assert reported(shared) == reported(alone)


def test_a_run_goes_on_with_another_number_of_processes(lab, chain, monkeypatch):
    """Stopped within its first iteration by two, and finished by one, who samples that iteration again."""
    inputs = {"model": chain["sft"].result_path, "reward_model": chain["reward"].result_path}
    run = lab.directory("ppo", **inputs, checkpoint_every=0, learning_rate=1e-2)
    with monkeypatch.context() as patch:
        update = ppo.update

        def stopping(*arguments):
            if arguments[2].step == 4:
                os.kill(os.getpid(), signal.SIGTERM)
            return update(*arguments)

        patch.setattr(ppo, "update", stopping)
        in_processes(2, lambda: run_program(run.path) == STOPPED or sys.exit("not stopped"))
    assert run.latest_checkpoint().step == 5

    assert run_program(run.path) == 0

    assert run.outcome().succeeded, run.outcome()
    assert len([sample for sample in run.read_samples() if "base" not in sample]) == 2 * 4


def test_the_program_starts_its_processes_itself(lab):
    directory = lab.directory("sft")

    command = [sys.executable, "-m", "trainer.rlhf", str(directory.path), "--processes", "2"]
    program = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=120)

    assert program.returncode == 0, program.stderr
    assert directory.outcome().succeeded
    steps = [line["step"] for line in directory.read_metrics()[0] if "loss" in line]
    assert steps == [1, 2, 3, 4]  # one process writes


def test_stopped_processes_save_and_go_on(lab):
    directory = lab.directory("sft", epochs=100_000, checkpoint_every=0)
    command = [sys.executable, "-m", "trainer.rlhf", str(directory.path), "--processes", "2"]
    program = subprocess.Popen(command, cwd=REPOSITORY, stderr=subprocess.PIPE, text=True)
    wait_for_a_step(directory, program)

    program.send_signal(signal.SIGTERM)
    said = program.communicate(timeout=60)[1]

    saved = directory.latest_checkpoint()
    assert saved, said
    assert saved.step == directory.read_metrics()[0][-1]["step"]
    assert directory.outcome() is None
    assert program.returncode == STOPPED
