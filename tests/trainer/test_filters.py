from datetime import timedelta

import pytest

from annotation.actions.campaigns import publish_guideline
from annotation.models import Assignment, Consensus, Demonstration, Person, Prompt, Ranking, Tombstone
from tests.conftest import NOON
from tests.trainer.conftest import rank
from trainer.actions.filters import Filters
from trainer.actions.snapshots import freeze_snapshot
from trainer.errors import FilterDoesNotFit, NothingToFreeze
from trainer.handoff.records import RECORDS, read_records


def freeze(campaign, kind, **filters):
    return freeze_snapshot(
        campaign=campaign, kind=kind, filters=Filters(**filters), created_by=None, now=NOON
    )


def rows(snapshot):
    return read_records(snapshot.file, RECORDS[snapshot.kind])


@pytest.fixture
def grace(db):
    return Person.objects.create_user("grace", password="correct horse")


def judge(ranking, labeler, purpose, **changes):
    """Another ranking of the same candidates."""
    turn = Assignment.objects.create(
        candidate_set=ranking.assignment.candidate_set,
        campaign=ranking.assignment.campaign,
        purpose=purpose,
        status="SUBMITTED",
        labeler=labeler,
        shown_order=ranking.shown_order,
    )
    stored = Ranking.objects.get(pk=ranking.pk)
    stored.pk, stored.assignment, stored.labeler = None, turn, labeler
    for name, value in changes.items():
        setattr(stored, name, value)
    stored.save()
    return stored


class TestFilters:
    def test_take_only_prompts_of_a_kind_and_a_language(self, kitchen, rankings, prompts):
        Prompt.objects.filter(pk=prompts[0].pk).update(kind="closed")
        Prompt.objects.filter(pk=prompts[1].pk).update(language="de")

        assert freeze(kitchen, "rankings", prompt_kind="closed").rows == 1
        assert freeze(kitchen, "prompts", language="en").rows == len(prompts) - 1

    def test_take_only_what_was_made_under_the_later_guidelines(self, kitchen, rankings):
        later = publish_guideline(campaign=kitchen, text="Be kinder.", now=NOON)
        Ranking.objects.filter(pk=rankings[0].pk).update(guideline=later)

        snapshot = freeze(kitchen, "rankings", guideline_from=2)

        assert [row.ranking_id for row in rows(snapshot)] == [rankings[0].pk]
        assert snapshot.manifest["filters"] == {"guideline_from": 2}

    def test_take_what_was_submitted_from_a_moment_on_and_before_another(self, kitchen, rankings):
        for hours, ranking in enumerate(rankings):
            Ranking.objects.filter(pk=ranking.pk).update(submitted_at=NOON + timedelta(hours=hours))

        snapshot = freeze(
            kitchen,
            "rankings",
            submitted_from=NOON + timedelta(hours=1),
            submitted_until=NOON + timedelta(hours=3),
        )

        assert [row.ranking_id for row in rows(snapshot)] == [rankings[1].pk, rankings[2].pk]

    def test_leave_people_out_and_do_not_name_them(self, kitchen, rankings, grace, ada):
        Ranking.objects.filter(pk=rankings[0].pk).update(labeler=grace)

        snapshot = freeze(kitchen, "rankings", without_labelers=(ada.pk,))

        assert [row.ranking_id for row in rows(snapshot)] == [rankings[0].pk]
        [left_out] = snapshot.manifest["filters"]["without_labelers"]
        assert left_out not in {str(ada.pk), rows(snapshot)[0].labeler}

    def test_take_only_sets_with_a_consensus(self, kitchen, rankings):
        candidate_set = rankings[3].assignment.candidate_set
        Consensus.objects.all().delete()
        Consensus.objects.create(
            candidate_set=candidate_set, campaign=kitchen, method="borda", tiers=[], rankings=1, made_at=NOON
        )

        snapshot = freeze(kitchen, "rankings", settled="consensus")

        assert [row.candidate_set_id for row in rows(snapshot)] == [candidate_set.pk]

    def test_take_only_accepted_demonstrations(self, kitchen, demonstrations):
        Demonstration.objects.filter(pk=demonstrations[2].pk).update(status="ACCEPTED")

        assert freeze(kitchen, "demonstrations", accepted=True).rows == 1

    def test_that_leave_nothing_are_told_in_words(self, kitchen, rankings):
        with pytest.raises(NothingToFreeze, match="filters"):
            freeze(kitchen, "rankings", language="fr")

    @pytest.mark.parametrize(
        ("kind", "filters"),
        [
            ("prompts", {"guideline_from": 2}),
            ("rankings", {"accepted": True}),
            ("demonstrations", {"settled": "consensus"}),
        ],
    )
    def test_that_are_for_another_kind_are_refused(self, kitchen, rankings, kind, filters):
        with pytest.raises(FilterDoesNotFit):
            freeze(kitchen, kind, **filters)

    def test_that_contradict_each_other_are_refused(self):
        with pytest.raises(FilterDoesNotFit):
            Filters(submitted_from=NOON, submitted_until=NOON)

    def test_that_let_everything_pass_give_the_snapshot_that_is_there(self, kitchen, frozen):
        assert freeze(kitchen, "rankings", language="en") == frozen["rankings"]


