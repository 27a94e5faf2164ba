"""Who answers a campaign's chats, and what was asked of it."""

from importlib import import_module

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
            "gate": [
                {
                    "figure": gate.figure,
                    "bound": gate.bound,
                    "value": gate.value,
                    "measured": 0.61,
                    "holds": True,
                }
            ],
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

    @pytest.mark.parametrize(
        ("language", "rule", "why"),
        [
            ("en", "win_rate_low at least 0.5", "It answered before: promotion"),
            ("zh-hans", "win_rate_low 至少 0.5", "它以前服务过：启用记录"),
        ],
    )
    def test_say_what_was_asked_then_in_the_readers_language(
        self, page, kitchen, make_checkpoint, gate, language, rule, why
    ):
        first = promote(kitchen, make_checkpoint("a"), reason="The demo is today.")
        Promotion.objects.update(figures={})
        end_promotion(campaign=kitchen, now=NOON)

        page.post(f"/admin/trainer/promotion/{first.pk}/again/")

        again = Promotion.objects.standing().get()
        answer = page.get(
            f"/admin/trainer/promotion/{again.pk}/change/", headers={"Accept-Language": language}
        )
        assert answer.context["gate"][0]["rule"] == rule
        assert f"{why} {first.pk}" in answer.content.decode()

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


class TestWhatWasKeptInWords:
    """In the language of whoever acted, before there were codes for it."""

    words = import_module("trainer.migrations.0017_words")

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("", ""),
            ("Somebody stopped it.", "by_hand"),
            ("票已全部投完，未能分出胜者。", "no_winner"),
            ("#7 sample did not succeed, so model b has no answers.", "no_answers"),
        ],
    )
    def test_becomes_a_code(self, text, code):
        assert self.words.why(text) == code

    @pytest.mark.parametrize("rule", ["ref_kl at most 0.5", "ref_kl 至多 0.5"])
    def test_becomes_a_rule_again(self, rule):
        told = {"gate": [{"rule": rule, "measured": 1.0, "holds": False}], "reason": "The demo is today."}

        assert self.words.figures(told) == {
            "gate": [{"figure": "ref_kl", "bound": "at_most", "value": 0.5, "measured": 1.0, "holds": False}],
            "reason": "The demo is today.",
        }

    @pytest.mark.parametrize("reason", ["It answered before: promotion 12.", "它以前服务过：启用记录 12。"])
    def test_becomes_the_number_of_an_earlier_promotion(self, reason):
        assert self.words.figures({"gate": [], "reason": reason}) == {"gate": [], "again": 12}

    def test_stays_and_is_shown_where_it_has_another_form(self, kitchen, make_checkpoint, rhea):
        odd = {"gate": [{"rule": "be good", "measured": None, "holds": False}], "reason": "Now."}
        promotion = promote(kitchen, make_checkpoint("a"))
        Promotion.objects.update(figures=self.words.figures(odd))
        rhea.is_superuser = True
        rhea.save()
        client = Client()
        client.force_login(rhea)

        assert "be good" in client.get(f"/admin/trainer/promotion/{promotion.pk}/change/").content.decode()
