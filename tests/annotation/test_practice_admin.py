"""The admin's pages about practice items."""

import pytest

from annotation.models import PracticeItem
from tests.annotation.test_gold import candidates
from tests.annotation.test_practice import attempt, fail

LIST = "/admin/annotation/practiceitem/"


class TestMaking:
    @pytest.fixture
    def page(self, soup_set):
        return f"/admin/annotation/candidateset/{soup_set.pk}/practice/"

    def test_takes_an_order_and_its_explanation(self, admin, soup_set, page):
        a, b, c, d = candidates(soup_set)
        said = {"order": f"{b} > #{a} = {c}", "unacceptable": f"{d}", "explanation": "**Why**", "place": "3"}

        answer = admin.post(page, said)

        item = PracticeItem.objects.get()
        assert answer.status_code == 302
        assert (item.tiers, item.unacceptable) == ([[b], [a, c]], [d])
        assert (item.explanation, item.place) == ("**Why**", 3)

    def test_begins_with_what_is_there(self, admin, items):
        item = items[1]

        shown = admin.get(f"{LIST}{item.pk}/change/", follow=True)
        form = admin.get(f"{LIST}{item.pk}/answer/", follow=True).context["form"]

        assert shown.status_code == 200
        assert form.initial["order"] == f"{item.tiers[0][0]} > {item.tiers[1][0]}"
        assert (form.initial["explanation"], form.initial["place"]) == (item.explanation, 2)

    def test_says_what_is_wrong_and_stores_nothing(self, admin, soup_set, claimed, page):
        order = " > ".join(map(str, candidates(soup_set)))

        held = admin.post(page, {"order": order, "explanation": "Why", "place": "1"})
        unexplained = admin.post(page, {"order": order, "place": "1"})

        assert "new to everybody" in held.context["form"].errors["order"][0]
        assert unexplained.context["form"].errors["explanation"]
        assert not PracticeItem.objects.exists()

    def test_is_for_researchers_only(self, client, rosa, page):
        rosa.is_staff = True
        rosa.save()
        client.force_login(rosa)

        assert client.get(page).status_code in (302, 403)
        assert client.get(LIST).status_code in (302, 403)


class TestTheList:
    def test_tells_how_many_passed_at_first_and_in_the_end(self, admin, items, ada, ben):
        fail(items[0], ada)
        attempt(items[0], ada)
        attempt(items[0], ben)
        attempt(items[0], ben)

        rows = admin.get(LIST).context["cl"].result_list

        first, second, _third = rows
        assert (first.people, first.passed_first, first.passed_people) == (2, 1, 2)
        assert (second.people, second.passed_first, second.passed_people) == (0, 0, 0)

    def test_deactivates_and_activates(self, admin, items):
        for name, expected in [("deactivate", False), ("activate", True)]:
            admin.post(LIST, {"action": name, "_selected_action": [items[0].pk], "index": 0})
            items[0].refresh_from_db()
            assert items[0].is_active is expected

    def test_tells_who_may_rank(self, admin, strict, items, ada, ben):
        fail(items[0], ada)
        for item in items[:2]:
            attempt(item, ben)

        page = admin.get(f"{LIST}passed/")

        rows = {str(row[0]): (row[1], row[2], row[4]) for row in page.context["table"]["rows"]}
        assert rows == {"ada": (1, 0, "2 left"), "ben": (2, 2, "May rank")}
