import json
from datetime import timedelta
from uuid import uuid4

import pytest

from annotation.actions import quality_reports
from annotation.actions.candidates import add_candidate_set
from annotation.actions.prompts import add_prompt
from annotation.actions.quality_reports import latest_report, make_report
from annotation.models import Assignment, Campaign, Person, Ranking
from tests.annotation.ballots import crowd
from tests.conftest import NOON


@pytest.fixture
def fair(db):
    """A campaign that twelve labelers of known worth ranked 150 sets of, over five weeks."""
    campaign = Campaign.objects.create(name="Fair", overlap=3, rating_axes=["helpfulness"])
    people = [Person.objects.create_user(f"labeler-{number}") for number in range(12)]
    for number, judged in enumerate(crowd(5, labelers=12, sets=150, spammers=1).candidate_sets):
        prompt, _ = add_prompt(
            campaign=campaign,
            messages=[{"role": "user", "content": f"Question {number}"}],
            kind=["poem", "sum"][number % 2],
        )
        texts = ["Long " * place for place in range(1, 5)]
        candidate_set = add_candidate_set(prompt=prompt, texts=texts)
        ids = sorted(candidate_set.completions.values_list("pk", flat=True))
        turns = candidate_set.assignments.order_by("slot")
        for turn, (who, ballot) in zip(turns, judged, strict=True):
            rank(turn, people[who], ids, ballot, NOON + timedelta(hours=6 * number))
    return campaign


def rank(turn, labeler, ids, ballot, moment):
    turn.labeler, turn.status = labeler, "SUBMITTED"
    turn.save()
    return Ranking.objects.create(
        assignment=turn,
        labeler=labeler,
        tiers=[[ids[place] for place in tier] for tier in ballot.tiers],
        ratings={str(pk): {"helpfulness": 1 + place} for place, pk in enumerate(ids)},
        shown_order=ids,
        seconds_spent=40,
        idempotency_key=uuid4(),
        submitted_at=moment,
    )


class TestMakeReport:
    def test_measures_the_campaign_its_kinds_its_weeks_and_its_labelers(self, fair):
        figures = make_report(campaign=fair, now=NOON).figures

        assert (figures["rankings"], figures["candidate_sets"]) == (450, 150)
        assert [one["name"] for one in figures["kinds"]] == ["poem", "sum"]
        assert [one["rankings"] for one in figures["kinds"]] == [225, 225]
        assert len(figures["weeks"]) >= 5 and figures["weeks"][0]["name"] == "2026-11-23"
        assert sum(one["rankings"] for one in figures["labelers"]) == 450
        for name in ("agreement", "alpha", "alpha_graded", "tau"):
            assert (
                figures["campaign"][name]["low"]
                < figures["campaign"][name]["value"]
                < figures["campaign"][name]["high"]
            )
        assert figures["ratings"]["helpfulness"]["value"] == 1

    def test_is_the_same_for_the_same_rankings(self, fair):
        assert make_report(campaign=fair, now=NOON).figures == make_report(campaign=fair, now=NOON).figures

    def test_is_the_same_in_one_chunk_or_many_but_for_the_luck_of_intervals(self, fair, monkeypatch):
        whole = make_report(campaign=fair, now=NOON).figures
        monkeypatch.setattr(quality_reports, "SETS_AT_ONCE", 7)
        parts = make_report(campaign=fair, now=NOON).figures

        assert parts["labelers"] == whole["labelers"]
        assert parts["campaign"]["alpha"]["value"] == whole["campaign"]["alpha"]["value"]

    def test_says_what_share_abilities_are_estimated_from(self, fair, monkeypatch):
        monkeypatch.setattr(quality_reports, "RELIABILITY_COMPARISONS", 900)

        figures = make_report(campaign=fair, now=NOON).figures

        assert figures["reliability_share"] == pytest.approx(1 / 3)
        assert 25 < figures["reliability_sets"] < 75
        assert figures["rankings"] == 450

    def test_leaves_out_what_does_not_count_toward_the_overlap(self, fair, rhea):
        candidate_set = Assignment.objects.first().candidate_set
        ids = sorted(candidate_set.completions.values_list("pk", flat=True))
        surplus = Assignment.objects.create(
            candidate_set=candidate_set, campaign=fair, purpose="surplus", labeler=rhea, status="SUBMITTED"
        )
        rank(surplus, rhea, ids, crowd(0, sets=1).candidate_sets[0][0][1], NOON)

        assert make_report(campaign=fair, now=NOON).rankings == 450

    def test_of_an_empty_campaign_says_why_there_are_no_figures(self, kitchen):
        figures = make_report(campaign=kitchen, now=NOON).figures

        assert figures["campaign"]["agreement"] == {"undefined": "nothing_in_common"}
        assert figures["labelers"] == []

    def test_is_kept_as_json_without_nan(self, fair):
        make_report(campaign=fair, now=NOON)

        json.dumps(latest_report(campaign=fair).figures, allow_nan=False)

    def test_asks_the_database_for_many_rankings_at_once(self, fair, django_assert_max_num_queries):
        with django_assert_max_num_queries(6):
            make_report(campaign=fair, now=NOON)
