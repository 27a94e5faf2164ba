import random
from datetime import timedelta

import pytest

from annotation.actions.assignments import claim_assignments, return_overdue_assignments, skip_assignment
from annotation.actions.candidates import add_candidate_set
from annotation.actions.gold import claim_gold, mark_gold, unmet_gold
from annotation.actions.waiting import waiting_for
from annotation.api.assignments import AssignmentOutput
from annotation.errors import IncompleteRanking, NoComparison
from annotation.models import Assignment
from tests.annotation.test_submit_ranking import submit
from tests.conftest import NOON

LEASE = timedelta(minutes=45)


def candidates(candidate_set):
    return sorted(candidate_set.completions.values_list("pk", flat=True))


def mark(candidate_set, **changes):
    details = {"tiers": [[pk] for pk in candidates(candidate_set)], "marked_by": None, "now": NOON}
    return mark_gold(candidate_set=candidate_set, **{**details, **changes})


@pytest.fixture
def golden(kitchen):
    """A campaign that hands out nothing but gold, as long as there is ordinary work."""
    kitchen.gold_percent = 100
    return kitchen


@pytest.fixture
def soup_gold(soup_set):
    return mark(soup_set)


@pytest.fixture
def rice_set(soup):
    return add_candidate_set(prompt=soup, texts=["Steam it.", "Grill it."])


def claim_it(campaign, labeler, seed=0):
    return claim_gold(campaign=campaign, labeler=labeler, now=NOON, lease=LEASE, rng=random.Random(seed))


class TestMarkGold:
    def test_keeps_the_answer(self, soup_set, rhea):
        best, good, *rest = candidates(soup_set)

        gold = mark(soup_set, tiers=[[best, good]], unacceptable=rest, marked_by=rhea, note="By the book.")

        assert (gold.tiers, gold.unacceptable) == ([[best, good]], rest)
        assert (gold.created_by, gold.note, gold.is_active) == (rhea, "By the book.", True)

    def test_replaces_an_earlier_answer(self, soup_set, soup_gold):
        upside_down = soup_gold.tiers[::-1]

        assert mark(soup_set, tiers=upside_down).pk == soup_gold.pk
        soup_gold.refresh_from_db()
        assert soup_gold.tiers == upside_down

    @pytest.mark.parametrize(
        "spoil", [lambda ids: ids[1:], lambda ids: [*ids, ids[0]], lambda ids: [0, *ids]]
    )
    def test_refuses_what_is_no_order_of_the_candidates(self, soup_set, spoil):
        with pytest.raises(IncompleteRanking):
            mark(soup_set, tiers=[[pk] for pk in spoil(candidates(soup_set))])

    def test_refuses_an_answer_that_measures_nothing(self, soup_set):
        with pytest.raises(NoComparison):
            mark(soup_set, tiers=[candidates(soup_set)])

    def test_takes_the_open_slots_and_leaves_those_that_people_hold(self, kitchen, soup_set, ada, ben, claim):
        held = claim(kitchen, ada)

        mark(soup_set)

        assert claim(kitchen, ben) is None
        assert submit(held, ada)[1]
        assert Assignment.objects.get(pk=held.pk).purpose == Assignment.Purpose.OVERLAP


class TestClaimGold:
    def test_leases_a_gold_set_in_an_order_of_its_own(self, golden, soup_set, soup_gold, ada):
        assignment = claim_it(golden, ada)

        assert assignment.candidate_set == soup_set
        assert (assignment.purpose, assignment.slot) == (Assignment.Purpose.GOLD, None)
        assert (assignment.labeler, assignment.lease_expires_at) == (ada, NOON + LEASE)
        assert sorted(assignment.shown_order) == candidates(soup_set)

    def test_gives_it_to_everybody_once(self, golden, soup_gold, ada, ben):
        assert claim_it(golden, ada) and claim_it(golden, ben)
        assert claim_it(golden, ada) is None

    def test_never_gives_what_was_skipped(self, golden, soup_gold, ada):
        skip_assignment(assignment=claim_it(golden, ada), labeler=ada, reason="Too long", now=NOON)

        assert claim_it(golden, ada) is None

    def test_gives_on_what_somebody_gave_back(self, golden, soup_gold, ada, ben):
        skip_assignment(assignment=claim_it(golden, ada), labeler=ada, reason="Too long", now=NOON)

        assert claim_it(golden, ben)
        assert Assignment.objects.filter(purpose=Assignment.Purpose.GOLD).count() == 1

    def test_never_gives_authors_their_own(self, golden, soup_set, soup_gold, ada):
        soup_set.authors.add(ada)

        assert claim_it(golden, ada) is None

    def test_never_gives_what_is_no_longer_active(self, golden, soup_gold, ada):
        soup_gold.is_active = False
        soup_gold.save()

        assert claim_it(golden, ada) is None

    def test_gives_people_only_what_they_can_read(self, golden, soup, soup_gold, ada):
        soup.language = "fi"
        soup.save()
        ada.languages = ["en"]

        assert claim_it(golden, ada) is None

    def test_comes_about_as_often_as_the_campaign_asks(self, golden, soup, ada):
        golden.gold_percent = 25
        for number in range(200):
            mark(add_candidate_set(prompt=soup, texts=[f"Yes {number}.", "No."]))
        rng = random.Random(3)

        given = [claim_gold(campaign=golden, labeler=ada, now=NOON, lease=LEASE, rng=rng) for _ in range(200)]

        assert 30 < sum(assignment is not None for assignment in given) < 70


