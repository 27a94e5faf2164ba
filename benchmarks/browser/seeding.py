"""What is ranked in the browser: ``python -m benchmarks.browser.seeding SETS`` in its place's environment.

Prints, as JSON, the number of the campaign that is worked through, the numbers of those with one pathological
answer each, and the session of the labeler.
"""

import json
import random
import sys
from typing import Any

import django

K = 4


def main() -> None:
    django.setup()
    print(json.dumps(fill(int(sys.argv[1]))))


def fill(sets: int) -> dict[str, object]:
    from annotation.models import Person
    from benchmarks.browser.answers import answer, paragraph
    from benchmarks.browser.pathological import TEXTS
    from benchmarks.judgements.cast import sessions

    rng = random.Random(0)
    bread = new_campaign("Bread")
    for number in range(sets):
        ask(bread, f"Question {number}: {paragraph(rng)}", [answer(rng) for _ in range(K)])
    pathological = {name: new_campaign(name) for name in TEXTS}
    for name, campaign in pathological.items():
        ask(campaign, name, [TEXTS[name](), "Short."])
    Person.objects.create_user("ada", preferences={"tour_seen": True})
    return {
        "campaign": bread.pk,
        "pathological": {name: campaign.pk for name, campaign in pathological.items()},
        "session": sessions(names=["ada"])["ada"],
    }


def new_campaign(name: str) -> Any:
    from django.utils import timezone

    from annotation.actions.campaigns import publish_guideline
    from annotation.models import Campaign

    campaign = Campaign.objects.create(name=name, overlap=1)
    publish_guideline(campaign=campaign, text="The most helpful one first.", now=timezone.now())
    return campaign


def ask(campaign: Any, question: str, answers: list[str]) -> None:
    from annotation.actions.candidates import add_candidate_set
    from annotation.actions.prompts import add_prompt

    messages = [{"role": "user", "content": question}]
    prompt, _ = add_prompt(campaign=campaign, messages=messages, kind="question", language="en")
    add_candidate_set(prompt=prompt, texts=answers)


if __name__ == "__main__":
    main()
