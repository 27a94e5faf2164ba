"""What a campaign may show to somebody who writes a demonstration: one stored response to the prompt.

Who or what wrote a response is not recorded here, so that no screen can leak it. Any candidate of the prompt
may therefore be suggested, an imported one as well as a model's.
"""

import random

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from annotation.errors import AlreadySubmitted, NoSuggestion
from annotation.models import Assignment, Completion, Demonstration


@transaction.atomic
def show_suggestion(*, demonstration: Demonstration, rng: random.Random) -> Completion:
    """A response to be edited, always the same one; the demonstration is marked for good.

    From then on its author is given no candidates of this prompt to rank: they would know one of them.

    :raises NoSuggestion: the campaign offers none, there is none, or its author is ranking this prompt's.
    :raises AlreadySubmitted: it is handed in.
    """
    if shown := demonstration.suggestion:
        return shown
    if not can_suggest(demonstration):
        raise NoSuggestion(_("There is no suggestion for this prompt."))
    if _is_ranking(demonstration):
        raise NoSuggestion(_("You hold a ranking of responses to this prompt: rank or skip it first."))
    chosen = rng.choice(list(_candidates(demonstration).order_by("pk")))
    if demonstration.suggest(chosen):
        return chosen
    # Another tab was faster, or handed it in.
    demonstration.refresh_from_db()
    if shown := demonstration.suggestion:
        return shown
    raise AlreadySubmitted(_("You already submitted this one."))


def can_suggest(demonstration: Demonstration) -> bool:
    return demonstration.prompt.campaign.offers_suggestions and _candidates(demonstration).exists()


def _candidates(demonstration: Demonstration) -> QuerySet[Completion]:
    # Not what practice explains: some of that is there to be bad.
    in_work = {"candidate_sets__isnull": False, "candidate_sets__practice__isnull": True}
    return demonstration.prompt.completions.filter(**in_work).distinct()


def _is_ranking(demonstration: Demonstration) -> bool:
    mine = Assignment.objects.claimed().for_labeler(demonstration.labeler)
    return mine.filter(candidate_set__prompt=demonstration.prompt_id).exists()
