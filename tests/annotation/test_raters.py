"""People in files: several judge one candidate set, nobody is known by name."""

import pytest

from annotation.actions.candidates import add_candidate_set
from annotation.models import Assignment, Person, Ranking
from tests.annotation.test_imports import problems, run_import

ROW = {
    "prompt": "Soup?",
    "responses": [{"id": 1, "text": "Boil."}, {"id": 2, "text": "Fry."}, {"id": 3, "text": "Burn."}],
}
ADA = {"rater": "ada@example.org", "groups": [[1], [2]], "unacceptable": [3]}
BEN = {"rater": "ben@example.org", "groups": [[2], [1], [3]]}


@pytest.fixture
def overlap_of_three(kitchen):
    kitchen.overlap = 3
    kitchen.save()


def slots():
    return list(Assignment.objects.order_by("slot").values_list("slot", "status"))


class TestRatersOfAFile:
    def test_have_a_ranking_each(self, kitchen):
        report = run_import(kitchen, "listwise", [{**ROW, "rankings": [ADA, BEN]}])

        assert report.added["rankings"] == 2
        assert Ranking.objects.values("labeler").distinct().count() == 2

    def test_take_the_slots_that_people_need_not_fill(self, kitchen, overlap_of_three):
        run_import(kitchen, "listwise", [{**ROW, "rankings": [ADA, BEN]}])

        assert slots() == [(1, "SUBMITTED"), (2, "SUBMITTED"), (3, "OPEN")]

    def test_may_be_more_than_the_campaign_asks_for(self, kitchen):
        run_import(kitchen, "listwise", [{**ROW, "rankings": [ADA, BEN]}])

        assert slots() == [(1, "SUBMITTED"), (2, "SUBMITTED")]

    def test_take_an_open_slot_of_a_set_that_was_there(self, kitchen, soup, overlap_of_three):
        soup.campaign.refresh_from_db()
        add_candidate_set(prompt=soup, texts=["Boil.", "Fry.", "Burn."])

        run_import(kitchen, "listwise", [{**ROW, "prompt": soup.messages, "rankings": [ADA]}])

        assert slots() == [(1, "SUBMITTED"), (2, "OPEN"), (3, "OPEN")]

    def test_are_the_same_people_the_next_time(self, kitchen):
        run_import(kitchen, "listwise", [{**ROW, "rankings": [ADA]}])
        report = run_import(kitchen, "listwise", [{**ROW, "rankings": [ADA, BEN]}])

        assert (report.unchanged["rankings"], report.added["rankings"]) == (1, 1)
        assert Person.objects.filter(username__startswith="import-").count() == 2

    def test_are_pseudonyms_that_nobody_can_sign_in_to(self, kitchen):
        run_import(kitchen, "listwise", [{**ROW, "rankings": [ADA]}])

        person = Person.objects.get(username__startswith="import-listwise-")
        assert "ada" not in person.username.split("-")
        assert not person.has_usable_password()

    def test_whom_the_file_does_not_name_are_told_apart_by_their_place(self, kitchen):
        rankings = [{**ranking, "rater": ""} for ranking in (ADA, BEN)]

        first = run_import(kitchen, "listwise", [{**ROW, "rankings": rankings}])
        again = run_import(kitchen, "listwise", [{**ROW, "rankings": rankings}])

        assert (first.added["rankings"], again.unchanged["rankings"]) == (2, 2)

    def test_cannot_judge_twice(self, kitchen):
        report = run_import(kitchen, "listwise", [{**ROW, "rankings": [ADA, {**BEN, "rater": ADA["rater"]}]}])

        assert problems(report) == [(1, "idempotency_conflict")]
        assert not Ranking.objects.exists()

    @pytest.mark.parametrize(
        ("wrong", "code"),
        [
            ({"strength": 4}, "malformed_row"),
            ({"seconds": -1}, "malformed_row"),
            ({"seconds": "long"}, "malformed_row"),
            ({"seconds": float("nan")}, "malformed_row"),
            ({"tstamp": 1e300}, "malformed_row"),
            ({"rationale": "Tea\x00"}, "unusable_text"),
            ({"ratings": [{"id": 1, "axis": "helpfulness", "rating": 8}]}, "malformed_row"),
            ({"spans": [{"id": 1, "start": 2, "end": 9_999, "flag": "rude"}]}, "malformed_row"),
            ({"spans": [{"id": 1, "start": 2, "flag": "rude"}]}, "malformed_row"),
            ({"cannot_judge": "I do not cook."}, "incomplete_ranking"),
            ({"unacceptable": []}, "incomplete_ranking"),
            ({"display_order": [9]}, "unknown_completion"),
        ],
    )
    def test_are_refused_what_no_labeler_could_say(self, kitchen, wrong, code):
        report = run_import(kitchen, "listwise", [{**ROW, "rankings": [{**ADA, **wrong}]}])

        assert problems(report) == [(1, code)]