class TestGoldAmongTheOthers:
    """Nothing that a labeler is handed or told tells gold from ordinary work."""

    def test_comes_in_place_of_ordinary_work(self, golden, soup_gold, rice_set, ada, claim):
        gold, ordinary = claim(golden, ada), claim_more(golden, ada)

        assert gold.purpose == Assignment.Purpose.GOLD
        assert [assignment.candidate_set for assignment in ordinary] == [rice_set]

    def test_never_comes_alone(self, golden, soup_gold, ada, claim):
        assert claim(golden, ada) is None

    def test_has_the_same_fields_with_the_same_kinds_of_values(self, golden, soup_gold, rice_set, ada):
        gold, ordinary = claim_more(golden, ada, count=2)
        shown = [AssignmentOutput(assignment).data for assignment in (gold, ordinary)]

        assert {gold.purpose, ordinary.purpose} == {Assignment.Purpose.GOLD, Assignment.Purpose.OVERLAP}
        assert kinds(shown[0]) == kinds(shown[1])
        assert [data["id"] for data in shown] == [str(gold.key), str(ordinary.key)]
        for same in ("campaign", "lease_expires_at", "guideline_version"):
            assert shown[0][same] == shown[1][same]

    @pytest.mark.parametrize("share", [10, 50])
    @pytest.mark.parametrize("seed", range(4))
    def test_counts_like_ordinary_work_whatever_is_done_with_it(self, kitchen, soup, ada, share, seed):
        kitchen.gold_percent, rng, purposes = share, random.Random(seed), set()
        sets = [add_candidate_set(prompt=soup, texts=[f"Yes {number}.", "No."]) for number in range(36)]
        for candidate_set in rng.sample(sets, 18):
            mark(candidate_set)

        def waiting():
            return waiting_for(ada, kitchen, now=NOON).rankings_waiting

        for _ in range(10):
            before = waiting()
            (assignment,) = claim_more(kitchen, ada, rng=rng)
            assert waiting() == before
            if rng.random() < 0.5:
                submit(assignment, ada)
            else:
                skip_assignment(assignment=assignment, labeler=ada, reason="Too long", now=NOON)
            assert waiting() == before - 1
            purposes.add(assignment.purpose)

        assert share == 10 or purposes == {Assignment.Purpose.GOLD, Assignment.Purpose.OVERLAP}

    def test_is_not_counted_where_it_will_not_come(self, kitchen, soup, ada):
        kitchen.gold_percent = 10
        for number in range(9):
            mark(add_candidate_set(prompt=soup, texts=[f"Yes {number}.", "No."]))

        assert waiting_for(ada, kitchen, now=NOON).rankings_waiting == 0
        for number in range(9, 18):
            add_candidate_set(prompt=soup, texts=[f"Yes {number}.", "No."])
        assert waiting_for(ada, kitchen, now=NOON).rankings_waiting == 9 + 1

    def test_goes_back_when_its_time_ran_out(self, golden, soup_gold, rice_set, ada, ben):
        gold = claim_it(golden, ada)
        return_overdue_assignments(now=NOON + timedelta(hours=1))

        gold.refresh_from_db()
        assert gold.status == Assignment.Status.OPEN
        assert [found.candidate_set_id for found in unmet_gold(golden, ben)] == [gold.candidate_set_id]


def claim_more(campaign, labeler, count=1, rng=None):
    held = Assignment.objects.claimed().for_labeler(labeler)
    return claim_assignments(
        campaign=campaign,
        labeler=labeler,
        count=count,
        holding=list(held.values_list("key", flat=True)),
        now=NOON,
        rng=rng or random.Random(1),
    )


def kinds(value):
    """The shape of a JSON value: names and types, whatever their number in lists."""
    if isinstance(value, dict):
        return {name: kinds(part) for name, part in value.items()}
    if isinstance(value, list):
        return [kinds(value[0])]
    return type(value)
