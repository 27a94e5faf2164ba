"""A run that is killed or stopped at any moment and started again ends as if it had never been."""

import json
import multiprocessing
import os
import random
import signal
import threading
import time

import pytest
import torch
from tqdm import tqdm

from tests.trainer.rlhf.kitchen import run_program
from trainer.handoff.rundir import digest_of_folder
from trainer.rlhf.__main__ import STOPPED
from trainer.rlhf.reporting import Reporter

# tqdm's own lock is shared with forked processes: one that is killed while it holds it blocks all others.
tqdm.set_lock(threading.RLock())

KINDS = ["sft", "reward", "ppo", "dpo", "kto"]
# A little of everything that a checkpoint holds.
SETTINGS = {
    "sft": {"epochs": 4, "patience": 3, "checkpoint_every": 1},
    "reward": {"epochs": 6, "checkpoint_every": 1},
    "dpo": {"epochs": 4, "checkpoint_every": 1},
    "kto": {"epochs": 3, "batch_size": 3, "checkpoint_every": 1},
    "ppo": {"iterations": 4, "checkpoint_every": 1, "kl_target": 0.1, "kl_horizon": 20, "ema_decay": 0.5},
}


def directory(lab, chain, kind, name, **settings):
    reward_model = chain["reward"].result_path if kind == "ppo" else None
    model = chain["sft"].result_path if kind == "ppo" else None
    return lab.directory(
        kind, name=name, model=model, reward_model=reward_model, **{**SETTINGS[kind], **settings}
    )


def what_it_made(run):
    """All that a researcher keeps, but for the clock."""
    assert run.outcome() and run.outcome().succeeded, run.outcome()
    lines = [
        {name: value for name, value in line.items() if name not in ("at", "memory_mb", "tokens_per_second")}
        for line in run.read_metrics()[0]
    ]
    return digest_of_folder(run.result_path), lines, run.read_samples(), run.outcome().summary


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory, model_folder, chain):
    from tests.trainer.rlhf.kitchen import Lab

    handler = signal.getsignal(signal.SIGTERM)
    lab = Lab(tmp_path_factory.mktemp("unbroken"), model_folder)
    made = {}
    for kind in KINDS:
        run = directory(lab, chain, kind, kind)
        assert run_program(run.path) == 0, run.outcome()
        made[kind] = what_it_made(run)
    signal.signal(signal.SIGTERM, handler)
    return made


def stop_after(monkeypatch, lines):
    """As SIGTERM would, once so many lines are logged (and in PPO then within the next iteration)."""
    log = Reporter.step

    def step(self, *args, **values):
        log(self, *args, **values)
        self.stopping |= len(self.directory.read_metrics()[0]) == lines

    monkeypatch.setattr(Reporter, "step", step)


@pytest.mark.parametrize("kind", KINDS)
class TestStoppedRun:
    @pytest.mark.parametrize("every", [0, 1, 3])
    def test_goes_on_to_the_same_bytes(self, lab, chain, unbroken, kind, every, monkeypatch):
        run = directory(lab, chain, kind, "stopped", checkpoint_every=every)
        with monkeypatch.context() as patch:
            stop_after(patch, lines=2)
            assert run_program(run.path) == STOPPED
        assert run.outcome() is None

        assert run_program(run.path) == 0

        assert what_it_made(run) == unbroken[kind]

    def test_refuses_to_go_on_with_other_settings(self, lab, chain, kind, monkeypatch):
        run = directory(lab, chain, kind, "changed")
        with monkeypatch.context() as patch:
            stop_after(patch, lines=2)
            run_program(run.path)
        spec = json.loads((run.path / "config.json").read_text())
        spec["config"]["learning_rate"] = 1e-4
        (run.path / "config.json").write_text(json.dumps(spec))

        assert run_program(run.path) == 1
        assert "was made with other settings" in run.outcome().reason

    def test_that_is_done_is_not_done_again(self, lab, chain, kind):
        run = directory(lab, chain, kind, "done")
        run_program(run.path)
        before = run.read_metrics()

        assert run_program(run.path) == 0
        assert run.read_metrics() == before


class TestStoppedWithinAnIteration:
    def test_takes_up_the_rollout_where_it_was(self, lab, chain, unbroken, monkeypatch):
        """Not sampled again: what is in flight is in the checkpoint."""
        from trainer.rlhf import ppo

        run = directory(lab, chain, "ppo", "flight", checkpoint_every=0)
        counted, rollouts = ppo.update, []

        def update(*arguments):
            measured = counted(*arguments)
            rollouts.append(arguments[3])
            if len(rollouts) == 5:
                os.kill(os.getpid(), signal.SIGTERM)
            return measured

        with monkeypatch.context() as patch:
            patch.setattr(ppo, "update", update)
            assert run_program(run.path) == STOPPED
        assert len(rollouts) == 5
        assert len(run.read_metrics()[0]) == 0  # four epochs of two minibatches: the first is not over

        collected, collect = [], ppo.collect_rollout
        with monkeypatch.context() as patch:
            patch.setattr(ppo, "collect_rollout", lambda *a, **k: collected.append(1) or collect(*a, **k))
            assert run_program(run.path) == 0

        assert len(collected) == SETTINGS["ppo"]["iterations"] - 1
        assert what_it_made(run) == unbroken["ppo"]


class TestBrokenCheckpoint:
    def test_is_passed_over_for_the_one_before(self, lab, chain, unbroken, monkeypatch):
        run = directory(lab, chain, "sft", "broken")
        with monkeypatch.context() as patch:
            stop_after(patch, lines=4)
            run_program(run.path)
        newest = run.latest_checkpoint()
        state = newest.path / "state.safetensors"
        whole = state.read_bytes()
        state.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))

        assert run.latest_checkpoint().step < newest.step
        assert run_program(run.path) == 0
        assert what_it_made(run) == unbroken["sft"]


@pytest.mark.parametrize("kind", KINDS)
def test_killed_at_random_moments_it_ends_with_the_same_bytes(lab, chain, unbroken, kind):
    """Fifty times SIGKILL, whatever the run is doing: loading, learning, or half through a checkpoint."""
    kills, runs = 0, 0
    luck = random.Random(kind)
    run = directory(lab, chain, kind, "killed-0")
    while kills < KILLS:
        if killed_while(run, luck):
            kills += 1
        else:
            assert what_it_made(run) == unbroken[kind]
            runs += 1
            run = directory(lab, chain, kind, f"killed-{runs}")
        run.latest_checkpoint()
    if run.outcome() is None:
        last = forked(run)
        last.join(120)
        last.kill()  # one that hangs shall fail the test, not hang it too
    assert what_it_made(run) == unbroken[kind]


KILLS = 50
LONGEST_LIFE = 0.6


def killed_while(run, luck):
    """Start the run and kill it at a random moment. False if it was done by then."""
    process = forked(run)
    give_up = time.monotonic() + luck.uniform(0.0, LONGEST_LIFE)
    while process.is_alive() and time.monotonic() < give_up:
        time.sleep(0.002)
    process.kill()
    process.join()
    return run.outcome() is None


def forked(run):
    """The run in a process of its own, without the seconds that importing torch takes. The parent must not
    have used autograd from more threads than one, or the child would hang."""
    assert torch.get_num_threads() == 1
    process = multiprocessing.get_context("fork").Process(target=run_program, args=(run.path,))
    process.start()
    return process
