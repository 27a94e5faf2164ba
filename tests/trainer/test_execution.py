import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.contextvars import get_contextvars

from annotation import doorbell
from annotation.models import Assignment, CandidateSet
from tests.conftest import NOON
from trainer import launch, pulse
from trainer.actions import layout
from trainer.actions.execution import claim_next_run, execute_next_run, reclaim_overdue_runs
from trainer.actions.runs import cancel_run, queue_run
from trainer.handoff.rundir import RunDirectory
from trainer.models import Checkpoint, Run, RunMetric, SampledCompletion

FAR = NOON + timedelta(days=1)

MAKES_WEIGHTS = [
    "run.log_metrics(step=1, steps=2, loss=0.5)",
    "run.log_metrics(step=2, steps=2, loss=float('nan'))",
    "with run.publish_result() as folder: (folder / 'model.safetensors').write_text('weights')",
    "run.mark_done({'loss': 0.4, 'held_out_loss': float('nan')})",
]
"""As a stage of the lab behaves when all is well."""

SAVES = ["with run.write_checkpoint(1, kept=2) as folder: (folder / 'state').write_text('half way')"]
SLEEPS = ["run.log_metrics(step=1, steps=9, loss=1.0)", "time.sleep(60)"]
SLEEPS_DEAF = ["signal.signal(signal.SIGTERM, signal.SIG_IGN)", *SLEEPS]


@pytest.fixture(autouse=True)
def quick(monkeypatch, settings):
    settings.RUN_GRACE = timedelta(seconds=1)
    monkeypatch.setattr(launch, "POLL_SECONDS", 0.02)
    monkeypatch.setattr(pulse, "BEAT_SECONDS", 0.05)
    monkeypatch.setattr(doorbell, "_ring", lambda task: None)


@pytest.fixture
def execute(script):
    def execute_script(*lines, stopping=lambda: False, now=NOON):
        return execute_next_run(
            worker="w", clock=lambda: now, stopping=stopping, command=[*script(*lines), run_folder()]
        )

    def run_folder():
        [run] = Run.objects.ready(FAR).order_by("pk")[:1]
        return str(Path(run.folder).parent / f"attempt-{run.attempt + 1}")

    return execute_script


def once(path, then):
    """A ``stopping`` that calls ``then`` when the lab has written its first metric."""

    def look():
        if (path() / "metrics.jsonl").exists():
            return then()
        return False

    return look


def is_gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


