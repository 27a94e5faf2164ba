"""Who answers a campaign's chats, and what was asked of it."""

import pytest
from django.test import Client

from annotation.models import Campaign
from tests.conftest import NOON
from trainer.actions.promotions import check_gate, end_promotion, figures_of, promote_checkpoint
from trainer.errors import GateNotPassed, WrongCheckpointKind
from trainer.models import Checkpoint, Evaluation, GateRule, Promotion


@pytest.fixture
def make_checkpoint(db):
    def make(letter, **more):
        more |= {"kind": "sft"} if "produced_by" in more else {}
        return Checkpoint.objects.create(
            **{"kind": "base", "name": f"model {letter}", "digest": letter * 64, "created_at": NOON, **more}
        )

    return make


@pytest.fixture
def gate(kitchen):
    return GateRule.objects.create(campaign=kitchen, figure="win_rate_low", bound="at_least", value=0.5)


def promote(campaign, checkpoint, **more):
    return promote_checkpoint(campaign=campaign, checkpoint=checkpoint, by=None, now=NOON, **more)


class TestPromoting:
    def test_takes_the_place_of_what_answered_before(self, kitchen, make_checkpoint):
        first, second = make_checkpoint("a"), make_checkpoint("b")
        promote(kitchen, first)

        promote(kitchen, second)

        assert Promotion.objects.standing().get().checkpoint == second
        assert Promotion.objects.get(checkpoint=first).ended_at == NOON

    def test_twice_is_once(self, kitchen, make_checkpoint):
        first = make_checkpoint("a")

        assert promote(kitchen, first) == promote(kitchen, first)

    def test_leaves_other_campaigns_alone(self, kitchen, make_checkpoint):
        garden = Campaign.objects.create(name="Garden")
        promote(kitchen, make_checkpoint("a"))
        promote(garden, make_checkpoint("b"))

        assert end_promotion(campaign=garden, now=NOON)
        assert not end_promotion(campaign=garden, now=NOON)
        assert Promotion.objects.standing().get().campaign == kitchen

    def test_asks_for_what_the_gate_asks_and_keeps_the_numbers(self, kitchen, make_checkpoint, gate):
        checkpoint = make_checkpoint("a")
        with pytest.raises(GateNotPassed, match="win_rate_low"):
            promote(kitchen, checkpoint)
        measure(checkpoint, kitchen, win_rate_low=0.61)

        promotion = promote(kitchen, checkpoint)

        assert promotion.figures == {
            "gate": [{"rule": str(gate), "measured": 0.61, "holds": True}],
        }

    def test_is_possible_all_the_same_with_a_reason_that_is_kept(self, kitchen, make_checkpoint, gate):
        promotion = promote(kitchen, make_checkpoint("a"), reason="The demo is today.")

        assert promotion.figures["reason"] == "The demo is today."
        assert promotion.figures["gate"][0]["holds"] is False

    def test_of_a_reward_model_is_refused(self, kitchen, reward_model):
        with pytest.raises(WrongCheckpointKind):
            promote(kitchen, reward_model)


def measure(checkpoint, campaign, **figures):
    Evaluation.objects.create(checkpoint=checkpoint, campaign=campaign, figures=figures, measured_at=NOON)


