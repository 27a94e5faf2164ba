"""One batch of an import: what the database knows of it, what is new, and the writing of that in bulk."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from annotation.actions.candidates import new_slots
from annotation.actions.checking import CheckedPrompt
from annotation.actions.labelers import person_without_password
from annotation.errors import IdempotencyConflict
from annotation.formats.items import ImportedRanking
from annotation.models import (
    Assignment,
    Campaign,
    CandidateSet,
    Completion,
    Demonstration,
    Person,
    PracticeItem,
    Prompt,
    Ranking,
)

Count = Callable[[str, bool], None]
Judgement = tuple[list[list[str]], list[str], str]
"""A ranking by the texts that it orders."""


@dataclass
class Candidates:
    """A candidate set, stored or about to be, with who has judged it how."""

    row: CandidateSet
    completions: dict[str, Completion]
    slots: list[Assignment]
    judgements: dict[str, Judgement] = field(default_factory=dict)
    is_practice: bool = False
    """What people say of it counts for nothing, whoever says it."""


class Landing:
    """Takes prompts one by one, remembers what is new, and writes all of it at once."""

    def __init__(self, campaign: Campaign, items: list[CheckedPrompt], now: datetime) -> None:
        self._campaign, self._now = campaign, now
        self._prompts = _known_prompts(campaign, items)
        self._sets = _known_sets(campaign, items)
        self._turns = _known_demonstrations(campaign, items)
        self._new_prompts: list[Prompt] = []
        self._new_sets: list[Candidates] = []
        self._new_slots: list[Assignment] = []
        self._new_rankings: list[tuple[Candidates, str, ImportedRanking, list[str]]] = []
        self._new_demonstrations: list[tuple[Prompt, str, list[dict[str, str]]]] = []

    def add(self, item: CheckedPrompt, count: Count) -> None:
        """Take it in whole, or not at all.

        :raises IdempotencyConflict: the same person judged or wrote otherwise in what was imported before.
        """
        judgements = _judgements(item)
        self._refuse_contradictions(item, judgements)
        prompt, is_new = self._prompt(item)
        count("prompts", is_new)
        if item.completions:
            candidates, is_new = self._candidates(prompt, item)
            count("candidate sets", is_new)
            for account, ranking in item.rankings:
                is_new = account not in candidates.judgements and not candidates.is_practice
                count("rankings", is_new)
                if is_new:
                    candidates.judgements[account] = judgements[account]
                    self._new_rankings.append((candidates, account, ranking, item.completions))
        for account, turns in item.demonstrations:
            is_new = (item.digest, account) not in self._turns
            count("demonstrations", is_new)
            if is_new:
                self._turns[item.digest, account] = turns
                self._new_demonstrations.append((prompt, account, turns))

    def write(self) -> None:
        people = self._people()
        Prompt.objects.bulk_create(self._new_prompts)
        self._write_sets()
        rankings = [self._ranking(*new, people) for new in self._new_rankings]
        for candidates in self._new_sets:
            if candidates.row.prompt.status == Prompt.Status.READY:
                taken = {assignment.slot for assignment in candidates.slots}
                wanted = (slot for slot in range(1, self._campaign.overlap + 1) if slot not in taken)
                self._new_slots += new_slots(candidates.row, wanted)
        Assignment.objects.bulk_create(self._new_slots)
        Ranking.objects.bulk_create(rankings)
        Demonstration.objects.bulk_create(
            Demonstration(
                prompt=prompt,
                labeler=people[account],
                turns=turns,
                status=Demonstration.Status.SUBMITTED,
                submitted_at=self._now,
            )
            for prompt, account, turns in self._new_demonstrations
        )

    def _refuse_contradictions(self, item: CheckedPrompt, judgements: dict[str, Judgement]) -> None:
        if len(judgements) < len(item.rankings):
            raise IdempotencyConflict(_("One person ranks the same answers twice."))
        candidates = self._sets.get(item.set_digest)
        stored = candidates.judgements if candidates else {}
        if any(stored.get(account, wanted) != wanted for account, wanted in judgements.items()):
            raise IdempotencyConflict(_("The same answers were already imported in another order."))
        if any(self._turns.get((item.digest, who), turns) != turns for who, turns in item.demonstrations):
            raise IdempotencyConflict(_("Another answer of the same author was already imported."))

    def _prompt(self, item: CheckedPrompt) -> tuple[Prompt, bool]:
        if known := self._prompts.get(item.digest):
            return known, False
        prompt = Prompt(
            campaign=self._campaign,
            messages=item.messages,
            status=Prompt.Status.HELD if item.findings else Prompt.Status.READY,
            findings=item.findings,
            kind=item.kind,
            language=item.language,
            skill=item.skill,
            source=item.source,
            digest=item.digest,
        )
        self._prompts[item.digest] = prompt
        self._new_prompts.append(prompt)
        return prompt, True

    def _candidates(self, prompt: Prompt, item: CheckedPrompt) -> tuple[Candidates, bool]:
        if known := self._sets.get(item.set_digest):
            return known, False
        candidates = Candidates(
            row=CandidateSet(prompt=prompt, digest=item.set_digest),
            completions={text: Completion(prompt=prompt, text=text) for text in item.completions},
            slots=[],
        )
        self._sets[item.set_digest] = candidates
        self._new_sets.append(candidates)
        return candidates, True

    def _people(self) -> dict[str, Person]:
        judges = {account for _set, account, *_more in self._new_rankings}
        names = sorted(judges | {account for _prompt, account, _turns in self._new_demonstrations})
        known = {person.username: person for person in Person.objects.filter(username__in=names)}
        return {name: known.get(name) or person_without_password(name) for name in names}

    def _write_sets(self) -> None:
        sets = [candidates.row for candidates in self._new_sets]
        completions = [one for candidates in self._new_sets for one in candidates.completions.values()]
        CandidateSet.objects.bulk_create(sets)
        Completion.objects.bulk_create(completions)
        members, authors = CandidateSet.completions.through, CandidateSet.authors.through
        members.objects.bulk_create(
            members(candidateset=candidates.row, completion=completion)
            for candidates in self._new_sets
            for completion in candidates.completions.values()
        )
        authors.objects.bulk_create(
            authors(candidateset=row, person_id=row.prompt.author_id) for row in sets if row.prompt.author_id
        )

    def _ranking(
        self,
        candidates: Candidates,
        account: str,
        imported: ImportedRanking,
        texts: list[str],
        people: dict[str, Person],
    ) -> Ranking:
        ids = [candidates.completions[text].pk for text in texts]
        shown = [ids[position] for position in imported.shown_order] or ids
        when = imported.submitted_at
        return Ranking(
            assignment=self._slot(candidates, people[account], shown),
            labeler=people[account],
            tiers=[[ids[position] for position in tier] for tier in imported.tiers],
            unacceptable=[ids[position] for position in imported.unacceptable],
            cannot_judge=imported.cannot_judge.strip()[:500],
            strength=imported.strength,
            ratings={str(ids[position]): by_axis for position, by_axis in imported.ratings.items()},
            flags={str(ids[position]): flags for position, flags in imported.flags.items()},
            spans={str(ids[position]): spans for position, spans in imported.spans.items()},
            rationale=imported.rationale,
            edited={"id": ids[imported.edited[0]], "text": imported.edited[1]} if imported.edited else None,
            shown_order=shown,
            seconds_spent=imported.seconds_spent,
            idempotency_key=uuid5(NAMESPACE_URL, f"rankwright:{candidates.row.pk}"),
            submitted_at=self._now if when is None else datetime.fromtimestamp(when, UTC),
        )

    def _slot(self, candidates: Candidates, person: Person, shown: list[int]) -> Assignment:
        """The assignment that a file's judgement takes: one that nobody holds, else one more."""
        held: dict[str, Any] = {"status": "SUBMITTED", "labeler": person, "shown_order": shown}
        for slot in candidates.slots:
            if slot.status == Assignment.Status.OPEN and _take(slot, held):
                return slot
        last = max((slot.slot or 0 for slot in candidates.slots), default=0)
        [slot] = new_slots(candidates.row, [last + 1])
        for name, value in held.items():
            setattr(slot, name, value)
        candidates.slots.append(slot)
        self._new_slots.append(slot)
        return slot