class TestExecuteNextRun:
    def test_does_nothing_when_nothing_waits(self, db):
        assert execute_next_run(worker="w", clock=lambda: NOON, stopping=lambda: False) is None

    def test_lays_out_what_the_lab_needs(self, sft_run, execute, base):
        execute(*MAKES_WEIGHTS)

        sft_run.refresh_from_db()
        spec = RunDirectory(sft_run.folder).spec()
        assert (spec.kind, spec.base_model, spec.base_digest) == ("sft", base.location, base.digest)
        assert spec.snapshot_digest == sft_run.snapshot.digest
        assert (sft_run.folder / "data" / "demonstrations.parquet").exists()

    def test_keeps_the_weights_the_summary_and_the_metrics(self, sft_run, execute):
        run = execute(*MAKES_WEIGHTS)

        assert (run.status, run.attempt, run.step, run.steps) == (Run.Status.SUCCEEDED, 1, 2, 2)
        assert run.summary == {"loss": 0.4, "held_out_loss": None}
        assert run.result == Checkpoint.objects.get(kind="sft")
        assert run.result.produced_by == run
        assert Path(run.result.location, "model.safetensors").exists()
        lines = RunMetric.objects.order_by("line")
        assert [line.values["loss"] for line in lines] == [0.5, None]
        assert [line.line for line in lines] == [1, 2]

    def test_the_same_weights_twice_are_one_checkpoint(self, sft_run, execute, frozen, base, rhea):
        first = execute(*MAKES_WEIGHTS)
        queue_run(kind="sft", snapshot=frozen["demonstrations"], base=base, created_by=rhea, now=NOON)

        second = execute(*MAKES_WEIGHTS)

        assert second.status == Run.Status.SUCCEEDED
        assert second.result == first.result
        assert second.result.produced_by == first

    def test_tells_the_labs_own_reason(self, sft_run, execute):
        run = execute("run.mark_failed('The learning rate is too high: the loss is NaN.')", "sys.exit(1)")

        assert (run.status, run.failure) == (
            Run.Status.FAILED,
            "The learning rate is too high: the loss is NaN.",
        )

    def test_a_lab_that_is_killed_from_outside_is_tried_again(self, sft_run, execute):
        execute("os.kill(os.getpid(), signal.SIGKILL)")
        run = execute(*MAKES_WEIGHTS, now=NOON + timedelta(minutes=1))

        assert (run.status, run.attempt) == (Run.Status.SUCCEEDED, 2)
        killed = run.attempts.get(number=1)
        assert (killed.ending, killed.exit_code) == ("lost", -signal.SIGKILL)
        assert "memory" in killed.reason

    def test_a_lab_that_the_kernel_kills_for_memory_is_not(self, sft_run, execute, monkeypatch):
        monkeypatch.setattr(launch, "memory_kills", iter([3, 4]).__next__)

        run = execute("os.kill(os.getpid(), signal.SIGKILL)")

        assert (run.status, run.failure_class) == (Run.Status.FAILED, "out_of_memory")

    def test_a_lab_that_crashes_is_told_with_its_last_line(self, sft_run, execute):
        run = execute("raise SystemError('bad luck')")

        assert run.status == Run.Status.FAILED
        assert "exit code 1" in run.failure and "bad luck" in run.failure

    def test_a_snapshot_that_is_gone_fails_the_run_at_once(self, sft_run, execute):
        sft_run.snapshot.file.unlink()

        run = execute(*MAKES_WEIGHTS)

        assert run.status == Run.Status.FAILED
        assert run.failure

    def test_a_later_attempt_goes_on_from_what_the_one_before_saved(self, sft_run, execute):
        saves = ["run.log_metrics(step=1, steps=2, loss=0.5)", *SAVES, "run.log_metrics(step=2, steps=2)"]
        logs = sft_run.folder_of(1) / "metrics.jsonl"
        execute(
            *saves,
            "time.sleep(60)",
            stopping=lambda: logs.exists() and logs.read_text().count("\n") == 2,
        )
        sft_run.refresh_from_db()
        assert (sft_run.status, sft_run.attempt) == (Run.Status.QUEUED, 1)

        run = execute(
            "saved = run.latest_checkpoint()",
            "assert (saved.path / 'state').read_text() == 'half way'",
            "run.rewind(saved)",
            *MAKES_WEIGHTS[1:],
        )

        assert (run.status, run.attempt, run.failure) == (Run.Status.SUCCEEDED, 2, "")
        lines = RunMetric.objects.filter(attempt=2).order_by("line")
        assert [line.values["step"] for line in lines] == [1, 2]

    def test_a_reward_model_gets_the_demonstrations_its_base_learned_from(
        self, sft_run, execute, frozen, rhea
    ):
        taught = execute(*MAKES_WEIGHTS).result
        queue_run(kind="reward", snapshot=frozen["rankings"], base=taught, created_by=rhea, now=NOON)

        run = execute(*MAKES_WEIGHTS)

        names = sorted(file.name for file in (run.folder / "data").iterdir())
        assert names == ["demonstrations.parquet", "rankings.parquet"]

    def test_cancelling_stops_the_lab_even_a_deaf_one(self, sft_run, execute):
        pids = []

        def ask():
            sft_run.refresh_from_db()
            if not sft_run.is_final:
                cancel_run(sft_run, now=NOON)
            return False

        run = execute(
            "(run.path / 'pid').write_text(str(os.getpid()))",
            *SLEEPS_DEAF,
            stopping=once(lambda: Run.objects.get().folder, ask),
        )

        pids.append(int((run.folder / "pid").read_text()))
        assert run.status == Run.Status.CANCELLED
        assert all(is_gone(pid) for pid in pids)

    def test_a_worker_that_leaves_gives_the_run_back(self, sft_run, execute):
        leaving = once(lambda: Run.objects.get().folder, lambda: True)

        run = execute(*SLEEPS, stopping=leaving)

        assert (run.status, run.worker) == (Run.Status.QUEUED, "")
        again = execute(*MAKES_WEIGHTS)
        assert (again.pk, again.attempt, again.status) == (run.pk, 2, Run.Status.SUCCEEDED)
        assert again.lost_attempts == 0

    def test_a_worker_that_leaves_gives_no_run_back_that_was_just_cancelled(self, sft_run, execute):
        def cancel_and_leave():
            Run.objects.get().cancel(actor="person:1", now=NOON)
            return True

        run = execute(*SLEEPS, stopping=once(lambda: Run.objects.get().folder, cancel_and_leave))

        assert run.status == Run.Status.CANCELLED

    def test_an_attempt_that_lost_the_run_kills_its_lab_and_writes_nothing(self, sft_run, execute):
        def steal():
            Run.objects.filter(pk=sft_run.pk).update(attempt=2, worker="thief", step=5)
            return False

        execute(*SLEEPS, *MAKES_WEIGHTS, stopping=once(lambda: sft_run.folder.parent / "attempt-1", steal))

        sft_run.refresh_from_db()
        assert (sft_run.status, sft_run.worker, sft_run.step) == (Run.Status.RUNNING, "thief", 5)
        assert not RunMetric.objects.filter(attempt=2).exists()
        assert not Checkpoint.objects.filter(kind="sft").exists()

    def test_a_lost_run_that_finished_meanwhile_publishes_nothing(self, sft_run, execute):
        def steal():
            Run.objects.filter(pk=sft_run.pk).update(attempt=2, worker="thief")
            return False

        run = execute(*MAKES_WEIGHTS, stopping=steal)

        assert run.status == Run.Status.RUNNING
        assert not Checkpoint.objects.filter(kind="sft").exists()

    def test_failure_of_one_ends_the_chain_with_the_reason(self, loop, execute):
        execute("run.mark_failed('No.')", "sys.exit(1)")

        sft, *rest = Run.objects.order_by("pk")
        assert sft.status == Run.Status.FAILED
        assert {run.status for run in rest} == {Run.Status.CANCELLED}
        assert all(run.failure for run in rest)

    def test_the_next_of_a_chain_starts_from_what_the_last_one_made(
        self, loop, execute, monkeypatch, django_capture_on_commit_callbacks
    ):
        rung = []
        monkeypatch.setattr(doorbell, "_ring", rung.append)

        with django_capture_on_commit_callbacks(execute=True):
            sft = execute(*MAKES_WEIGHTS)
        assert rung == ["trainer.tasks.execute_next_run"]
        reward = execute(
            *MAKES_WEIGHTS[:2], MAKES_WEIGHTS[2].replace("'weights'", "'taste'"), MAKES_WEIGHTS[3]
        )
        ppo = execute(*MAKES_WEIGHTS)

        assert RunDirectory(reward.folder).spec().base_model == sft.result.location
        spec = RunDirectory(ppo.folder).spec()
        assert (spec.base_model, spec.reward_model) == (sft.result.location, reward.result.location)
        assert spec.reward_digest == reward.result.digest


