"""What an attempt's end means for its run."""

import threading
from datetime import timedelta

import pytest
from django.db import IntegrityError, OperationalError, connection
from hypothesis import given
from hypothesis import strategies as st

from annotation import doorbell
from tests.conftest import NOON
from trainer import launch, pulse
from trainer.actions.execution import claim_next_run, execute_next_run, reclaim_overdue_runs
from trainer.actions.retention import collect_garbage
from trainer.actions.runs import cancel_run, queue_run
from trainer.handoff.failures import Failure, failure_in, failure_of
from trainer.models import Artifact, Run
from trainer.progress import longest_silence

LATER = NOON + timedelta(days=2)
STEP = "run.log_metrics(step={0}, steps=9, loss=1.0)"
SAVE = "with run.write_checkpoint({0}, kept=2) as folder: (folder / 'state').write_text('{0}')"
RESULT = "with run.publish_result() as folder: (folder / 'model.safetensors').write_text('weights')"


@pytest.fixture(autouse=True)
def quick(monkeypatch, settings):
    settings.RUN_GRACE = timedelta(seconds=1)
    monkeypatch.setattr(launch, "POLL_SECONDS", 0.02)
    monkeypatch.setattr(pulse, "BEAT_SECONDS", 0.05)
    monkeypatch.setattr(doorbell, "_ring", lambda task: None)


@pytest.fixture
def execute(script, monkeypatch):
    def work(*lines, now=NOON, stopping=lambda: False):
        command = script(*lines)
        monkeypatch.setattr(launch, "lab_command", lambda run, meeting: [*command, str(run.folder)])
        return execute_next_run(worker="w", clock=lambda: now, stopping=stopping)

    return work


def story(run):
    return list(run.events.order_by("seq").values_list("seq", "kind"))


class TestStory:
    def test_tells_each_transition_once_in_order(self, sft_run, execute):
        execute("os.kill(os.getpid(), signal.SIGKILL)")
        run = execute(STEP.format(1), RESULT, "run.mark_done({})", now=LATER)

        assert story(run) == [
            (1, "asked"), (2, "claimed"), (3, "lost"), (4, "claimed"), (5, "succeeded")
        ]  # fmt: skip
        assert list(run.attempts.order_by("number").values_list("ending", "last_step")) == [
            ("lost", 0),
            ("succeeded", 1),
        ]

    def test_of_a_transition_that_failed_has_no_line(self, sft_run, settings):
        late = Run.objects.get()
        sft_run.claim("w", now=NOON, lease=settings.RUN_LEASE)

        assert not late.claim("other", now=NOON, lease=settings.RUN_LEASE)
        assert story(sft_run) == [(1, "asked"), (2, "claimed")]

    def test_a_second_artifact_is_refused_by_the_database(self, sft_run, execute):
        run = execute(RESULT, "run.mark_done({})")

        with pytest.raises(IntegrityError):
            Artifact.objects.create(run=run, attempt=2, location="/l", digest="d" * 64, published_at=NOON)


class TestAnAttemptThatIsLost:
    def test_goes_on_from_what_it_saved_and_says_so(self, sft_run, execute):
        execute(STEP.format(1), SAVE.format(1), "os.kill(os.getpid(), signal.SIGKILL)")

        run = execute("assert run.latest_checkpoint().step == 1", RESULT, "run.mark_done({})", now=LATER)

        assert run.status == Run.Status.SUCCEEDED
        assert run.events.get(kind="resumed").data == {"attempt": 2, "step": 1, "saved_by_attempt": 1}

    def test_falls_back_from_a_spoilt_state_and_says_so(self, sft_run, execute):
        execute(
            *(line.format(step) for step in (1, 2) for line in (STEP, SAVE)),
            "(run.path / 'checkpoints' / '2' / 'state').write_text('spoilt')",
            "os.kill(os.getpid(), signal.SIGKILL)",
        )

        run = execute("assert run.latest_checkpoint().step == 1", RESULT, "run.mark_done({})", now=LATER)

        assert run.status == Run.Status.SUCCEEDED
        assert run.events.get(kind="fell_back").data["spoilt"] == ["1/2"]

    def test_twice_at_the_same_step_is_not_tried_again(self, sft_run, execute):
        dies = [STEP.format(3), "time.sleep(0.3)", "os.kill(os.getpid(), signal.SIGKILL)"]
        execute(*dies)
        run = execute(*dies, now=LATER)

        assert (run.status, run.failure_class) == (Run.Status.FAILED, "lost")
        assert "same step, 3" in run.failure

    def test_counts_only_losses_without_progress(self, sft_run, execute):
        for days in range(1, 8):
            run = execute(
                STEP.format(days),
                "time.sleep(0.3)",
                "os.kill(os.getpid(), signal.SIGKILL)",
                now=NOON + timedelta(days=days),
            )

        assert (run.status, run.attempt, run.lost_attempts) == (Run.Status.QUEUED, 7, 1)

    def test_is_ended_when_it_hangs(self, sft_run, execute, settings):
        settings.RUN_HANG_AFTER = timedelta(seconds=0.1)

        run = execute("time.sleep(60)")

        assert (run.status, run.attempts.get().ending) == (Run.Status.QUEUED, "hung")

    def test_that_was_asked_to_stop_uses_up_nothing(self, sft_run, execute):
        run = execute("os.kill(os.getpid(), signal.SIGTERM)")

        assert (run.status, run.lost_attempts, run.not_before) == (Run.Status.QUEUED, 0, None)
        assert run.attempts.get().ending == "preempted"


