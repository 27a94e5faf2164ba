"""A worker's own sweep, without Celery and without a broker."""

import os
import threading
from datetime import timedelta

import pytest
from django.utils import timezone

from tests.conftest import NOON
from trainer import launch, runner, this_machine
from trainer.actions.nodes import missing_workers, register_node
from trainer.actions.runs import queue_run
from trainer.clocks import database_now
from trainer.models import Node, Run
from trainer.runner import Runner

WORKS = "with run.publish_result() as folder: (folder / 'model.safetensors').write_text('weights')"


@pytest.fixture
def runs(monkeypatch, script, transactional_db, frozen, base, rhea):
    """Three that wait; the lab works at once."""
    command = script("run.log_metrics(step=1, steps=1)", WORKS, "run.mark_done({})")
    monkeypatch.setattr(launch, "lab_command", lambda run, meeting: [*command, str(run.folder)])
    monkeypatch.setattr(launch, "POLL_SECONDS", 0.02)
    return [
        queue_run(
            kind="sft",
            snapshot=frozen["demonstrations"],
            base=base,
            config={"seed": seed},
            created_by=rhea,
            now=timezone.now(),
        )
        for seed in range(3)
    ]


class TestRunner:
    def test_carries_out_all_that_waits_one_at_a_time_and_is_woken_between(self, runs, monkeypatch):
        monkeypatch.setattr(runner, "SWEEP_SECONDS", 60)
        worker = Runner("node")

        worker.start()
        over = threading.Event()
        while not over.wait(0.05):
            if all(run.is_final for run in Run.objects.all()):
                over.set()
        worker.stop()

        assert {run.status for run in Run.objects.all()} == {Run.Status.SUCCEEDED}
        ended = [(run.started_at, run.finished_at) for run in Run.objects.order_by("started_at")]
        assert all(before[1] <= after[0] for before, after in zip(ended, ended[1:], strict=False))
        node = Node.objects.get()
        assert (node.name, node.pid, node.is_alive(timezone.now())) == ("node", os.getpid(), True)

    def test_takes_back_what_another_worker_lost(self, runs, settings):
        long_ago = timezone.now() - timedelta(minutes=5)
        runs[0].claim("dead", now=long_ago, lease=settings.RUN_LEASE)
        settings.RUNS_AT_A_TIME = 0

        Runner("node").sweep()

        runs[0].refresh_from_db()
        assert (runs[0].status, runs[0].attempts.get().ending) == (Run.Status.QUEUED, "lost")


class TestMissingWorkers:
    def test_says_how_many_wait_and_what_to_do(self, sft_run):
        words = missing_workers(now=NOON)

        assert "1 run waits" in words and "celery -A config worker -Q gpu" in words

    def test_is_silent_where_somebody_is_there_and_says_so_when_they_fall_silent(self, db):
        register_node("gpu@kitchen", now=NOON)

        assert missing_workers(now=NOON + timedelta(seconds=59)) == ""
        assert missing_workers(now=NOON + timedelta(seconds=61))

    def test_stands_on_the_list_of_runs(self, client, rhea):
        client.force_login(rhea)

        page = client.get("/admin/trainer/run/").content.decode()

        assert "No worker is there" in page

    def test_nodes_tell_what_they_are(self, client, rhea):
        register_node("gpu@kitchen", now=timezone.now())
        client.force_login(rhea)

        page = client.get("/admin/trainer/node/").content.decode()

        assert "gpu@kitchen" in page and "Alive" in page
        assert client.get(f"/admin/trainer/node/{Node.objects.get().pk}/change/").status_code == 200


class TestThisMachine:
    def test_knows_itself(self, tmp_path):
        assert this_machine.memory() > 1 << 28
        assert this_machine.free_disk(tmp_path / "not" / "there") > 0
        assert "python" in this_machine.versions()
        assert this_machine.place()["host"]

    def test_lists_what_the_driver_lists(self, tmp_path, monkeypatch):
        driver = tmp_path / "nvidia-smi"
        driver.write_text("#!/bin/sh\necho 'NVIDIA H100 80GB HBM3, 81559'\n")
        driver.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

        assert this_machine.devices() == [{"name": "NVIDIA H100 80GB HBM3", "memory": 81559 << 20}]


@pytest.mark.django_db
def test_the_databases_clock_is_about_ours():
    assert abs(database_now() - timezone.now()) < timedelta(seconds=5)