class TestDoorbell:
    def test_two_rings_train_once(self, sft_run, execute, settings):
        first = execute(*MAKES_WEIGHTS)

        assert claim_next_run(worker="late", now=NOON) is None
        assert Run.objects.get(pk=first.pk).attempt == 1

    def test_of_two_workers_one_gets_the_run(self, sft_run, settings):
        mine, theirs = Run.objects.get(), Run.objects.get()

        assert mine.claim("me", now=NOON, lease=settings.RUN_LEASE)
        assert not theirs.claim("them", now=NOON, lease=settings.RUN_LEASE)

    def test_the_oldest_ready_run_goes_first(self, loop, frozen, base, rhea):
        later = queue_run(kind="sample", snapshot=frozen["prompts"], base=base, created_by=rhea, now=NOON)

        assert claim_next_run(worker="w", now=NOON).kind == "sft"
        assert claim_next_run(worker="w", now=NOON) == later


class TestReclaimOverdueRuns:
    @pytest.fixture
    def held(self, sft_run, settings):
        sft_run.claim("w", now=NOON, lease=settings.RUN_LEASE)
        return sft_run

    def test_leaves_a_run_that_is_kept_alive(self, held):
        assert reclaim_overdue_runs(now=NOON + timedelta(seconds=44)) == 0

        held.refresh_from_db()
        assert held.status == Run.Status.RUNNING

    def test_queues_a_silent_one_again_for_another_attempt(self, held):
        reclaim_overdue_runs(now=NOON + timedelta(minutes=2))

        held.refresh_from_db()
        assert (held.status, held.lost_attempts) == (Run.Status.QUEUED, 1)
        assert claim_next_run(worker="other", now=held.not_before - timedelta(seconds=1)) is None
        assert claim_next_run(worker="other", now=held.not_before).attempt == 2

    def test_gives_up_after_some_attempts_and_says_so(self, held):
        for hours in range(1, 6):
            reclaim_overdue_runs(now=NOON + timedelta(hours=hours))
            claim_next_run(worker="w", now=NOON + timedelta(hours=hours, minutes=30))

        held.refresh_from_db()
        assert (held.status, held.failure_class) == (Run.Status.FAILED, "lost")
        assert "5 times" in held.failure

    def test_a_silent_one_can_be_cancelled_at_once(self, held):
        cancel_run(held, now=NOON)

        assert held.status == Run.Status.CANCELLED
        assert reclaim_overdue_runs(now=NOON + timedelta(minutes=2)) == 0
        assert held.attempts.get().ending == "cancelled"

    def test_a_late_attempt_cannot_write_after_it(self, held, settings):
        late = Run.objects.get(pk=held.pk)
        reclaim_overdue_runs(now=NOON + timedelta(minutes=2))
        claim_next_run(worker="other", now=NOON + timedelta(minutes=3))

        assert not late.extend(now=NOON, lease=settings.RUN_LEASE, step=9, steps=9)
        assert not late.succeed(now=NOON, summary={})
        assert not late.fail("No.", now=NOON)
        assert not late.give_back("Leaving.", now=NOON)


