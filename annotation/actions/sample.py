"""The sample campaign, written for Rankwright. Its files are described in ``annotation/sample/README.md``."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction

from annotation.actions.campaigns import publish_guideline
from annotation.actions.candidates import add_candidate_set
from annotation.actions.labelers import person_without_password
from annotation.actions.practice import mark_practice
from annotation.actions.prompts import add_prompt
from annotation.messages import check_turns
from annotation.models import Campaign, Demonstration, Prompt

SAMPLE = Path(__file__).resolve().parent.parent / "sample"
CHAT = {"offers_chat": True, "chat_allows_guests": True, "chat_compares_percent": 20}


@transaction.atomic
def load_sample_campaign(*, now: datetime, name: str = "", prompts_only: bool = False) -> Campaign:
    """The sample campaign under ``name``; the one that is there already if there is one.

    ``prompts_only`` leaves out the demonstrations, candidates and practice items that come with the prompts.
    """
    about = json.loads((SAMPLE / "campaign.json").read_text(encoding="utf-8"))
    campaign, is_new = Campaign.objects.get_or_create(
        name=name or about["name"], defaults={**CHAT, "description": about["description"]}
    )
    if not is_new:
        return campaign
    publish_guideline(campaign=campaign, text=about["guideline"], now=now)
    prompts = {row["id"]: _add(campaign, row) for row in _rows("prompts.jsonl")}
    if not prompts_only:
        _add_demonstrations(prompts, now)
        _add_candidate_sets(prompts)
        _add_practice(prompts, now)
    return campaign


def sample_answers() -> dict[str, str]:
    """A short answer for each prompt of the sample campaign, by the prompt's source."""
    return {row["id"]: row["answer"] for row in _rows("prompts.jsonl")}


def _add(campaign: Campaign, row: dict[str, Any]) -> Prompt:
    prompt, _is_new = add_prompt(
        campaign=campaign,
        messages=row["messages"],
        kind=row["kind"],
        language=row["language"],
        source=row["id"],
    )
    return prompt


def _add_demonstrations(prompts: dict[str, Prompt], now: datetime) -> None:
    author = person_without_password("sample-author")
    for row in _rows("demonstrations.jsonl"):
        Demonstration.objects.create(
            prompt=prompts[row["prompt"]],
            labeler=author,
            turns=check_turns(row["turns"]),
            status=Demonstration.Status.ACCEPTED,
            submitted_at=now,
        )


def _add_candidate_sets(prompts: dict[str, Prompt]) -> None:
    for row in _rows("candidates.jsonl"):
        if "prompt" in row:  # the first line tells how the candidates were sampled
            add_candidate_set(prompt=prompts[row["prompt"]], texts=row["completions"])


def _add_practice(prompts: dict[str, Prompt], now: datetime) -> None:
    for place, row in enumerate(_rows("practice.jsonl"), start=1):
        candidate_set = add_candidate_set(prompt=prompts[row["prompt"]], texts=row["completions"])
        ids = list(candidate_set.completions.order_by("pk").values_list("pk", flat=True))
        mark_practice(
            candidate_set=candidate_set,
            tiers=[[ids[position] for position in tier] for tier in row["tiers"]],
            unacceptable=[ids[position] for position in row["unacceptable"]],
            explanation=row["explanation"],
            place=place,
            now=now,
        )


def _rows(name: str) -> Iterator[dict[str, Any]]:
    with (SAMPLE / name).open(encoding="utf-8") as file:
        yield from (json.loads(line) for line in file)
