"""Slots against a model of them in plain Python, step by step, whatever people do in whatever order.

``RANKWRIGHT_SLOT_STEPS=20000 python -m pytest tests/annotation/test_slots.py`` takes that many steps.
"""

import os
import random
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis.extra.django import TestCase
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from hypothesis.strategies import booleans, integers, sampled_from

from annotation.actions.assignments import (
    claim_assignments,
    extend_assignment,
    return_overdue_assignments,
    skip_assignment,
)
from annotation.actions.candidates import add_candidate_set
from annotation.actions.prompts import add_prompt
from annotation.actions.rankings import correct_ranking, submit_ranking
from annotation.errors import AlreadySubmitted, IdempotencyConflict, LeaseLost
from annotation.models import Assignment, Campaign, LapsedLease, Person, Ranking
from tests.conftest import NOON

STEPS = int(os.environ.get("RANKWRIGHT_SLOT_STEPS", 1000))
STEPS_AT_ONCE = 50

LEASE = timedelta(minutes=10)
QUESTIONS = ["Soup?", "Rice?", "Tea?", "Bread?"]
PEOPLE = ["ada", "ben", "chen"]
OVERLAP = 2

people = sampled_from(PEOPLE)
places = integers(0, len(QUESTIONS) * OVERLAP - 1)


@dataclass
class PlainSlot:
    """What a slot should be."""

    of_set: int
    holder: str | None = None
    until: object = None
    is_done: bool = False
    had: set[str] = field(default_factory=set)
    """Whose lease ran out."""