class TestWhatCounts:
    @pytest.mark.parametrize("purpose", ["gold", "surplus"])
    def test_leaves_gold_and_surplus_out(self, kitchen, rankings, grace, purpose):
        judge(rankings[0], grace, purpose)

        assert freeze(kitchen, "rankings").rows == len(rankings)

    def test_keeps_adjudications_beside_what_they_decide(self, kitchen, rankings, grace):
        decision = judge(rankings[0], grace, "adjudication")

        snapshot = freeze(kitchen, "rankings")

        of_set = [
            row for row in rows(snapshot) if row.candidate_set_id == decision.assignment.candidate_set_id
        ]
        assert [(row.purpose, row.weight) for row in of_set] == [("overlap", 0.0), ("adjudication", 1.0)]
        assert {row.weight for row in rows(snapshot) if row not in of_set} == {1.0}
        assert snapshot.manifest["purposes"] == {"adjudication": 1, "overlap": len(rankings)}
        assert snapshot.manifest["replaced"] == 1

    def test_a_reviewer_who_cannot_judge_replaces_nothing(self, kitchen, rankings, grace):
        judge(rankings[0], grace, "adjudication", tiers=[], unacceptable=[], cannot_judge="Greek.")

        assert freeze(kitchen, "rankings").manifest["replaced"] == 0

    def test_rankings_of_one_set_stand_together(self, kitchen, rankings, grace):
        for ranking in rankings:
            judge(ranking, grace, "adjudication")

        sets = [row.candidate_set_id for row in rows(freeze(kitchen, "rankings"))]

        assert sets == sorted(sets)
        assert len(sets) == 2 * len(set(sets))

    def test_prompts_that_wait_for_a_decision_stay(self, kitchen, prompts):
        Prompt.objects.filter(pk=prompts[0].pk).update(status="HELD")

        assert freeze(kitchen, "prompts").rows == len(prompts) - 1

    def test_tombstones_are_listed(self, kitchen, rankings):
        for mode in ("removed", "anonymised"):
            Tombstone.objects.create(campaign=kitchen, kind="ranking", row=77, mode=mode, erased_at=NOON)
        Tombstone.objects.create(
            campaign=kitchen, kind="demonstration", row=5, mode="removed", erased_at=NOON
        )

        assert freeze(kitchen, "rankings").manifest["tombstones"] == {"anonymised": [77], "removed": [77]}


class TestWhatIsKept:
    def test_is_all_that_a_labeler_said(self, kitchen, prompts, ada):
        ranking = rank(kitchen, prompts[0], ada)
        a, b, *_rest = sorted(ranking.shown_order)
        Ranking.objects.filter(pk=ranking.pk).update(
            strength=2,
            ratings={str(b): {"harm": 1, "accuracy": 5}},
            flags={str(a): ["rude"]},
            spans={str(b): [{"start": 0, "end": 3, "flag": "rude"}]},
            rationale="Because.",
            edited={"id": a, "text": "Boil it well."},
        )

        [row] = rows(freeze(kitchen, "rankings"))

        assert (row.strength, row.rationale, row.edited) == (
            2,
            "Because.",
            {"id": a, "text": "Boil it well."},
        )
        assert row.spans == [{"id": b, "start": 0, "end": 3, "flag": "rude"}]
        assert row.ratings == [
            {"id": b, "axis": "accuracy", "rating": 5},
            {"id": b, "axis": "harm", "rating": 1},
        ]
        assert row.flags == [{"id": a, "flag": "rude"}]
        assert row.shown_order == ranking.shown_order
        assert (row.kind, row.language, row.written_by) == ("question", "en", [""] * 4)
