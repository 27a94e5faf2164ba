import json

import pytest

from annotation.actions import quality_reports
from annotation.actions.quality import latest_report
from annotation.actions.quality_reports import make_report
from annotation.models import Assignment
from tests.annotation.ballots import crowd
from tests.annotation.fair import rank
from tests.conftest import NOON


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