class TestFigures:
    def test_are_those_of_its_run_and_then_the_latest_that_was_measured(
        self, kitchen, sft_run, make_checkpoint
    ):
        told = {"score": 1.0, "ref_kl": 3, "note": "fine", "ok": True}
        checkpoint = make_checkpoint("a", summary=told, produced_by=sft_run)
        for value in (2.0, 4.0):
            measure(checkpoint, kitchen, score=value)

        assert figures_of(checkpoint, kitchen) == {"score": 4.0, "ref_kl": 3.0}

    def test_are_not_those_of_another_campaigns_prompts(self, kitchen, sft_run, make_checkpoint):
        checkpoint = make_checkpoint("a", summary={"score": 1.0}, produced_by=sft_run)
        garden = Campaign.objects.create(name="Garden")
        measure(checkpoint, garden, ref_kl=2.0)

        assert figures_of(checkpoint, kitchen) == {"score": 1.0}
        assert figures_of(checkpoint, garden) == {"ref_kl": 2.0}

    @pytest.mark.parametrize(
        ("bound", "measured", "holds"),
        [
            ("at_least", 0.5, True),
            ("at_least", 0.49, False),
            ("at_most", 0.5, True),
            ("at_most", 0.51, False),
            ("at_most", None, False),
        ],
    )
    def test_hold_up_to_the_bound_and_not_where_nobody_measured(self, bound, measured, holds):
        assert GateRule(figure="x", bound=bound, value=0.5).holds(measured) is holds


class TestThePages:
    @pytest.fixture
    def page(self, rhea):
        rhea.is_superuser = True
        rhea.save()
        client = Client()
        client.force_login(rhea)
        return client

    def test_show_the_gate_and_promote(self, page, kitchen, make_checkpoint, gate, rhea):
        checkpoint = make_checkpoint("a")
        address = f"/admin/trainer/checkpoint/{checkpoint.pk}/promote/"

        shown = page.get(address, {"campaign": kitchen.pk}, follow=True).content.decode()
        refused = page.post(address, {"campaign": kitchen.pk, "reason": ""}, follow=True).content.decode()

        assert "win_rate_low" in shown
        assert "not measured" in shown
        assert "The gate does not let it pass" in refused
        page.post(address, {"campaign": kitchen.pk, "reason": "Now."}, follow=True)
        promotion = Promotion.objects.get()
        assert (promotion.promoted_by, promotion.figures["reason"]) == (rhea, "Now.")

    def test_offer_a_rule_what_is_measured_in_words(self, page, kitchen, make_checkpoint):
        measure(make_checkpoint("a"), kitchen, win_rate=0.6, e_value=30.0, arena=1, arena_against=2)

        form = page.get("/admin/trainer/gaterule/add/").context["adminform"].form

        words = dict(form.fields["figure"].choices)
        assert words["win_rate_low"] == "win_rate_low: Lower end of an arena's interval for the win rate"
        assert "e_value" in words
        assert [name for name, said in words.items() if name == said] == []

    def test_go_back_and_end(self, page, kitchen, make_checkpoint):
        first, second = promote(kitchen, make_checkpoint("a")), promote(kitchen, make_checkpoint("b"))

        page.post(f"/admin/trainer/promotion/{first.pk}/again/")
        assert Promotion.objects.standing().get().checkpoint == first.checkpoint
        standing = Promotion.objects.standing().get()
        assert "model a" in page.get(f"/admin/trainer/promotion/{standing.pk}/change/").content.decode()
        page.post(f"/admin/trainer/promotion/{standing.pk}/end/")

        assert not Promotion.objects.standing().exists()
        assert Promotion.objects.filter(checkpoint=second.checkpoint).exists()

    def test_are_for_researchers(self, ada, kitchen, make_checkpoint):
        client = Client()
        ada.is_staff = True
        ada.save()
        client.force_login(ada)

        client.post(
            f"/admin/trainer/checkpoint/{make_checkpoint('a').pk}/promote/",
            {"campaign": kitchen.pk},
            follow=True,
        )

        assert not Promotion.objects.exists()
        assert check_gate(kitchen, Checkpoint.objects.get()) == []

    def test_sample_from_what_is_promoted_unless_told_otherwise(self, page, kitchen, frozen, make_checkpoint):
        promoted, other = make_checkpoint("a"), make_checkpoint("b")
        promote(kitchen, promoted)

        usual = page.get("/admin/trainer/run/start/sample/").context["form"]
        chosen = page.get(f"/admin/trainer/run/start/sample/?base={other.pk}").context["form"]

        assert [str(form["base"].value()) for form in (usual, chosen)] == [str(promoted.pk), str(other.pk)]