def _take(slot: Assignment, held: dict[str, Any]) -> bool:
    moved = Assignment.objects.open().filter(pk=slot.pk).update(**held)
    # Whoever won it, it is no longer open.
    slot.status = Assignment.Status.SUBMITTED
    return moved == 1


def _judgements(item: CheckedPrompt) -> dict[str, Judgement]:
    return {
        account: _by_text(
            [[item.completions[position] for position in tier] for tier in ranking.tiers],
            [item.completions[position] for position in ranking.unacceptable],
            ranking.cannot_judge.strip()[:500],
        )
        for account, ranking in item.rankings
    }


def _by_text(tiers: list[list[str]], unacceptable: list[str], cannot_judge: str) -> Judgement:
    return [sorted(tier) for tier in tiers], sorted(unacceptable), cannot_judge


def _known_prompts(campaign: Campaign, items: list[CheckedPrompt]) -> dict[str, Prompt]:
    known = Prompt.objects.filter(campaign=campaign, digest__in={item.digest for item in items})
    return {prompt.digest: prompt for prompt in known.defer("messages", "findings")}


def _known_sets(campaign: Campaign, items: list[CheckedPrompt]) -> dict[str, Candidates]:
    digests = {item.set_digest for item in items} - {""}
    rows = (
        CandidateSet.objects.filter(prompt__campaign=campaign, digest__in=digests)
        .annotate(is_practice=Exists(PracticeItem.objects.filter(candidate_set=OuterRef("pk"))))
        .select_related("prompt__campaign")
        .prefetch_related("completions", "assignments")
    )
    known: dict[str, Candidates] = {}
    for row in rows.order_by("pk"):
        slots = sorted((one for one in row.assignments.all() if one.slot), key=lambda one: one.slot or 0)
        candidates = Candidates(row, {one.text: one for one in row.completions.all()}, slots)
        candidates.is_practice = row.is_practice
        known.setdefault(row.digest, candidates)
    _remember_judgements(known, {account for item in items for account, _ranking in item.rankings})
    return known


