from datetime import timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis.strategies import permutations

from annotation.actions.assignments import return_overdue_assignments
from annotation.actions.rankings import submit_ranking
from annotation.errors import (
    AlreadySubmitted,
    BadInput,
    DuplicateCompletion,
    IdempotencyConflict,
    IncompleteRanking,
    LeaseLost,
    UnknownCompletion,
)
from annotation.models import Assignment, Ranking
from tests.conftest import NOON


def ids(assignment):
    return sorted(assignment.shown_order)


def submit(assignment, labeler, **changes):
    details = {
        "tiers": [[pk] for pk in ids(assignment)],
        "unacceptable": [],
        "cannot_judge": "",
        "seconds_spent": 12.5,
        "idempotency_key": uuid4(),
        "now": NOON,
    }
    return submit_ranking(assignment=assignment, labeler=labeler, **{**details, **changes})


class TestSubmitRanking:
    def test_stores_an_ordered_partition_with_ties_and_unacceptable(self, claimed, ada, kitchen):
        a, b, c, d = ids(claimed)

        ranking, is_new = submit(claimed, ada, tiers=[[b], [a, c]], unacceptable=[d])

        assert is_new
        assert ranking.tiers == [[b], [a, c]]
        assert ranking.unacceptable == [d]
        assert ranking.shown_order == claimed.shown_order
        assert ranking.guideline == kitchen.guidelines.get()
        assert ranking.seconds_spent == 12.5
        assert claimed.status == Assignment.Status.SUBMITTED

    def test_takes_all_unacceptable_as_an_answer(self, claimed, ada):
        ranking, _ = submit(claimed, ada, tiers=[], unacceptable=ids(claimed))

        assert ranking.tiers == []

    def test_takes_cannot_judge_with_its_reason(self, claimed, ada):
        ranking, _ = submit(claimed, ada, tiers=[], cannot_judge="I do not speak Greek.")

        assert ranking.cannot_judge == "I do not speak Greek."

    @pytest.mark.parametrize(
        ("wrong", "refusal"),
        [
            (lambda a, b, c, d: {"tiers": [[a], [b], [c]]}, IncompleteRanking),
            (lambda a, b, c, d: {"tiers": []}, IncompleteRanking),
            (lambda a, b, c, d: {"tiers": [[a], [b], [c], [d, a]]}, DuplicateCompletion),
            (lambda a, b, c, d: {"tiers": [[a], [b], [c], [d]], "unacceptable": [d]}, DuplicateCompletion),
            (lambda a, b, c, d: {"tiers": [[a], [b], [c], [d + 99]]}, UnknownCompletion),
            (lambda a, b, c, d: {"tiers": [[a], [b], [c], [d]], "cannot_judge": "?"}, IncompleteRanking),
        ],
    )
    def test_refuses_what_is_no_partition_and_keeps_the_lease(self, claimed, ada, wrong, refusal):
        with pytest.raises(refusal):
            submit(claimed, ada, **wrong(*ids(claimed)))

        assert Ranking.objects.count() == 0
        assert Assignment.objects.get().status == Assignment.Status.CLAIMED

    def test_refuses_an_assignment_of_somebody_else(self, claimed, ben):
        with pytest.raises(LeaseLost):
            submit(claimed, ben)

    def test_still_takes_a_late_one_that_went_to_nobody(self, claimed, ada):
        ranking, _ = submit(claimed, ada, now=NOON + timedelta(hours=9))

        assert ranking.pk

    def test_refuses_after_the_lease_went_back(self, claimed, ada):
        return_overdue_assignments(now=NOON + timedelta(hours=9))

        with pytest.raises(LeaseLost):
            submit(claimed, ada, tiers=[[pk] for pk in ids(Assignment(shown_order=claimed.shown_order))])

    def test_stores_the_same_key_once(self, claimed, ada):
        key = uuid4()

        first, _ = submit(claimed, ada, idempotency_key=key)
        again, is_new = submit(claimed, ada, idempotency_key=key)

        assert (again, is_new) == (first, False)
        assert Ranking.objects.count() == 1

    def test_refuses_the_same_key_with_another_order(self, claimed, ada):
        key = uuid4()
        submit(claimed, ada, idempotency_key=key)

        with pytest.raises(IdempotencyConflict):
            submit(claimed, ada, idempotency_key=key, tiers=[[pk] for pk in reversed(ids(claimed))])

    def test_refuses_a_second_submission_with_another_key(self, claimed, ada):
        submit(claimed, ada)

        with pytest.raises(AlreadySubmitted):
            submit(claimed, ada)


@given(order=permutations(range(4)), cut=permutations(range(4)))
def test_only_partitions_of_the_candidates_pass(order, cut):
    from annotation.actions.rankings import _check_partition

    class Shown:
        class candidate_set:  # noqa: N801
            class completions:  # noqa: N801
                values_list = staticmethod(lambda *args, **kwargs: [0, 1, 2, 3])

    split = cut[0]
    tiers, unacceptable = [[pk] for pk in order[:split]], list(order[split:])
    judged = {"tiers": tiers, "unacceptable": unacceptable, "cannot_judge": ""}

    _check_partition(Shown, judged)
    for broken in ({**judged, "tiers": [*tiers, [order[0]]]}, {**judged, "tiers": [*tiers, [9]]}):
        with pytest.raises(BadInput):
            _check_partition(Shown, broken)
