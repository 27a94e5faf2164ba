from datetime import timedelta
from uuid import uuid4

import pytest

from annotation.actions.quality import URGENT, look_again, prioritize_disagreements
from annotation.models import Assignment, Consensus, Person, Ranking
from tests.annotation.test_submit_ranking import ids, submit
from tests.conftest import NOON

LATER = NOON + timedelta(minutes=1)
REVIEW = Assignment.Purpose.ADJUDICATION


@pytest.fixture
def kitchen(kitchen):
    kitchen.overlap = 2
    kitchen.save()
    return kitchen


@pytest.fixture
def rank(kitchen, soup_set, claim):
    """Let somebody new rank the soups: as they are, or the other way round."""

    def submit_one(*, reverse=False, **changes):
        labeler = Person.objects.create_user(f"labeler-{Person.objects.count()}")
        turn = claim(kitchen, labeler)
        order = sorted(ids(turn), reverse=reverse)
        return submit(turn, labeler, **{"tiers": [[pk] for pk in order], **changes})[0]

    return submit_one


def adjudicate(soup_set, tiers):
    review = soup_set.assignments.get(purpose=REVIEW)
    reviewer = Person.objects.create_user("rob", role=Person.Role.REVIEWER)
    assert review.claim(reviewer, now=NOON, lease=timedelta(hours=1), shown_order=[])
    submit(review, reviewer, tiers=tiers)


class TestLookAgain:
    def test_waits_for_everybody_who_was_asked(self, rank, soup_set):
        rank()

        assert not Consensus.objects.exists()

    def test_keeps_what_the_rankings_say_together(self, rank, soup_set):
        first = rank()
        rank()

        consensus = soup_set.consensus
        assert consensus.tiers == first.tiers
        assert (consensus.agreement, consensus.rankings, consensus.is_adjudicated) == (1, 2, False)
        assert consensus.scores.keys() == {str(pk) for [pk] in first.tiers}

    def test_counts_no_surplus_no_gold_and_no_revised_ranking(self, rank, soup_set, kitchen):
        first = rank()
        last = rank()
        for purpose in (Assignment.Purpose.SURPLUS, Assignment.Purpose.GOLD):
            labeler = Person.objects.create_user(purpose)
            turn = Assignment.objects.create(
                candidate_set=soup_set, campaign=kitchen, purpose=purpose, labeler=labeler, status="SUBMITTED"
            )
            copy(first, assignment=turn, labeler=labeler, tiers=first.tiers[::-1])
        copy(last, revision=2, tiers=first.tiers[::-1])
        copy(last, revision=3)

        consensus = look_again(candidate_set=soup_set, now=LATER)

        assert (consensus.tiers, consensus.agreement, consensus.rankings) == (first.tiers, 1, 2)
        assert consensus.made_at == LATER

    def test_finds_none_where_nobody_could_judge(self, rank, soup_set):
        for _labeler in range(2):
            rank(tiers=[], cannot_judge="I do not speak Greek.")

        assert look_again(candidate_set=soup_set, now=NOON) is None
        assert not Consensus.objects.exists()

    @pytest.mark.parametrize("method", ["bradley_terry", "plackett_luce", "borda", "ranked_pairs"])
    def test_uses_the_campaigns_method(self, kitchen, rank, soup_set, method):
        kitchen.consensus_method = method
        kitchen.save()
        rank()
        rank(reverse=True)

        assert soup_set.consensus.method == method

    def test_asks_another_labeler_where_two_disagree_as_often_as_the_campaign_allows(
        self, kitchen, rank, soup_set
    ):
        kitchen.extra_overlap = 1
        kitchen.save()
        rank()
        rank(reverse=True)

        look_again(candidate_set=soup_set, now=LATER)

        assert [turn.slot for turn in soup_set.assignments.open()] == [3]

        rank()

        assert not soup_set.assignments.open().exists()
        assert soup_set.consensus.agreement == pytest.approx(1 / 3)

    def test_asks_nobody_else_where_they_agree(self, kitchen, rank, soup_set):
        kitchen.extra_overlap, kitchen.reviews_disagreements = 1, True
        kitchen.save()
        rank()
        rank()

        assert not soup_set.assignments.open().exists()

    def test_gives_what_they_still_disagree_on_to_one_reviewer(self, kitchen, rank, soup_set):
        kitchen.reviews_disagreements = True
        kitchen.save()
        rank()
        rank(reverse=True)

        for _again in range(3):
            look_again(candidate_set=soup_set, now=LATER)

        assert soup_set.assignments.get(status="OPEN").purpose == REVIEW

    def test_lets_the_reviewer_overrule_all(self, kitchen, rank, soup_set):
        kitchen.reviews_disagreements = True
        kitchen.save()
        a, b, c, d = ids_of = sorted(pk for [pk] in rank().tiers)
        rank(reverse=True)

        adjudicate(soup_set, [[b, d], [c], [a]])

        consensus = soup_set.consensus
        assert (consensus.tiers, consensus.is_adjudicated) == ([[b, d], [c], [a]], True)
        assert (consensus.agreement, consensus.rankings) == (0, 2)
        assert consensus.scores.keys() == {str(pk) for pk in ids_of}


class TestPrioritizeDisagreements:
    @pytest.fixture
    def kitchen(self, kitchen):
        kitchen.overlap = 3
        kitchen.save()
        return kitchen

    def test_moves_what_labelers_disagree_on_ahead_and_only_once(self, kitchen, rank, soup_set):
        rank()
        rank(reverse=True)

        moved = [prioritize_disagreements(campaign=kitchen) for _twice in range(2)]

        assert moved == [1, 0]
        assert soup_set.assignments.open().get().priority == URGENT

    def test_leaves_the_others_where_they_are(self, kitchen, rank, soup_set):
        rank()
        rank()

        assert prioritize_disagreements(campaign=kitchen) == 0

    def test_moves_back_what_labelers_agree_on_by_now(self, kitchen, rank, soup_set):
        rank()
        last = rank(reverse=True)
        prioritize_disagreements(campaign=kitchen)
        copy(last, revision=2, tiers=last.tiers[::-1])

        assert prioritize_disagreements(campaign=kitchen) == 1
        assert soup_set.assignments.open().get().priority == 0


def copy(ranking, **changes):
    fields = {field.attname: getattr(ranking, field.attname) for field in Ranking._meta.fields}
    for name in ("assignment", "labeler"):
        if name in changes:
            del fields[f"{name}_id"]
    return Ranking.objects.create(**{**fields, "id": None, "idempotency_key": uuid4(), **changes})
