from datetime import timedelta
from uuid import uuid4

import pytest

from annotation.actions.candidates import add_candidate_set
from annotation.actions.demonstrations import claim_demonstration
from annotation.actions.gold import mark_gold
from annotation.actions.pauses import Standing, lift_pause, look_at_labeler, record_of, require_no_pause
from annotation.actions.rankings import submit_ranking
from annotation.errors import Paused
from annotation.models import Assignment, Pause
from tests.conftest import NOON


@pytest.fixture
def strict(kitchen):
    kitchen.gold_percent, kitchen.gold_minimum, kitchen.gold_pause_below = 50, 5, 60
    kitchen.save()
    return kitchen


@pytest.fixture
def answer_gold(soup, strict):
    """Somebody meets so many gold sets, and orders them as the known answer does or the other way."""

    def answer(labeler, count, *, rightly, now=NOON, purpose=Assignment.Purpose.GOLD, **changes):
        for _ in range(count):
            candidate_set = add_candidate_set(prompt=soup, texts=["Yes.", "No."])
            best, worst = sorted(candidate_set.completions.values_list("pk", flat=True))
            mark_gold(candidate_set=candidate_set, tiers=[[best], [worst]], marked_by=None, now=now)
            assignment = candidate_set.assignments.get()
            assignment.claim(labeler, now=now, lease=timedelta(minutes=5), shown_order=[best, worst])
            judgement = {
                "tiers": [[best], [worst]] if rightly else [[worst], [best]],
                "unacceptable": [],
                "cannot_judge": "",
                "seconds_spent": 9,
                "idempotency_key": uuid4(),
                "now": now,
            }
            submit_ranking(assignment=assignment, labeler=labeler, **{**judgement, **changes})

    return answer


class TestRecord:
    def test_counts_the_gold_that_was_answered(self, strict, answer_gold, ada, ben):
        answer_gold(ada, 3, rightly=True)
        answer_gold(ada, 1, rightly=False)
        answer_gold(ben, 1, rightly=False)

        record = record_of(strict, ada)

        assert (record.accuracy.sets, record.accuracy.mean) == (4, 0.75)

    def test_is_no_failure_while_too_little_was_answered(self, strict, answer_gold, ada):
        assert record_of(strict, ada).standing == Standing.NOT_EVALUATED

        answer_gold(ada, 4, rightly=False)

        assert record_of(strict, ada).standing == Standing.NOT_EVALUATED

    def test_does_not_take_what_could_not_be_judged_for_wrong(self, strict, answer_gold, ada):
        answer_gold(ada, 6, rightly=True, tiers=[], cannot_judge="The facts cannot be checked")

        record = record_of(strict, ada)

        assert (record.accuracy.sets, record.cannot_judge) == (0, 6)
        assert record.standing == Standing.NOT_EVALUATED

    def test_forgets_gold_that_is_no_longer_active(self, strict, answer_gold, ada):
        answer_gold(ada, 6, rightly=False)
        strict.gold.update(is_active=False)

        assert record_of(strict, ada).accuracy.sets == 0

    def test_is_below_the_bar_only_with_its_whole_interval(self, strict, answer_gold, ada):
        answer_gold(ada, 3, rightly=True)
        answer_gold(ada, 5, rightly=False)

        record = record_of(strict, ada)

        assert record.accuracy.mean < 0.6 < record.accuracy.high
        assert record.standing == Standing.EVALUATED


class TestLookAtLabeler:
    def test_pauses_who_is_surely_below_the_bar(self, strict, answer_gold, ada, ben, claim, soup_set):
        answer_gold(ada, 6, rightly=False)

        assert Pause.objects.get().labeler == ada
        with pytest.raises(Paused):
            claim(strict, ada)
        with pytest.raises(Paused):
            claim_demonstration(campaign=strict, labeler=ada)
        require_no_pause(strict, ben)

    def test_pauses_nobody_where_the_campaign_sets_no_bar(self, strict, answer_gold, ada):
        strict.gold_pause_below = None
        strict.save()

        answer_gold(ada, 9, rightly=False)

        assert not Pause.objects.exists()
        assert record_of(strict, ada).standing == Standing.EVALUATED

    def test_pauses_once(self, strict, answer_gold, ada):
        answer_gold(ada, 6, rightly=False)

        first = look_at_labeler(campaign=strict, labeler=ada, now=NOON)

        assert look_at_labeler(campaign=strict, labeler=ada, now=NOON) == first == Pause.objects.get()

    def test_leaves_what_was_begun(self, strict, soup_set, answer_gold, ada, claim):
        draft = claim_demonstration(campaign=strict, labeler=ada)
        strict.gold_percent = 0
        held = claim(strict, ada)

        answer_gold(ada, 6, rightly=False)

        assert claim(strict, ada) == held
        assert claim_demonstration(campaign=strict, labeler=ada) == draft


class TestLiftPause:
    def test_gives_work_again_and_counts_from_then_on(self, strict, soup_set, answer_gold, ada, claim):
        answer_gold(ada, 6, rightly=False)
        later = NOON + timedelta(days=1)

        assert lift_pause(pause=Pause.objects.get(), now=later)

        assert claim(strict, ada, now=later)
        assert record_of(strict, ada).accuracy.sets == 0
        answer_gold(ada, 4, rightly=False, now=later + timedelta(hours=1))
        assert Pause.objects.filter(lifted_at=None).count() == 0
        answer_gold(ada, 1, rightly=False, now=later + timedelta(hours=2))
        assert Pause.objects.filter(lifted_at=None).count() == 1

    def test_lifts_once(self, strict, answer_gold, ada):
        answer_gold(ada, 6, rightly=False)
        pause = Pause.objects.get()

        assert lift_pause(pause=pause, now=NOON)
        assert not lift_pause(pause=pause, now=NOON + timedelta(hours=1))
        pause.refresh_from_db()
        assert pause.lifted_at == NOON
