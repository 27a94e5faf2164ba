"""Two nodes for one run: two workers with run directories of their own, and a port where their labs meet."""

import os
import signal
import subprocess
import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from annotation import doorbell
from tests.tiny_model import make_tiny_model
from trainer import launch, pulse
from trainer.actions.checkpoints import register_base_model
from trainer.actions.execution import execute_next_run
from trainer.actions.helping import help_out
from trainer.actions.members import join_next_run
from trainer.actions.nodes import register_node
from trainer.actions.runs import queue_run
from trainer.handoff.rundir import digest_of
from trainer.models import Run, RunMember

QUICK = {"epochs": 4, "batch_size": 4, "lora_rank": 0, "dtype": "float32", "checkpoint_every": 1}


@pytest.fixture(autouse=True)
def quick(monkeypatch, settings):
    settings.NODE_ADDRESS = "127.0.0.1"
    monkeypatch.setattr(launch, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(pulse, "BEAT_SECONDS", 0.1)
    monkeypatch.setattr(doorbell, "_ring", lambda task: None)


@pytest.fixture
def tiny(db, tmp_path):
    folder = make_tiny_model(tmp_path / "model", ["How do I make soup? For two. One pot is enough."] * 20)
    return register_base_model(str(folder), now=timezone.now())


@pytest.fixture
def nodes(db):
    return [register_node(name, now=timezone.now()) for name in ("first", "second")]


@pytest.fixture
def queue(frozen, tiny, rhea):
    def ask(**more):
        return queue_run(
            kind="sft",
            snapshot=frozen["demonstrations"],
            base=tiny,
            config={**QUICK, "seed": Run.objects.count()} | more.pop("config", {}),
            created_by=rhea,
            now=timezone.now(),
            **more,
        )

    return ask


class Helper(threading.Thread):
    """The second node: joins who waits for it, and takes part."""

    def __init__(self, stopping=lambda member: False):
        super().__init__()
        self.stopping = stopping
        self.member = None

    def run(self):
        until = timezone.now() + timedelta(seconds=60)
        while self.member is None and timezone.now() < until:
            self.member = join_next_run(worker="second", now=timezone.now())
        if self.member:
            help_out(self.member, clock=timezone.now, stopping=lambda: self.stopping(self.member))
        connection.close()


def work(helper=None):
    """The first node carries out what is next; the second one may help."""
    if helper:
        helper.start()
    run = execute_next_run(worker="first", clock=timezone.now, stopping=lambda: False)
    if helper:
        helper.join()
    return run


def has_learned_something(member):
    """In this attempt: it takes over the lines of the one before."""
    lines = member.run.metrics.filter(attempt=member.attempt)
    return lines.count() > member.run.metrics.filter(attempt=member.attempt - 1).count()


def kill_its_lab(member):
    """Once it has learned something."""
    if has_learned_something(member):
        for pid in labs_of(member):
            os.kill(pid, signal.SIGKILL)
    return False


def labs_of(member):
    """The processes that work in the member's folder."""
    told = subprocess.run(["pgrep", "-f", f"trainer.rlhf {member.folder}$"], capture_output=True, text=True)
    return [int(pid) for pid in told.stdout.split()]


@pytest.mark.django_db(transaction=True)
class TestTwoNodes:
    def test_make_what_two_processes_of_one_node_make(self, queue, nodes, settings):
        alone, together = queue(devices=2, config={"seed": 7}), queue(nodes=2, config={"seed": 7})

        settings.NODE_DEVICES = 2
        work()
        settings.NODE_DEVICES = 1
        work(Helper())

        alone.refresh_from_db()
        together.refresh_from_db()
        assert (alone.status, together.status) == ("SUCCEEDED", "SUCCEEDED"), (
            alone.failure,
            together.failure,
        )
        weights = [digest_of(run.folder / "result" / "model.safetensors") for run in (alone, together)]
        assert weights[0] == weights[1]
        assert RunMember.objects.get().ending == "succeeded"

    def test_go_on_from_what_they_saved_when_the_helper_is_killed_or_has_to_leave(self, queue, nodes):
        run = queue(nodes=2, config={"epochs": 15})

        work(Helper(kill_its_lab))
        work_again = run.attempts.get()
        Run.objects.update(not_before=None)
        work(Helper(has_learned_something))
        work(Helper())

        run.refresh_from_db()
        assert work_again.reason.startswith("Node second: ")
        assert run.status == "SUCCEEDED", run.failure
        assert list(run.attempts.order_by("number").values_list("ending", flat=True)) == [
            "lost", "preempted", "succeeded"
        ]  # fmt: skip
        assert [event.data["attempt"] for event in run.events.filter(kind="resumed")] == [2, 3]
        assert list(RunMember.objects.order_by("attempt").values_list("ending", flat=True)) == [
            "lost", "preempted", "succeeded"
        ]  # fmt: skip

    def test_do_not_wait_for_a_helper_that_left_before_it_began(self, queue, nodes, settings):
        settings.RUN_GRACE = timedelta(seconds=0.5)
        run = queue(nodes=2)

        work(Helper(lambda member: RunMember.objects.get().ready_at is not None))

        run.refresh_from_db()
        assert (run.status, run.attempts.get().ending, run.lost_attempts) == ("QUEUED", "preempted", 0)

    def test_let_others_go_first_where_nobody_comes(self, queue, nodes, settings):
        settings.NODES_MEET_WITHIN = timedelta(seconds=0.2)
        run = queue(nodes=2)

        work()

        run.refresh_from_db()
        assert (run.status, run.attempts.get().ending) == ("QUEUED", "preempted")
        assert run.not_before is not None
