import json
import time
from io import StringIO
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from trainer.actions.execution import execute_next_run
from trainer.management import progress
from trainer.models import Checkpoint, Run, Snapshot


def manage(*arguments):
    out = StringIO()
    call_command(*map(str, arguments), stdout=out)
    return dict(line.split(": ", 1) for line in out.getvalue().splitlines() if ": " in line)


class TestFreezeSnapshot:
    def test_prints_what_it_froze(self, kitchen, demonstrations):
        told = manage("freeze_snapshot", "--campaign", "Kitchen", "--kind", "demonstrations")

        snapshot = Snapshot.objects.get()
        assert told == {"id": str(snapshot.pk), "rows": str(len(demonstrations)), "sha256": snapshot.digest}

    def test_names_the_campaigns_there_are(self, kitchen):
        with pytest.raises(CommandError, match="Kitchen"):
            manage("freeze_snapshot", "--campaign", "Attic", "--kind", "prompts")

    def test_says_what_is_missing(self, kitchen):
        with pytest.raises(CommandError, match="ranked anything"):
            manage("freeze_snapshot", "--campaign", "Kitchen", "--kind", "rankings")

    def test_refuses_an_unknown_kind(self, kitchen):
        with pytest.raises(CommandError, match="invalid choice"):
            manage("freeze_snapshot", "--campaign", "Kitchen", "--kind", "opinions")


class TestExportSnapshot:
    def test_writes_the_folder(self, frozen, tmp_path):
        out = tmp_path / "out"

        manage("export_snapshot", frozen["rankings"].pk, "--format", "trl-preference", "--out", out)

        assert json.loads((out / "manifest.json").read_text())["snapshot"] == frozen["rankings"].digest

    @pytest.mark.parametrize("pk", [0, 10**40])
    def test_knows_no_other_snapshots(self, frozen, tmp_path, pk):
        with pytest.raises(CommandError, match="no snapshot"):
            manage("export_snapshot", pk, "--format", "native", "--out", tmp_path / "out")

    def test_refuses_a_format_that_does_not_fit(self, frozen, tmp_path):
        with pytest.raises(CommandError, match="native"):
            manage("export_snapshot", frozen["prompts"].pk, "--format", "trl-preference", "--out", tmp_path)

    def test_says_where_it_cannot_write(self, frozen, tmp_path):
        (tmp_path / "file").write_text("")

        with pytest.raises(CommandError, match="cannot be written"):
            manage("export_snapshot", frozen["prompts"].pk, "--format", "native", "--out", tmp_path / "file")


class TestQueueRun:
    def test_freezes_what_the_campaign_has_and_takes_settings(self, kitchen, demonstrations, base):
        told = manage(
            *("queue_run", "sft", "--campaign", "Kitchen", "--base", base.pk, "--set", "epochs=2", "seed=7")
        )

        run = Run.objects.get()
        assert told == {"id": str(run.pk), "snapshot": str(Snapshot.objects.get().pk)}
        assert (run.base, run.config["epochs"], run.config["seed"]) == (base, 2, 7)

    def test_takes_a_snapshot_a_folder_and_a_reward_model(self, frozen, base, reward_model):
        manage(
            *("queue_run", "ppo", "--snapshot", frozen["prompts"].pk),
            *("--base", base.location, "--reward", reward_model.pk),
        )

        run = Run.objects.get(kind="ppo")
        assert (run.snapshot, run.base, run.reward) == (frozen["prompts"], base, reward_model)

    def test_starts_from_the_models_that_are_known_here_by_their_name(self, frozen, base, settings):
        settings.BASE_MODELS = {"Tiny": base.location}

        manage("queue_run", "sft", "--snapshot", frozen["demonstrations"].pk)

        assert Run.objects.get().base == base

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (["--base", "999"], "no checkpoint 999"),
            (["--base", "/nowhere"], "neither a model's folder"),
            (["--reward", "{base}"], "Only PPO, sampling, evaluation"),
            (["--set", "epochs=many"], "epochs is 'many'"),
            (["--set", "epoch=1"], "epoch is '1'"),
            (["--set", "epochs"], "key=value"),
        ],
    )
    def test_refuses_in_words(self, frozen, base, arguments, words):
        command = ["queue_run", "sft", "--snapshot", frozen["demonstrations"].pk, "--base", base.pk]

        with pytest.raises(CommandError, match=words):
            manage(*command, *(argument.format(base=base.pk) for argument in arguments))

        assert not Run.objects.exists()

    def test_wants_rows_to_read(self, base):
        with pytest.raises(CommandError, match="--snapshot"):
            manage("queue_run", "sft", "--base", base.pk)


class TestWaiting:
    @pytest.fixture
    def queue_and_wait(self, frozen, base, script, monkeypatch):
        """The worker is this process: it works whenever the command sleeps."""

        def queue(*lines):
            def work(_seconds):
                [run] = Run.objects.ready(timezone.now())
                folder = str(run.folder.parent / "attempt-1")
                execute_next_run(
                    worker="w",
                    clock=timezone.now,
                    stopping=lambda: False,
                    command=[*script(*lines), folder],
                )

            clock = SimpleNamespace(sleep=work, monotonic=time.monotonic)
            monkeypatch.setattr(progress, "time", clock)
            snapshot = frozen["demonstrations"].pk
            return manage("queue_run", "sft", "--snapshot", snapshot, "--base", base.pk, "--wait")

        return queue

    def test_ends_well_when_the_run_does(self, queue_and_wait):
        queue_and_wait(
            "with run.publish_result() as folder: (folder / 'model.safetensors').write_text('weights')",
            "run.mark_done({'loss': 0.4})",
        )

        assert Run.objects.get().status == Run.Status.SUCCEEDED
        assert Checkpoint.objects.filter(kind="sft").exists()

    def test_fails_with_the_reason_when_it_does_not(self, queue_and_wait):
        with pytest.raises(CommandError, match="The soup boiled over"):
            queue_and_wait("run.mark_failed('The soup boiled over.')", "sys.exit(1)")
