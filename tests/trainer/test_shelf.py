"""Two nodes that share a database and an address, and no disk."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from uuid import uuid4

import fsspec
import pytest
from django.test import override_settings

from annotation import doorbell
from tests.conftest import NOON
from tests.trainer.answering_node import answer_next
from trainer import launch, pulse, rehearsal, shelf
from trainer.actions.execution import execute_next_run
from trainer.actions.rehearsals import ask_for_rehearsal
from trainer.actions.runs import queue_run
from trainer.models import Checkpoint, Run

SAVES = [
    "run.log_metrics(step=1, steps=2, loss=0.5)",
    "with run.write_checkpoint(1, kept=2) as folder: (folder / 'state').write_text('half way')",
    "run.log_metrics(step=2, steps=2, loss=0.4)",
    "time.sleep(60)",
]
GOES_ON = [
    "saved = run.latest_checkpoint()",
    "assert (saved.path / 'state').read_text() == 'half way'",
    "run.rewind(saved)",
    "assert len(run.read_metrics()[0]) == 1",
    "with run.publish_result() as folder: (folder / 'model.safetensors').write_text('weights')",
    "run.mark_done({})",
]


@pytest.fixture(params=["memory", "file"])
def store(request, settings, tmp_path, monkeypatch):
    monkeypatch.setattr(launch, "POLL_SECONDS", 0.02)
    monkeypatch.setattr(pulse, "BEAT_SECONDS", 0.05)
    monkeypatch.setattr(doorbell, "_ring", lambda task: None)
    settings.RUNS_STORE = f"memory://{uuid4()}" if request.param == "memory" else f"file://{tmp_path}/store"
    return settings.RUNS_STORE


@pytest.fixture
def node(settings, tmp_path, script, monkeypatch):
    """Carries out the next run in folders that only this node has."""

    def work(name, *lines, stopping=lambda: False):
        command = script(*lines)
        monkeypatch.setattr(launch, "lab_command", lambda run, meeting: [*command, str(run.folder)])
        settings.RUNS_ROOT = tmp_path / name / "runs"
        with override_settings(SNAPSHOTS_ROOT=tmp_path / name / "snapshots"):
            return execute_next_run(worker=name, clock=lambda: NOON, stopping=stopping)

    return work


@pytest.fixture
def waiting(store, frozen, base, rhea):
    return queue_run(kind="sft", snapshot=frozen["demonstrations"], base=base, created_by=rhea, now=NOON)


def has_saved_twice(run):
    logs = run.folder_of(1) / "metrics.jsonl"
    return logs.exists() and logs.read_text().count("\n") == 2


class TestTwoNodes:
    def test_one_goes_on_where_the_other_left(self, waiting, node):
        node("kitchen", *SAVES, stopping=lambda: has_saved_twice(waiting))

        run = node("cellar", *GOES_ON)

        assert (run.status, run.attempt, run.failure) == (Run.Status.SUCCEEDED, 2, "")
        assert run.events.get(kind="resumed").data["step"] == 1

    def test_one_starts_from_what_the_other_made(self, waiting, node, store, frozen, rhea):
        made = node("kitchen", *GOES_ON[4:]).result
        queue_run(kind="reward", snapshot=frozen["rankings"], base=made, created_by=rhea, now=NOON)

        run = node(
            "cellar",
            "from pathlib import Path",
            "assert (Path(run.spec().base_model) / 'model.safetensors').read_text() == 'weights'",
            "assert run.data_path('demonstrations.parquet').exists()",
            *GOES_ON[4:],
        )

        assert (run.status, run.failure) == (Run.Status.SUCCEEDED, "")
        assert made.location == run.artifact.location.replace(f"/{run.pk}/", f"/{waiting.pk}/")
        storage, root = fsspec.core.url_to_fs(made.location)
        assert storage.exists(f"{root}/model.safetensors")

    def test_one_says_what_a_run_would_take_before_it_has_had_any(
        self, waiting, node, frozen, script, settings, tmp_path, monkeypatch
    ):
        made = node("kitchen", *GOES_ON[4:]).result
        lab = script(
            "from pathlib import Path",
            "assert (Path(run.spec().base_model) / 'model.safetensors').read_text() == 'weights'",
            "assert run.data_path('rankings.parquet').exists()",
            "assert run.data_path('demonstrations.parquet').exists()",
            "print('{\"facts\": {}}')",
        )
        monkeypatch.setattr(rehearsal, "lab_command", lambda directory, *_layout: [*lab, str(directory.path)])

        ask_for_rehearsal(
            kind="reward", snapshot=frozen["rankings"], base=made, reward=None, settings={}, now=NOON
        )
        settings.RUNS_ROOT = tmp_path / "cellar" / "runs"
        with override_settings(SNAPSHOTS_ROOT=tmp_path / "cellar" / "snapshots"):
            row = answer_next("cellar")

        assert (row.told, row.trouble) == ({"facts": {}}, "")

    def test_on_one_machine_what_two_want_at_a_time_is_brought_once(
        self, store, settings, tmp_path, monkeypatch
    ):
        monkeypatch.setattr(shelf, "WAIT_SECONDS", 0.01)
        settings.RUNS_ROOT = tmp_path / "cellar"
        (tmp_path / "made").mkdir()
        (tmp_path / "made" / "model.safetensors").write_text("weights")
        shelf.push(tmp_path / "made", f"{store}/made")
        made = Checkpoint(location=f"{store}/made", digest="m" * 64)
        is_at_it, is_waited_for = Event(), Event()

        def in_no_hurry():
            is_at_it.set()
            assert is_waited_for.wait(20)

        with ThreadPoolExecutor(1) as other:
            first = other.submit(shelf.local_place, made, in_no_hurry)
            assert is_at_it.wait(20)
            second = shelf.local_place(made, is_waited_for.set)

        assert first.result() == second
        assert (Path(second) / "model.safetensors").read_text() == "weights"
