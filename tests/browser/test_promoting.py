"""Which checkpoint answers: a rule holds one back, a figure or a reason lets it pass, one click goes back."""

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from annotation.models import Person
from trainer.models import Checkpoint, Evaluation, GateRule, Promotion


@pytest.fixture
def rhea(transactional_db):
    return Person.objects.create_user(
        "rhea", password="correct horse", role=Person.Role.RESEARCHER, is_staff=True
    )


@pytest.fixture
def cooks(kitchen):
    now = timezone.now()
    return [
        Checkpoint.objects.create(kind="base", name=name, location="/x", digest=name[0] * 64, created_at=now)
        for name in ("kind cook", "rude cook")
    ]


class TestPromoting:
    def test_asks_for_what_the_rules_ask_or_for_a_reason_and_goes_back_in_one_click(
        self, visit, rhea, kitchen, cooks
    ):
        kind, rude = cooks
        visitor = visit()
        page = visitor.page

        visitor.enter(rhea, "/admin/trainer/gaterule/add/")
        page.get_by_label("Campaign").select_option(label="Kitchen")
        page.get_by_label("Figure").select_option("win_rate_low")
        page.get_by_label("Value").fill("0.5")
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_text("was added successfully")).to_be_visible()
        rule = GateRule.objects.get()
        assert (rule.campaign, rule.figure, rule.bound, rule.value) == (
            kitchen,
            "win_rate_low",
            "at_least",
            0.5,
        )

        Evaluation.objects.create(
            checkpoint=kind, campaign=kitchen, figures={"win_rate_low": 0.6}, measured_at=timezone.now()
        )
        promote(visitor, kind)
        expect(page.get_by_text("kind cook answers the chats of Kitchen")).to_be_visible()
        promotion = Promotion.objects.standing().get()
        assert (promotion.checkpoint, promotion.promoted_by) == (kind, rhea)
        asked = {"figure": "win_rate_low", "bound": "at_least", "value": 0.5}
        assert promotion.figures == {"gate": [{**asked, "measured": 0.6, "holds": True}]}

        promote(visitor, rude)
        expect(page.get_by_text("The gate does not let it pass")).to_be_visible()
        expect(page.get_by_text("not measured")).to_be_visible()
        assert visitor.barriers("#content") == []
        assert Promotion.objects.standing().get() == promotion
        page.get_by_label("Reason").fill("The kind one is away.")
        page.get_by_role("button", name="Promote", exact=True).click()
        expect(page.get_by_text("rude cook answers the chats of Kitchen")).to_be_visible()
        assert Promotion.objects.standing().get().figures["reason"] == "The kind one is away."

        visitor.go(f"/admin/trainer/promotion/{promotion.pk}/change/")
        assert visitor.barriers("#content-main") == []
        page.get_by_role("button", name="Go back to this one").click()
        expect(page.get_by_text("kind cook answers again.")).to_be_visible()
        assert Promotion.objects.standing().get().checkpoint == kind
        assert [one.checkpoint for one in Promotion.objects.order_by("pk")] == [kind, rude, kind]


def promote(visitor, checkpoint):
    visitor.go(f"/admin/trainer/checkpoint/{checkpoint.pk}/change/")
    visitor.page.get_by_role("link", name="Promote").click()
    visitor.page.get_by_label("Campaign").select_option(label="Kitchen")
    visitor.page.get_by_role("button", name="Promote", exact=True).click()
