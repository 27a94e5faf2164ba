"""The admin's pages about gold, pauses and reviews."""

import pytest

from annotation.actions.demonstrations import claim_demonstration
from annotation.actions.gold import mark_gold
from annotation.actions.reviews import claim_review, review_demonstration
from annotation.models import Gold, Pause
from tests.annotation.test_demonstrations import submit as submit_demonstration
from tests.annotation.test_gold import candidates, claim_it
from tests.annotation.test_submit_ranking import submit
from tests.conftest import NOON


@pytest.fixture
def soup_gold(soup_set):
    return mark_gold(
        candidate_set=soup_set,
        tiers=[[pk] for pk in candidates(soup_set)],
        marked_by=None,
        now=NOON,
    )


class TestMarking:
    @pytest.fixture
    def page(self, soup_set):
        return f"/admin/annotation/candidateset/{soup_set.pk}/gold/"

    def test_takes_an_order_of_numbers(self, admin, soup_set, page, rhea):
        a, b, c, d = candidates(soup_set)

        answer = admin.post(page, {"order": f"{b} > #{a} = {c}", "unacceptable": f"{d}", "note": "Known."})

        gold = Gold.objects.get()
        assert answer.status_code == 302
        assert (gold.tiers, gold.unacceptable) == ([[b], [a, c]], [d])
        assert (gold.note, gold.created_by) == ("Known.", rhea)

    def test_begins_with_a_rankings_order(self, admin, claimed, ada):
        a, b, c, d = sorted(claimed.shown_order)
        ranking, _ = submit(claimed, ada, tiers=[[c], [a, b]], unacceptable=[d])

        shown = admin.get(f"/admin/annotation/ranking/{ranking.pk}/gold/", follow=True)

        assert shown.context["form"].initial["order"] == f"{c} > {a} = {b}"
        assert shown.context["form"].initial["unacceptable"] == f"{d}"

    @pytest.mark.parametrize("order", ["", "best > worst", "1 > 2", "-1"])
    def test_says_what_is_wrong_and_stores_nothing(self, admin, soup_set, page, order):
        answer = admin.post(page, {"order": order, "unacceptable": ""})

        assert answer.context["form"].errors["order"]
        assert not Gold.objects.exists()

    def test_is_for_researchers_only(self, client, rosa, page):
        rosa.is_staff = True
        rosa.save()
        client.force_login(rosa)

        assert client.get(page).status_code in (302, 403)


class TestGoldList:
    def test_deactivates_and_activates(self, admin, soup_gold):
        for name, expected in [("deactivate", False), ("activate", True)]:
            admin.post(
                "/admin/annotation/gold/", {"action": name, "_selected_action": [soup_gold.pk], "index": 0}
            )
            soup_gold.refresh_from_db()
            assert soup_gold.is_active is expected

    def test_shows_each_labelers_accuracy_and_never_calls_few_answers_a_failure(
        self,
        admin,
        kitchen,
        soup_gold,
        ada,
    ):
        kitchen.gold_percent, kitchen.gold_minimum, kitchen.gold_pause_below = 50, 2, 60
        kitchen.save()
        assignment = None
        for seed in range(9):
            assignment = assignment or claim_it(kitchen, ada, seed)
        submit(assignment, ada, tiers=soup_gold.tiers[::-1])

        answer = admin.get("/admin/annotation/gold/accuracy", follow=True)

        ((labeler, sets, mean, interval, unjudged, state),) = answer.context["table"]["rows"]
        assert (labeler, sets, mean, unjudged) == (ada, 1, "0%", 0)
        assert interval == "0% – 79%"
        assert str(state) == "Not evaluated yet"
        assert not Pause.objects.exists()

    def test_shows_nobody_where_there_is_no_gold(self, admin, kitchen):
        assert admin.get("/admin/annotation/gold/accuracy", follow=True).context["table"]["rows"] == []


class TestPauses:
    def test_are_lifted(self, admin, kitchen, ada):
        pause = Pause.objects.create(campaign=kitchen, labeler=ada, reason="20%", paused_at=NOON)

        answer = admin.post(
            "/admin/annotation/pause/",
            {"action": "lift", "_selected_action": [pause.pk], "index": 0},
            follow=True,
        )

        pause.refresh_from_db()
        assert pause.lifted_at is not None
        assert [str(message) for message in answer.context["messages"]] == ["1 pause is lifted."]


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_page_opens_and_history_is_only_shown(
    admin,
    kitchen,
    soup_gold,
    ada,
    rosa,
    language,
):
    submit_demonstration(claim_demonstration(campaign=kitchen, labeler=ada))
    written = claim_review(campaign=kitchen, reviewer=rosa, now=NOON)
    review, _ = review_demonstration(
        demonstration=written, reviewer=rosa, verdict="ACCEPTED", revision=0, now=NOON
    )
    pause = Pause.objects.create(campaign=kitchen, labeler=ada, reason="20%", paused_at=NOON)

    for name, row in [("gold", soup_gold), ("pause", pause), ("review", review)]:
        for path in ("", f"{row.pk}/change/"):
            answer = admin.get(f"/admin/annotation/{name}/{path}", headers={"Accept-Language": language})
            assert answer.status_code == 200
        assert admin.post(f"/admin/annotation/{name}/{row.pk}/delete/", {"post": "yes"}).status_code == 403
