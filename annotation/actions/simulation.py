"""Simulated labelers: programs that follow a stated rule through the actions that people use."""

import random
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from annotation.actions.assignments import claim_assignments
from annotation.actions.demonstrations import claim_demonstration, submit_demonstration
from annotation.actions.labelers import person_without_password
from annotation.actions.rankings import submit_ranking
from annotation.errors import NameTaken
from annotation.models import Assignment, Campaign, Person
from annotation.simulated_labelers import demonstrate, rank_by_appeal

Progress = Callable[[int, int], None]
"""Told how much is done, and of how much."""


def simulated_labelers(count: int) -> list[Person]:
    """Accounts that nobody can sign in to, marked as simulated."""
    return [
        person_without_password(f"simulated-{number}", is_simulated=True) for number in range(1, count + 1)
    ]


def account_to_sign_in(username: str) -> tuple[Person, str]:
    """A simulated labeler's account, made if there is none, and its fresh random password.

    :raises NameTaken: a person has that name.
    """
    person, _is_new = Person.objects.get_or_create(username=username, defaults={"is_simulated": True})
    if not person.is_simulated:
        raise NameTaken(_("%(name)s is a person's account.") % {"name": username})
    password = secrets.token_urlsafe(18)
    person.set_password(password)
    person.save(update_fields=["password"])
    return person, password


def write_demonstrations(
    *,
    campaign: Campaign,
    labelers: Sequence[Person],
    answers: Mapping[str, str],
    now: datetime,
    rng: random.Random,
    progress: Progress = lambda done, total: None,
) -> int:
    """Answer every prompt that wants a demonstration, in the labelers' taste. Returns how many that were.

    ``answers`` has a plain answer for each prompt, by the prompt's source.
    """
    written = 0
    wanted = campaign.prompts.wanting_demonstrations(campaign).count()
    while labelers:
        labeler = labelers[written % len(labelers)]
        draft = claim_demonstration(campaign=campaign, labeler=labeler)
        if draft is None:
            break
        answer = demonstrate(answers[draft.prompt.source], rng)
        submit_demonstration(
            demonstration=draft,
            turns=[{"role": "assistant", "content": answer}],
            seconds_spent=0,
            idempotency_key=_key(rng),
            now=now,
        )
        written += 1
        progress(written, wanted)
    return written


def rank_what_waits(
    *,
    campaign: Campaign,
    labelers: Sequence[Person],
    now: datetime,
    rng: random.Random,
    progress: Progress = lambda done, total: None,
) -> int:
    """Rank until nothing waits for any of the labelers. Returns how many rankings that were."""
    ranked = 0
    waiting = Assignment.objects.open().filter(campaign=campaign).count()
    for labeler in labelers:
        while claimed := claim_assignments(
            campaign=campaign, labeler=labeler, count=1, holding=[], now=now, rng=rng
        ):
            assignment = claimed[0]
            texts = dict(assignment.candidate_set.completions.values_list("pk", "text"))
            submit_ranking(
                assignment=assignment,
                labeler=labeler,
                tiers=rank_by_appeal(texts),
                unacceptable=[],
                cannot_judge="",
                seconds_spent=0,
                idempotency_key=_key(rng),
                now=now,
            )
            ranked += 1
            progress(ranked, waiting)
    return ranked


def _key(rng: random.Random) -> UUID:
    return UUID(int=rng.getrandbits(128), version=4)
