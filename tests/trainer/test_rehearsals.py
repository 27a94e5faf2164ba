"""Who asks what a run would take waits for no process: a row is the queue, and keeps the answer."""

import json
import threading
from datetime import timedelta

import pytest

from tests.conftest import NOON
from tests.trainer.answering_node import answer_next
from trainer import shelf
from trainer.actions.erasures import delete_rows
from trainer.actions.rehearsals import (
    LEASE,
    ask_for_rehearsal,
    carry_out_rehearsal,
    claim_next_rehearsal,
)
from trainer.actions.retention import collect_garbage
from trainer.clocks import database_now
from trainer.models import Rehearsal
from trainer.runner import Runner

TOLD = {"facts": {}, "rows": 4, "tokens": 10, "needs": [], "available": {}, "peaks": {}, "changes": []}
SAYS = f"print({json.dumps(TOLD)!r})"


@pytest.fixture
def ask(frozen, base):
    def ask(*, at=NOON, nodes=1, devices=0, **settings):
        asked = {"kind": "sft", "snapshot": frozen["demonstrations"], "base": base, "reward": None}
        return ask_for_rehearsal(**asked, settings=settings, nodes=nodes, devices=devices, now=at)

    return ask


class TestAsking:
    def test_for_the_same_finds_the_answer_that_is_there(self, ask, lab_says):
        lab_says(SAYS)
        first = ask(epochs=2)
        answer_next()

        second, other = ask(epochs=2, at=NOON + timedelta(minutes=50)), ask(epochs=3)

        assert second == first != other
        assert (second.told, second.worker, second.answered_at) == (TOLD, "node", NOON)
        assert other.told == {}

    def test_for_other_numbers_of_devices_or_nodes_is_another_question(self, ask):
        asked = {ask(), ask(devices=2), ask(nodes=2), ask(nodes=2, devices=2)}

        assert len(asked) == 4
        assert ask(nodes=2, devices=2) in asked

    def test_again_after_an_hour_asks_a_node_again(self, ask, lab_says):
        lab_says(SAYS)
        ask()
        answer_next()

        later = ask(at=NOON + Rehearsal.KEPT)

        assert (later.told, later.answered_at) == ({}, None)
        assert later.is_waited_for(NOON + Rehearsal.KEPT)

    def test_is_given_up_after_a_while_by_page_and_nodes(self, ask):
        late = NOON + Rehearsal.PATIENCE
        row = ask()

        assert not row.is_waited_for(late)
        assert claim_next_rehearsal(worker="node", now=late) is None


class TestANode:
    def test_alone_has_the_question(self, ask):
        row = ask()

        assert claim_next_rehearsal(worker="node", now=NOON) == row
        assert claim_next_rehearsal(worker="other", now=NOON) is None

    def test_takes_only_what_it_has_enough_devices_for(self, ask, settings):
        for_four, for_all = ask(devices=4), ask(at=NOON + timedelta(seconds=1))

        settings.NODE_DEVICES = 2
        assert claim_next_rehearsal(worker="small", now=NOON) == for_all
        assert claim_next_rehearsal(worker="small", now=NOON) is None

        settings.NODE_DEVICES = 4
        assert claim_next_rehearsal(worker="large", now=NOON) == for_four

    def test_that_fell_silent_is_followed_by_another_and_writes_nothing_more(self, ask):
        ask()
        silent = claim_next_rehearsal(worker="silent", now=NOON)
        later = NOON + LEASE
        ask(at=later)  # somebody still wants to know

        follower = claim_next_rehearsal(worker="other", now=later)

        assert follower.worker == "other"
        assert not silent.answer(now=later, trouble="nonsense")
        assert follower.answer(now=later, told=TOLD)
        assert Rehearsal.objects.get().trouble == ""

    def test_that_has_to_leave_gives_the_question_back_and_ends_the_lab(self, ask, lab_says, tmp_path):
        begun = tmp_path / "begun"
        lab_says("import time", f"open({str(begun)!r}, 'w')", "time.sleep(60)")
        ask()

        answer_next(stopping=begun.exists)

        assert claim_next_rehearsal(worker="other", now=NOON)

    def test_keeps_the_question_while_it_brings_what_the_run_reads(self, ask, lab_says, monkeypatch):
        lab_says(SAYS)
        row, late = ask(), NOON + Rehearsal.PATIENCE
        seen = []

        def bring(snapshot, watch):
            watch()
            row.refresh_from_db()
            seen.append((row.lease_expires_at, row.is_waited_for(late)))
            assert claim_next_rehearsal(worker="other", now=late) is None

        monkeypatch.setattr(shelf, "fetch_snapshot", bring)
        claimed = claim_next_rehearsal(worker="node", now=NOON)
        carry_out_rehearsal(claimed, runs_beside=0, clock=lambda: late, stopping=lambda: False)

        assert seen == [(late + LEASE, True)]
        assert claimed.told == TOLD

    def test_answers_beside_a_run_as_soon_as_it_looks_at_the_queue(self, ask, lab_says, transactional_db):
        lab_says(SAYS)
        worker = Runner("node")
        row = ask(at=database_now())

        worker.sweep()
        worker.rehearser.join()

        row.refresh_from_db()
        assert (row.told, row.worker, row.runs_beside) == (TOLD, "node", 0)
        assert not any(thread.name.startswith("rehearsal") for thread in threading.enumerate())


class TestAnswers:
    def test_are_gone_after_a_day_and_with_the_rows_they_may_quote(self, ask, frozen, settings, tmp_path):
        settings.RUNS_ROOT = tmp_path
        ask()
        collect_garbage(now=NOON + timedelta(days=2))
        assert not Rehearsal.objects.exists()
        ask()

        delete_rows(frozen["demonstrations"])

        assert not Rehearsal.objects.exists()
