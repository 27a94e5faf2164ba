from datetime import timedelta

import pytest

from annotation.actions.prompts import add_prompt
from annotation.models import Campaign, Completion, Demonstration, Ranking
from tests.conftest import NOON
from trainer.actions.snapshots import freeze_snapshot
from trainer.errors import NothingToFreeze
from trainer.handoff.records import (
    RECORDS,
    DemonstrationRecord,
    FeedbackRecord,
    PromptRecord,
    RankingRecord,
    read_records,
)
from trainer.handoff.rundir import digest_of_file
from trainer.models import Snapshot


def freeze(campaign, kind, **changes):
    return freeze_snapshot(campaign=campaign, kind=kind, **{"created_by": None, "now": NOON, **changes})


def rows(snapshot):
    return read_records(snapshot.file, RECORDS[snapshot.kind])


class TestFreezeSnapshot:
    def test_keeps_every_row_of_its_kind(self, kitchen, prompts, frozen, ada):
        assert [row.prompt_id for row in rows(frozen["prompts"])] == [prompt.pk for prompt in prompts]
        assert len(rows(frozen["demonstrations"])) == len(prompts)
        ranking = rows(frozen["rankings"])[0]
        stored = Ranking.objects.order_by("pk").first()
        assert (ranking.tiers, ranking.unacceptable) == (stored.tiers, stored.unacceptable)
        assert [completion["text"] for completion in ranking.completions] == [
            "Boil it.",
            "Fry it.",
            "Bake it.",
            "Eat it raw.",
        ]
        assert ranking.guideline_version == 1

    @pytest.mark.parametrize("kind", ["demonstrations", "rankings", "prompts"])
    def test_is_named_by_its_contents(self, frozen, kind):
        snapshot = frozen[kind]

        assert snapshot.digest == digest_of_file(snapshot.file)
        assert snapshot.rows == len(rows(snapshot))

    @pytest.mark.parametrize("kind", ["demonstrations", "rankings", "prompts"])
    def test_the_same_rows_are_the_same_snapshot(self, kitchen, frozen, kind):
        again = freeze(kitchen, kind, now=NOON + timedelta(days=1))

        assert again == frozen[kind]
        assert Snapshot.objects.filter(kind=kind).count() == 1

    def test_a_new_row_is_a_new_snapshot(self, kitchen, frozen):
        add_prompt(campaign=kitchen, messages=[{"role": "user", "content": "How do I make ice?"}])

        assert freeze(kitchen, "prompts") != frozen["prompts"]

    def test_a_prompt_is_in_the_same_split_of_every_snapshot(self, frozen):
        splits = [{row.prompt_id: row.split for row in rows(snapshot)} for snapshot in frozen.values()]

        assert splits[0] == splits[1] == splits[2]
        assert set(splits[0].values()) == {"train", "held_out"}

    def test_the_branches_of_a_tree_are_on_the_same_side(self, kitchen, prompts):
        for root in prompts:
            for reply in ("Boil it.", "Fry it."):
                turns = [{"role": "assistant", "content": reply}, {"role": "user", "content": "And then?"}]
                add_prompt(campaign=kitchen, messages=[*root.messages, *turns])

        by_root = {}
        for row in rows(freeze(kitchen, "prompts")):
            by_root.setdefault(row.messages[0]["content"], set()).add(row.split)

        assert all(len(sides) == 1 for sides in by_root.values())
        assert set.union(*by_root.values()) == {"train", "held_out"}

    def test_nothing_is_held_out_where_the_campaign_says_so(self, kitchen, prompts):
        kitchen.held_out_percent = 0
        kitchen.save()

        assert {row.split for row in rows(freeze(kitchen, "prompts"))} == {"train"}

    def test_labelers_are_pseudonyms_that_differ_between_campaigns(self, frozen, ada, prompts):
        other = Campaign.objects.create(name="Garden")
        prompt, _ = add_prompt(campaign=other, messages=[{"role": "user", "content": "Roses?"}])
        Demonstration.objects.create(
            prompt=prompt,
            labeler=ada,
            turns=[{"role": "assistant", "content": "Water them."}],
            status="SUBMITTED",
            submitted_at=NOON,
        )

        here = {row.labeler for row in rows(frozen["demonstrations"])}
        there = {row.labeler for row in rows(freeze(other, "demonstrations"))}

        assert here == {row.labeler for row in rows(frozen["rankings"])}
        assert len(here | there) == 2
        assert ada.username not in here | there

    def test_leaves_drafts_and_returned_demonstrations_out(self, kitchen, demonstrations):
        Demonstration.objects.filter(pk=demonstrations[0].pk).update(status="DRAFT", submitted_at=None)
        Demonstration.objects.filter(pk=demonstrations[1].pk).update(status="RETURNED")

        assert freeze(kitchen, "demonstrations").rows == len(demonstrations) - 2

    def test_marks_demonstrations_whose_author_was_shown_a_suggestion(self, kitchen, demonstrations):
        shown = Completion.objects.create(prompt=demonstrations[0].prompt, text="Stir it.")
        Demonstration.objects.filter(pk=demonstrations[0].pk).update(suggestion=shown)

        snapshot = freeze(kitchen, "demonstrations")

        assert [row.demonstration_id for row in rows(snapshot) if row.suggested] == [demonstrations[0].pk]
        assert snapshot.manifest["suggested"] == 1

    def test_keeps_rankings_that_could_not_be_judged(self, kitchen, rankings):
        Ranking.objects.filter(pk=rankings[0].pk).update(tiers=[], unacceptable=[], cannot_judge="Greek.")

        snapshot = freeze(kitchen, "rankings")

        assert rows(snapshot)[0].cannot_judge == "Greek."
        assert snapshot.manifest["cannot_judge"] == 1

    def test_the_manifest_counts_what_is_in_it(self, frozen, prompts):
        manifest = frozen["rankings"].manifest

        assert sum(manifest["rows"].values()) == len(prompts)
        assert manifest["prompts_by_kind"] == {"question": len(prompts)}
        assert manifest["prompts_by_language"] == {"en": len(prompts)}
        assert manifest["guideline_versions"] == {"1": len(prompts)}
        assert manifest["campaign"] == "Kitchen"

    @pytest.mark.parametrize("kind", ["demonstrations", "rankings", "prompts"])
    def test_refuses_an_empty_one_in_words(self, db, kind):
        with pytest.raises(NothingToFreeze, match="Attic"):
            freeze(Campaign.objects.create(name="Attic"), kind)

        assert Snapshot.objects.count() == 0

    def test_survives_text_of_every_language(self, kitchen):
        add_prompt(campaign=kitchen, messages=[{"role": "user", "content": "茶\u2028👩‍🍳\r\n\t"}])

        assert rows(freeze(kitchen, "prompts"))[0].messages[0]["content"] == "茶\u2028👩‍🍳\r\n\t"


def test_each_kind_has_its_record():
    assert [RECORDS[kind] for kind in Snapshot.Kind.values] == [
        DemonstrationRecord,
        RankingRecord,
        PromptRecord,
        FeedbackRecord,
    ]
