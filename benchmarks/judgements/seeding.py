"""Rows of a whole campaign, as years of work would leave them: texts, slots, and rankings by many people.

Half of the judged sets went in long runs to a few busy labelers, the other half in turn to all others.
Everything follows from the number of the set, so both databases hold the same.
"""

import json
import random
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from annotation.messages import digest_of
from annotation.models import (
    Assignment,
    Campaign,
    CandidateSet,
    Completion,
    Demonstration,
    Guideline,
    Person,
    Prompt,
    Ranking,
)
from benchmarks.judgements.cast import make_people
from benchmarks.judgements.seeds import CAMPAIGN
from benchmarks.judgements.tables import Table, settle, unchecked
from benchmarks.judgements.words import KINDS, LANGUAGES, SKILLS, Writer

CHUNK = 10_000
BUSY, OTHERS = 25, 2000
"""At a million sets each busy labeler has 20,000 rankings, and each other one 250."""
PROMPTS_PER_DEMONSTRATION = 10
SIZES = (2, 2, 2, 3, 4)
"""How many candidates sets have, in turn."""
START = datetime(2026, 1, 1)


def fill(*, name: str, sets: int, overlap: int, judged: bool) -> None:
    make_people(busy=BUSY, others=OTHERS)
    campaign = Campaign.objects.create(name=CAMPAIGN, overlap=overlap, demonstrations_per_prompt=1)
    guideline = Guideline.objects.create(
        campaign=campaign, version=1, text="Rank what is true and helpful first.", published_at=timezone.now()
    )
    chunks = Chunks(campaign, guideline, sets, judged)
    with unchecked():
        for start in range(0, sets, CHUNK):
            chunks.write(range(start, min(sets, start + CHUNK)))
            if start and start % (10 * CHUNK) == 0:
                print(f"  {start} sets", file=sys.stderr, flush=True)
    settle(
        Prompt, Completion, CandidateSet, CandidateSet.completions.through, Assignment, Ranking, Demonstration
    )