class Slots(RuleBasedStateMachine):
    """Three labelers at four candidate sets with two slots each."""

    def __init__(self):
        super().__init__()
        # Every walk begins with empty tables.
        self.everything = transaction.atomic()
        self.everything.__enter__()

    def teardown(self):
        transaction.set_rollback(True)
        self.everything.__exit__(None, None, None)

    @initialize(urgent=integers(0, 3))
    def begin(self, urgent):
        self.now = NOON
        self.rng = random.Random(0)
        self.people = {name: Person.objects.create_user(name) for name in PEOPLE}
        self.campaign = Campaign.objects.create(name="Kitchen", overlap=OVERLAP, lease_minutes=10)
        self.slots: dict[int, PlainSlot] = {}
        self.skipped: set[tuple[str, int]] = set()
        self.ranked: dict[tuple[str, int], int] = {}
        """By who and what: how often."""
        self.surplus: set[tuple[str, int]] = set()
        self.sent: dict[UUID, tuple[str, int, bool]] = {}
        for place, question in enumerate(QUESTIONS):
            messages = [{"role": "user", "content": question}]
            prompt, _ = add_prompt(campaign=self.campaign, messages=messages)
            candidates = add_candidate_set(prompt=prompt, texts=["Yes.", "No."], priority=place == urgent)
            for slot in candidates.assignments.order_by("pk"):
                self.slots[slot.pk] = PlainSlot(candidates.pk)
        by_priority = Assignment.objects.order_by("-priority", "pk").values_list("pk", flat=True)
        self.order = list(by_priority)

    # What the model says

    def may_have(self, who, slot):
        """Whether ``who`` may be handed this open slot."""
        holds = any(other.holder == who and other.of_set == slot.of_set for other in self.slots.values())
        has_ranked = (who, slot.of_set) in self.ranked
        return not (holds or has_ranked or (who, slot.of_set) in self.skipped)

    def next_for(self, who):
        is_open = [pk for pk in self.order if self.slots[pk].holder is None]
        return next((pk for pk in is_open if self.may_have(who, self.slots[pk])), None)

    def let_lapse(self):
        for slot in self.slots.values():
            if slot.holder and not slot.is_done and slot.until <= self.now:
                slot.had.add(slot.holder)
                slot.holder = slot.until = None

    def held(self, who):
        return [pk for pk, slot in self.slots.items() if slot.holder == who and not slot.is_done]

    # What people do

    @rule(who=people, count=integers(1, 3), knows=booleans())
    def claim(self, who, count, knows):
        held = sorted(self.held(who))
        holding = Assignment.objects.filter(pk__in=held if knows else []).values_list("key", flat=True)

        claimed = claim_assignments(
            campaign=self.campaign,
            labeler=self.people[who],
            count=count,
            holding=list(holding),
            now=self.now,
            rng=self.rng,
        )

        expected = [] if knows else held[:count]
        for pk in expected:
            self.slots[pk].until = self.now + LEASE
        while len(expected) < count:
            pk = self.next_for(who)
            if pk is None:
                if not any(s.holder and not s.is_done and s.until <= self.now for s in self.slots.values()):
                    break
                self.let_lapse()
                continue
            self.slots[pk].holder, self.slots[pk].until = who, self.now + LEASE
            expected.append(pk)
        assert [assignment.pk for assignment in claimed] == expected

    @rule(who=people, place=places)
    def extend(self, who, place):
        pk = self.order[place]
        slot = self.slots[pk]
        act = lambda: extend_assignment(  # noqa: E731
            assignment=Assignment.objects.get(pk=pk), labeler=self.people[who], now=self.now
        )

        if slot.holder == who and not slot.is_done:
            act()
            slot.until = self.now + LEASE
        else:
            with pytest.raises(LeaseLost):
                act()

    @rule(who=people, place=places)
    def skip(self, who, place):
        pk = self.order[place]
        slot = self.slots[pk]
        act = lambda: skip_assignment(  # noqa: E731
            assignment=Assignment.objects.get(pk=pk), labeler=self.people[who], reason="tired", now=self.now
        )

        if slot.holder == who and not slot.is_done:
            act()
            slot.holder = slot.until = None
            self.skipped.add((who, slot.of_set))
        else:
            with pytest.raises(LeaseLost):
                act()

    @rule(who=people, place=places, is_reversed=booleans())
    def submit(self, who, place, is_reversed):
        pk = self.order[place]
        slot, key = self.slots[pk], UUID(int=self.rng.getrandbits(128))
        takes = self.takes(who, pk)

        if takes is None:
            is_done = (who, slot.of_set) in self.ranked
            with pytest.raises(AlreadySubmitted if is_done else LeaseLost):
                self.send(submit_ranking, who, pk, key, is_reversed)
            return
        _ranking, is_new = self.send(submit_ranking, who, pk, key, is_reversed)
        assert is_new
        self.ranked[who, slot.of_set] = 1
        self.sent[key] = (who, pk, is_reversed)
        if takes == "surplus":
            self.surplus.add((who, slot.of_set))
        else:
            self.slots[takes].holder, self.slots[takes].until, self.slots[takes].is_done = who, None, True

    def takes(self, who, pk):
        """The slot that a submission counts for, "surplus", or None where it is refused."""
        slot = self.slots[pk]
        if (who, slot.of_set) in self.ranked:
            return None
        if slot.holder == who:
            return pk
        if who not in slot.had:
            return None
        others = [other for other in self.held(who) if self.slots[other].of_set == slot.of_set]
        if others:
            return others[0]
        return pk if slot.holder is None else "surplus"

    @rule(which=integers(0, 99), changes=booleans())
    def send_again(self, which, changes):
        if not self.sent:
            return
        key, (who, pk, is_reversed) = list(self.sent.items())[which % len(self.sent)]

        if changes:
            with pytest.raises(IdempotencyConflict):
                self.send(submit_ranking, who, pk, key, not is_reversed)
        else:
            assert not self.send(submit_ranking, who, pk, key, is_reversed)[1]

    @rule(who=people, place=places, is_reversed=booleans())
    def revise(self, who, place, is_reversed):
        pk = self.order[place]
        slot, key = self.slots[pk], UUID(int=self.rng.getrandbits(128))

        if (who, slot.of_set) in self.ranked:
            ranking, is_new = self.send(correct_ranking, who, pk, key, is_reversed)
            self.ranked[who, slot.of_set] += 1
            assert (is_new, ranking.revision) == (True, self.ranked[who, slot.of_set])
        else:
            with pytest.raises(LeaseLost):
                self.send(correct_ranking, who, pk, key, is_reversed)

    def send(self, action, who, pk, key, is_reversed):
        assignment = Assignment.objects.in_full().get(pk=pk)
        ids = sorted(assignment.candidate_set.completions.values_list("pk", flat=True), reverse=is_reversed)
        return action(
            assignment=assignment,
            labeler=self.people[who],
            tiers=[[pk] for pk in ids],
            unacceptable=[],
            cannot_judge="",
            seconds_spent=1,
            idempotency_key=key,
            now=self.now,
        )

    @rule(minutes=integers(1, 15))
    def time_passes(self, minutes):
        self.now += timedelta(minutes=minutes)

    @rule()
    def the_beat_sweeps(self):
        expected = sum(bool(s.holder and not s.is_done and s.until <= self.now) for s in self.slots.values())

        assert return_overdue_assignments(now=self.now) == expected
        self.let_lapse()

    # What is true after each step

    @invariant()
    def every_slot_is_what_the_model_says(self):
        rows = Assignment.objects.filter(purpose="overlap").values_list(
            "pk", "status", "labeler__username", "lease_expires_at"
        )
        told = {pk: (s.holder, s.until, s.is_done) for pk, s in self.slots.items()}
        assert {pk: (who, until, status == "SUBMITTED") for pk, status, who, until in rows} == told

    @invariant()
    def nothing_is_ranked_beyond_the_overlap(self):
        counted = Ranking.objects.counted().current().values_list("assignment__candidate_set", flat=True)
        sets = list(counted)
        assert all(sets.count(each) <= OVERLAP for each in sets)

    @invariant()
    def every_judgement_is_kept(self):
        rows = Ranking.objects.values_list("labeler__username", "assignment__candidate_set", "revision")
        assert sorted(rows) == sorted(
            (*told, revision) for told, times in self.ranked.items() for revision in range(1, times + 1)
        )
        surplus = Assignment.objects.filter(purpose="surplus").values_list(
            "labeler__username", "candidate_set"
        )
        assert set(surplus) == self.surplus

    @invariant()
    def every_lapsed_lease_is_remembered(self):
        rows = LapsedLease.objects.values_list("assignment", "labeler__username")
        assert set(rows) == {(pk, who) for pk, slot in self.slots.items() for who in slot.had}


class TestSlots(Slots.TestCase, TestCase):
    settings = settings(
        max_examples=max(1, STEPS // STEPS_AT_ONCE),
        stateful_step_count=STEPS_AT_ONCE,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
