"""Who joins a run that needs several nodes, and what becomes of it when one goes."""

import math
from datetime import timedelta

import pytest
from django.utils import timezone

from annotation import doorbell
from trainer.actions.execution import claim_next_run
from trainer.actions.members import HostPulse, MemberGone, check_members, join_next_run
from trainer.actions.nodes import missing_workers, register_node
from trainer.actions.runs import queue_run
from trainer.models import Node, Run, RunMember


@pytest.fixture(autouse=True)
def silent(monkeypatch):
    monkeypatch.setattr(doorbell, "_ring", lambda task: None)


@pytest.fixture
def nodes(db):
    return [register_node(name, now=timezone.now()) for name in ("first", "second")]


@pytest.fixture
def queue(frozen, base, rhea):
    def ask(**more):
        return queue_run(
            kind="sft",
            snapshot=frozen["demonstrations"],
            base=base,
            config={"seed": Run.objects.count()},
            created_by=rhea,
            now=timezone.now(),
            **more,
        )

    return ask


class TestWhoHoldsTheRun:
    @pytest.fixture
    def member(self, queue, nodes):
        run = queue(nodes=2)
        run.claim("first", now=timezone.now(), lease=timedelta(seconds=45))
        run.attempts.update(meeting_point="127.0.0.1:1", processes=1)
        return join_next_run(worker="second", now=timezone.now())

    def look(self, after):
        now = timezone.now() + timedelta(seconds=after)
        check_members(RunMember.objects.all(), now=now, grace=timedelta(seconds=15))

    def test_gives_a_helper_time_to_leave_in_order(self, member):
        member.end("preempted", "Told to.", now=timezone.now())

        self.look(after=10)

        with pytest.raises(MemberGone, match="Node second: Told to"):
            self.look(after=20)

    def test_misses_a_helper_that_fell_silent(self, member):
        self.look(after=40)

        with pytest.raises(MemberGone, match="silent") as gone:
            self.look(after=50)
        assert gone.value.ending.failure == "lost"

    def test_needs_no_helper_once_the_result_is_saved(self, member):
        member.end("code_error", "It broke on its way out.", now=timezone.now())
        later = timezone.now() + timedelta(hours=1)
        pulse = HostPulse(member.run, clock=lambda: later, stopping=lambda: False)
        pulse.tried_at = -math.inf

        with pytest.raises(MemberGone, match="on its way out"):
            pulse.watch()

        pulse.directory.path.mkdir(parents=True)
        pulse.directory.mark_done({})
        pulse.tried_at = -math.inf
        pulse.watch()

    def test_does_not_miss_who_is_done(self, member):
        member.end("succeeded", "", now=timezone.now())

        self.look(after=1000)


class TestClaiming:
    def test_waits_until_enough_others_are_free(self, queue, nodes):
        queue(nodes=2)
        now = timezone.now()

        Node.objects.filter(name="second").update(running=1)

        assert claim_next_run(worker="first", now=now) is None
        Node.objects.filter(name="second").update(running=0)
        assert claim_next_run(worker="first", now=now).nodes == 2

    def test_leaves_to_others_what_needs_more_devices_than_are_here(self, queue, nodes, settings):
        large, small = queue(devices=4), queue()

        assert claim_next_run(worker="first", now=timezone.now()) == small
        settings.NODE_DEVICES = 4
        assert claim_next_run(worker="first", now=timezone.now()) == large

    def test_says_loudly_that_a_run_waits_for_more_than_there_is(self, queue, nodes):
        queue(nodes=3)

        assert "3 nodes" in missing_workers(now=timezone.now())

    def test_nobody_joins_twice_or_beyond_the_number(self, queue, nodes):
        run = queue(nodes=2)
        run.claim("first", now=timezone.now(), lease=timedelta(seconds=45))
        run.attempts.update(meeting_point="127.0.0.1:1", processes=1)

        joined = [
            join_next_run(worker=name, now=timezone.now()) for name in ("first", "second", "second", "third")
        ]

        assert [member and member.rank for member in joined] == [None, 1, None, None]
