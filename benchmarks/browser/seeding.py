"""A campaign to be ranked in the browser: ``python -m benchmarks.browser.seeding SETS`` in its place's environment.

Prints, as JSON, the campaign's number and the session of the labeler who works in it.
"""

import json
import random
import sys

import django

K = 4


def main() -> None:
    django.setup()
    print(json.dumps(fill(int(sys.argv[1]))))


def fill(sets: int) -> dict[str, object]:
    from django.utils import timezone

    from annotation.actions.campaigns import publish_guideline
    from annotation.actions.candidates import add_candidate_set
    from annotation.actions.prompts import add_prompt
    from annotation.models import Campaign, Person
    from benchmarks.browser.answers import answer, paragraph
    from benchmarks.judgements.cast import sessions

    rng = random.Random(0)
    campaign = Campaign.objects.create(name="Bread", overlap=1)
    publish_guideline(campaign=campaign, text="The most helpful one first.", now=timezone.now())
    for number in range(sets):
        asked = [{"role": "user", "content": f"Question {number}: {paragraph(rng)}"}]
        prompt, _ = add_prompt(campaign=campaign, messages=asked, kind="question", language="en")
        add_candidate_set(prompt=prompt, texts=[answer(rng) for _ in range(K)])
    Person.objects.create_user("ada")
    return {"campaign": campaign.pk, "session": sessions(names=["ada"])["ada"]}


if __name__ == "__main__":
    main()