class TestADatabaseThatIsAway:
    def test_for_a_moment_disturbs_nothing(self, sft_run, execute, monkeypatch):
        send, failures = pulse.Pulse._send, iter([True] * 3)

        def send_sometimes(self):
            if next(failures, False):
                raise OperationalError("away")
            return send(self)

        monkeypatch.setattr(pulse.Pulse, "_send", send_sometimes)
        # The test's own transaction must outlive it.
        monkeypatch.setattr(pulse, "close_old_connections", lambda: None)

        run = execute(STEP.format(1), "time.sleep(0.5)", RESULT, "run.mark_done({})")

        assert (run.status, run.attempt, run.step) == (Run.Status.SUCCEEDED, 1, 1)

    def test_for_too_long_makes_the_worker_let_go_before_its_lease_is_over(
        self, sft_run, execute, monkeypatch, settings
    ):
        settings.RUN_LEASE = timedelta(seconds=1)
        monkeypatch.setattr(pulse.Pulse, "beat", lambda self: None)

        run = execute("time.sleep(60)")

        assert (run.status, run.lost_attempts) == (Run.Status.QUEUED, 0)
        assert "database" in run.attempts.get().reason


class TestFailures:
    @pytest.mark.parametrize(
        ("lines", "kind"),
        [
            (["run.mark_failed('Too large.', 'out_of_memory')"], "out_of_memory"),
            (["sys.exit('torch.OutOfMemoryError: CUDA out of memory.')"], "out_of_memory"),
            (["sys.exit('SafetensorError: No space left on device (os error 28)')"], "disk_full"),
            (["os.kill(os.getpid(), signal.SIGSEGV)"], "code_error"),
        ],
    )
    def test_have_a_class_and_are_not_tried_again(self, sft_run, execute, lines, kind):
        run = execute(*lines)

        assert (run.status, run.failure_class, run.attempts.get().ending) == (Run.Status.FAILED, kind, kind)

    def test_know_errors_by_what_they_are_or_say(self):
        assert failure_of(MemoryError()) == Failure.OUT_OF_MEMORY
        assert failure_of(OSError(28, "No space left on device")) == Failure.DISK_FULL
        assert failure_of(ValueError("soup")) == Failure.CODE_ERROR

    @given(st.text())
    def test_say_something_of_whatever_was_said(self, words):
        assert failure_in(words) in Failure

    def test_come_with_advice_on_the_page(self, sft_run, execute, client, rhea):
        run = execute("run.mark_failed('Too large.', 'out_of_memory')")
        client.force_login(rhea)

        page = client.get(f"/admin/trainer/run/{run.pk}/change/").content.decode()

        assert "Use a smaller batch" in page and "Taken by a worker" in page


class TestLongestSilence:
    @given(st.lists(st.floats(0.01, 1e4), min_size=2), st.floats(1, 1e4))
    def test_is_never_less_than_asked_nor_than_twenty_usual_steps(self, steps, least):
        times = [sum(steps[:n]) for n in range(len(steps) + 1)]

        silence = longest_silence(times, least)

        assert silence >= least
        assert silence >= 19.9 * min(steps[-199:]) or len(steps) > 199

    def test_is_longer_before_the_first_step(self):
        assert longest_silence([], 600) == 3600


class TestManyWorkers:
    @pytest.mark.django_db(transaction=True)
    def test_get_each_run_once(self, frozen, base, rhea):
        runs = [
            queue_run(
                kind="sft",
                snapshot=frozen["demonstrations"],
                base=base,
                config={"seed": seed},
                created_by=rhea,
                now=NOON,
            ).pk
            for seed in range(12)
        ]
        claimed = []

        def work(name):
            while run := claim_next_run(worker=name, now=NOON):
                claimed.append(run.pk)
            connection.close()

        threads = [threading.Thread(target=work, args=(f"w{number}",)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert sorted(claimed) == runs
        assert set(Run.objects.values_list("attempt", flat=True)) == {1}


class TestGarbage:
    def test_goes_and_what_a_row_names_stays(self, sft_run, execute):
        execute(STEP.format(1), SAVE.format(1), "os.kill(os.getpid(), signal.SIGKILL)")
        run = execute(SAVE.format(2), RESULT, "run.mark_done({})", now=LATER)
        stranger = run.folder.parent.parent / "4711" / "attempt-1"
        stranger.mkdir(parents=True)

        assert collect_garbage(now=LATER) == []
        collect_garbage(now=LATER + timedelta(days=4000))

        assert not (run.folder_of(1) / "checkpoints").exists()
        assert (run.folder_of(1) / "metrics.jsonl").exists()
        assert (run.folder / "checkpoints" / "2").exists() and (run.folder / "result").exists()
        assert not stranger.parent.exists()

    def test_is_nothing_of_a_run_that_goes_on(self, sft_run, execute):
        execute(STEP.format(1), SAVE.format(1), "os.kill(os.getpid(), signal.SIGKILL)")

        assert collect_garbage(now=NOON + timedelta(days=4000)) == []


class TestReclaiming:
    def test_of_a_run_that_was_cancelled_meanwhile_changes_nothing(self, sft_run, settings):
        sft_run.claim("w", now=NOON, lease=settings.RUN_LEASE)
        cancel_run(sft_run, now=NOON)

        assert reclaim_overdue_runs(now=LATER) == 0
        assert Run.objects.get().status == Run.Status.CANCELLED
