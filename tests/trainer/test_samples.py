"""What a policy said comes to people; on request, what the reward model is unsure of comes first."""

import random

import pytest

from annotation.actions.assignments import claim_assignments
from annotation.models import Assignment, Campaign, Person
from tests.conftest import NOON
from trainer.actions.runs import queue_run
from trainer.actions.samples import deliver_samples
from trainer.handoff.rundir import RunDirectory


@pytest.fixture
def sampled(frozen, base, rhea, prompts):
    """A sampling run that answered every prompt, with the scores given for each."""

    def sample(*scores_by_prompt):
        run = queue_run(kind="sample", snapshot=frozen["prompts"], base=base, created_by=rhea, now=NOON)
        run.folder.mkdir(parents=True)
        directory = RunDirectory(run.folder)
        for prompt, scores in zip(prompts, scores_by_prompt, strict=False):
            for number, score in enumerate(scores):
                directory.append_sample(
                    prompt_id=prompt.pk,
                    completion=f"Answer {number}.",
                    finished=True,
                    tokens=3,
                    score=score,
                    ref_kl=None,
                    step=None,
                )
        return deliver_samples(run, checkpoint=base)

    return sample


@pytest.fixture
def ben(db):
    return Person.objects.create_user("ben", password="correct horse")


def priorities(candidate_sets):
    return [one.assignments.values_list("priority", flat=True).distinct().get() for one in candidate_sets]


CERTAIN, UNSURE, BETWEEN = [0.0, 30.0], [0.1, 0.0], [0.0, 2.0]


class TestDeliverSamples:
    def test_asks_first_where_the_reward_model_is_unsure(self, sampled, kitchen, ben):
        Campaign.objects.update(selection=Campaign.Selection.UNCERTAIN)

        certain, unsure, between = sampled(CERTAIN, UNSURE, BETWEEN)

        asked = claim_assignments(
            campaign=kitchen, labeler=ben, count=3, holding=[], now=NOON, rng=random.Random(0)
        )
        assert [one.candidate_set for one in asked] == [unsure, between, certain]

    @pytest.mark.parametrize("selection", [Campaign.Selection.OLDEST, Campaign.Selection.DISAGREEMENT])
    def test_asks_in_order_elsewhere(self, sampled, selection):
        Campaign.objects.update(selection=selection)

        assert priorities(sampled(CERTAIN, UNSURE)) == [1, 1]

    def test_asks_in_order_what_was_not_scored(self, sampled):
        Campaign.objects.update(selection=Campaign.Selection.UNCERTAIN)

        assert priorities(sampled([None, None], [None, None])) == [1, 1]

    def test_asks_even_the_plainest_before_older_candidates(self, sampled, rankings):
        Campaign.objects.update(selection=Campaign.Selection.UNCERTAIN)
        older = Assignment.objects.values_list("priority", flat=True)

        assert max(older) < min(priorities(sampled(CERTAIN)))