def _remember_judgements(known: dict[str, Candidates], accounts: set[str]) -> None:
    by_set = {candidates.row.pk: candidates for candidates in known.values()}
    rankings = Ranking.objects.filter(assignment__candidate_set__in=by_set, labeler__username__in=accounts)
    for ranking in rankings.select_related("assignment", "labeler").order_by("revision"):
        candidates = by_set[ranking.assignment.candidate_set_id]
        texts = {completion.pk: text for text, completion in candidates.completions.items()}
        candidates.judgements[ranking.labeler.username] = _by_text(
            [[texts[pk] for pk in tier] for tier in ranking.tiers],
            [texts[pk] for pk in ranking.unacceptable],
            ranking.cannot_judge,
        )


def _known_demonstrations(
    campaign: Campaign, items: list[CheckedPrompt]
) -> dict[tuple[str, str], list[dict[str, str]]]:
    accounts = {account for item in items for account, _turns in item.demonstrations}
    if not accounts:
        return {}
    known = Demonstration.objects.filter(
        prompt__campaign=campaign,
        prompt__digest__in={item.digest for item in items},
        labeler__username__in=accounts,
    )
    rows = known.values_list("prompt__digest", "labeler__username", "turns")
    return {(digest, username): turns for digest, username, turns in rows}