class Chunks:
    """Writes the rows of some sets at a time, in an order that both databases like."""

    def __init__(self, campaign: Campaign, guideline: Guideline, sets: int, judged: bool) -> None:
        self.campaign, self.guideline, self.sets, self.judged = campaign, guideline, sets, judged
        self.writer = Writer(0)
        self.rng = random.Random(0)
        people = dict(Person.objects.values_list("username", "pk"))
        self.busy = [people[f"busy-{number:04d}"] for number in range(BUSY)]
        self.others = [people[f"labeler-{number:04d}"] for number in range(OTHERS)]
        self.zone = "+00" if connection.vendor == "postgresql" else ""
        self.prompts = Table(
            Prompt,
            "id",
            "campaign_id",
            "messages",
            "kind",
            "language",
            "skill",
            "source",
            "digest",
            "created_at",
        )
        self.completions = Table(Completion, "id", "prompt_id", "text", "created_at")
        self.candidate_sets = Table(CandidateSet, "id", "prompt_id", "digest", "created_at")
        self.members = Table(CandidateSet.completions.through, "id", "candidateset_id", "completion_id")
        self.assignments = Table(
            Assignment,
            *("id", "candidate_set_id", "campaign_id", "key", "slot", "language", "skill"),
            *("status", "labeler_id", "shown_order"),
        )
        self.rankings = Table(
            Ranking,
            *("id", "assignment_id", "labeler_id", "guideline_id", "tiers", "unacceptable", "shown_order"),
            *("seconds_spent", "idempotency_key", "submitted_at"),
        )
        self.demonstrations = Table(
            Demonstration,
            *("id", "prompt_id", "labeler_id", "guideline_id", "status", "turns", "revision"),
            *("seconds_spent", "submitted_at", "created_at"),
        )

    def write(self, numbers: range) -> None:
        rows: dict[str, list[Any]] = {
            name: [] for name in ("prompt", "completion", "set", "member", "slot", "ranking")
        }
        for number in numbers:
            self._add(number, rows)
        self.prompts.write(rows["prompt"])
        self.completions.write(rows["completion"])
        self.candidate_sets.write(rows["set"])
        self.members.write(rows["member"])
        self.assignments.write(rows["slot"])
        self.rankings.write(rows["ranking"])
        if self.judged:
            self.demonstrations.write(self._demonstrations(numbers))

    def _add(self, number: int, rows: dict[str, list[Any]]) -> None:
        pk, created = number + 1, self._moment(number)
        language, skill = LANGUAGES[number % len(LANGUAGES)], SKILLS[number // 7 % len(SKILLS)]
        messages = [{"role": "user", "content": self.writer.prompt(number, language)}]
        digest = digest_of(messages)
        kind = KINDS[number % len(KINDS)]
        text = json.dumps(messages)
        source = f"batch-{number // CHUNK:04d}"
        rows["prompt"].append((pk, self.campaign.pk, text, kind, language, skill, source, digest, created))
        texts = [self.writer.answer(language) for _ in range(SIZES[number % len(SIZES)])]
        ids = [self._first_completion(number) + position for position in range(len(texts))]
        for completion_id, answer in zip(ids, texts, strict=True):
            rows["completion"].append((completion_id, pk, answer, created))
            rows["member"].append((completion_id, pk, completion_id))
        rows["set"].append((pk, pk, digest_of([digest, sorted(texts)]), created))
        self._add_slots(number, ids, (language, skill), rows)

    def _add_slots(
        self, number: int, ids: list[int], needs: tuple[str, str], rows: dict[str, list[Any]]
    ) -> None:
        pk = number + 1
        overlap = self.campaign.overlap
        for slot in range(1, overlap + 1):
            assignment_id = number * overlap + slot
            is_judged = self.judged and slot == 1
            labeler = self._labeler(number) if is_judged else None
            shown = json.dumps(self.rng.sample(ids, len(ids))) if is_judged else "[]"
            status = "SUBMITTED" if is_judged else "OPEN"
            key = f"{self.rng.getrandbits(128):032x}"
            rows["slot"].append(
                (assignment_id, pk, self.campaign.pk, key, slot, *needs, status, labeler, shown)
            )
            if is_judged:
                tiers, unacceptable = self._judgement(ids)
                spent, moment = self.rng.uniform(8, 240), self._moment(number, hours=30)
                judgement = (json.dumps(tiers), json.dumps(unacceptable), shown)
                rows["ranking"].append(
                    (pk, assignment_id, labeler, self.guideline.pk, *judgement, spent, f"{pk:032x}", moment)
                )

    def _judgement(self, ids: list[int]) -> tuple[list[list[int]], list[int]]:
        """Mostly a strict order; one in eight has a tie, one in twenty an answer that is not acceptable."""
        order = self.rng.sample(ids, len(ids))
        chance = self.rng.random()
        if chance < 0.05:
            return [[pk] for pk in order[:-1]], order[-1:]
        if chance < 0.175:
            return [order[:2], *([pk] for pk in order[2:])], []
        return [[pk] for pk in order], []

    def _labeler(self, number: int) -> int:
        run = max(1, self.sets // (2 * BUSY))
        busy = number // run
        return self.busy[busy] if busy < BUSY else self.others[number % OTHERS]

    def _demonstrations(self, numbers: range) -> Iterator[tuple[Any, ...]]:
        for number in numbers:
            if number % PROMPTS_PER_DEMONSTRATION == 0:
                pk = number // PROMPTS_PER_DEMONSTRATION + 1
                text = self.writer.answer(LANGUAGES[number % len(LANGUAGES)])
                turns = json.dumps([{"role": "assistant", "content": text}])
                moment = self._moment(number, hours=50)
                labeler = self.others[number // PROMPTS_PER_DEMONSTRATION % OTHERS]
                yield (
                    pk,
                    number + 1,
                    labeler,
                    self.guideline.pk,
                    "SUBMITTED",
                    turns,
                    1,
                    95.5,
                    moment,
                    moment,
                )

    def _first_completion(self, number: int) -> int:
        rounds, position = divmod(number, len(SIZES))
        return rounds * sum(SIZES) + sum(SIZES[:position]) + 1

    def _moment(self, number: int, hours: int = 0) -> str:
        # A million rows are a few months of work.
        return f"{START + timedelta(hours=hours, seconds=8 * number):%Y-%m-%d %H:%M:%S.%f}{self.zone}"