class TestDeliverSamples:
    @pytest.fixture
    def sample(self, frozen, base, rhea, execute, prompts):
        def sample_answers(answers, **changes):
            queue_run(
                kind="sample", snapshot=frozen["prompts"], base=base, created_by=rhea, now=NOON, **changes
            )
            return execute(
                *(
                    f"run.append_sample(prompt_id={prompts[0].pk}, completion={text!r}, finished=True, "
                    "tokens=3, score=None, ref_kl=None, step=None)"
                    for text in answers
                ),
                "run.mark_done({'completions': 4})",
            )

        return sample_answers

    def test_brings_different_answers_to_the_labelers_first(self, sample, base):
        sets = CandidateSet.objects.count()

        run = sample(["Boil.", "Bake.", "Boil.", "Fry."])

        assert run.status == Run.Status.SUCCEEDED
        assert CandidateSet.objects.count() == sets + 1
        fresh = CandidateSet.objects.latest("pk")
        assert sorted(fresh.completions.values_list("text", flat=True)) == ["Bake.", "Boil.", "Fry."]
        assert Assignment.objects.open().order_by("-priority").first().candidate_set == fresh
        origins = SampledCompletion.objects.filter(completion__in=fresh.completions.all())
        assert {(origin.run, origin.checkpoint) for origin in origins} == {(run, base)}

    @pytest.mark.parametrize("answers", [["Boil.", "Boil."], ["Boil.", " "], ["Boil.", "\0"], []])
    def test_leaves_out_prompts_without_two_answers_to_compare(self, sample, answers):
        sets = CandidateSet.objects.count()

        assert sample(answers).status == Run.Status.SUCCEEDED
        assert CandidateSet.objects.count() == sets

    def test_keeps_them_from_the_labelers_where_asked(self, sample):
        sets = CandidateSet.objects.count()

        run = sample(["Boil.", "Bake."], deliver=False)

        assert CandidateSet.objects.count() == sets
        assert len(RunDirectory(run.folder).read_samples()) == 2


class TestWorkerThatIsKilled:
    def test_takes_its_lab_with_it(self, tmp_path):
        """As when the machine's memory killer, or an operator, kills the worker without warning."""
        pid_file = tmp_path / "pid"
        # A grandchild in a session of its own, as torch's launcher makes them.
        command = f"setsid sh -c 'echo $$ > {pid_file}; sleep 61' & sleep 60"
        code = (
            "import sys, os, time; sys.path.insert(0, '.');"
            "os.environ['DJANGO_SETTINGS_MODULE'] = 'config.settings';"
            "import django; django.setup();"
            "from pathlib import Path; from trainer.launch import Lab;"
            f"lab = Lab(['sh', '-c', {command!r}], Path({str(tmp_path)!r}), fence=60); time.sleep(60)"
        )
        worker = subprocess.Popen([sys.executable, "-c", code])
        _until(lambda: pid_file.exists() and pid_file.read_text())

        worker.send_signal(signal.SIGKILL)
        worker.wait()

        _until(lambda: is_gone(int(pid_file.read_text())))


def _until(happens, seconds=20):
    deadline = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_code_version_names_the_source_text():
    assert layout.code_version() == layout.code_version()
    assert len(layout.code_version()) == 16


class TestALineLoggedMeanwhile:
    def test_names_the_run_and_the_attempt(self, sft_run, execute, monkeypatch):
        named = []

        def break_off(*args, **kwargs):
            named.append(get_contextvars())
            raise OSError("no disk")

        monkeypatch.setattr(launch, "carry_out", break_off)

        run = execute("pass")

        assert named == [{"run": run.pk, "attempt": 1}]
        assert get_contextvars() == {}
