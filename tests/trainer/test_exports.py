import json

import pytest

from annotation.models import Completion, Demonstration, Ranking
from tests.conftest import NOON
from trainer.actions.snapshots import freeze_snapshot
from trainer.errors import FormatDoesNotFit, SnapshotFileMissing
from trainer.exports import export_snapshot
from trainer.handoff.rundir import digest_of_file, digest_of_folder


def lines(folder):
    files = [folder / "train.jsonl", folder / "held_out.jsonl"]
    return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]


class TestPreference:
    def test_has_a_row_per_implied_comparison_and_none_for_ties(self, frozen, tmp_path, rankings):
        export_snapshot(frozen["rankings"], "trl-preference", tmp_path / "out")

        rows = lines(tmp_path / "out")
        of_soup = [row for row in rows if "soup" in row["prompt"][0]["content"]]
        assert [(row["chosen"][0]["content"], row["rejected"][0]["content"]) for row in of_soup] == [
            ("Boil it.", "Fry it."),
            ("Boil it.", "Bake it."),
            ("Boil it.", "Eat it raw."),
            ("Fry it.", "Eat it raw."),
            ("Bake it.", "Eat it raw."),
        ]
        assert len(rows) == 5 * len(rankings)

    def test_has_the_columns_and_roles_of_trls_conversational_form(self, frozen, tmp_path):
        export_snapshot(frozen["rankings"], "trl-preference", tmp_path / "out")

        for row in lines(tmp_path / "out"):
            assert list(row) == ["prompt", "chosen", "rejected"]
            assert row["prompt"][-1]["role"] == "user"
            assert [message["role"] for message in row["chosen"] + row["rejected"]] == ["assistant"] * 2

    def test_what_could_not_be_judged_gives_no_row(self, kitchen, rankings, tmp_path):
        Ranking.objects.update(tiers=[], unacceptable=[], cannot_judge="Greek.")
        snapshot = freeze_snapshot(campaign=kitchen, kind="rankings", created_by=None, now=NOON)

        export_snapshot(snapshot, "trl-preference", tmp_path / "out")

        assert lines(tmp_path / "out") == []


class TestPromptCompletion:
    def test_has_a_row_per_assistant_turn_with_the_conversation_before_it(
        self, frozen, tmp_path, demonstrations
    ):
        export_snapshot(frozen["demonstrations"], "trl-prompt-completion", tmp_path / "out")

        rows = lines(tmp_path / "out")
        assert len(rows) == 2 * len(demonstrations)
        for row in rows:
            assert list(row) == ["prompt", "completion"]
            assert row["prompt"][-1]["role"] == "user"
            assert [message["role"] for message in row["completion"]] == ["assistant"]


class TestExportSnapshot:
    @pytest.mark.parametrize(
        ("kind", "format"),
        [
            ("rankings", "trl-preference"),
            ("demonstrations", "trl-prompt-completion"),
            ("rankings", "native"),
            ("prompts", "native"),
        ],
    )
    def test_gives_the_same_bytes_each_time(self, frozen, tmp_path, kind, format):
        for name in ("one", "two"):
            export_snapshot(frozen[kind], format, tmp_path / name)

        assert digest_of_folder(tmp_path / "one") == digest_of_folder(tmp_path / "two")

    def test_the_manifest_has_the_digest_of_every_file(self, frozen, tmp_path):
        out = tmp_path / "out"

        manifest = export_snapshot(frozen["rankings"], "trl-preference", out)

        assert manifest == json.loads((out / "manifest.json").read_text())
        assert {*manifest["files"], "manifest.json"} == {file.name for file in out.iterdir()}
        assert all(digest_of_file(out / name) == digest for name, digest in manifest["files"].items())
        assert manifest["snapshot"] == frozen["rankings"].digest

    def test_native_is_the_snapshots_own_file(self, frozen, tmp_path):
        export_snapshot(frozen["prompts"], "native", tmp_path / "out")

        assert digest_of_file(tmp_path / "out" / "prompts.parquet") == frozen["prompts"].digest

    def test_the_card_names_the_campaign_and_the_digest(self, frozen, tmp_path):
        export_snapshot(frozen["rankings"], "native", tmp_path / "out")

        card = (tmp_path / "out" / "README.md").read_text()
        assert card.startswith("---\nconfigs:")
        assert "Kitchen" in card and frozen["rankings"].digest in card
        assert "Suggestions" not in card

    def test_the_card_counts_demonstrations_whose_author_was_shown_a_suggestion(
        self, kitchen, demonstrations, tmp_path
    ):
        shown = Completion.objects.create(prompt=demonstrations[0].prompt, text="Stir it.")
        Demonstration.objects.filter(pk=demonstrations[0].pk).update(suggestion=shown)

        frozen = freeze_snapshot(campaign=kitchen, kind="demonstrations", created_by=None, now=NOON)
        export_snapshot(frozen, "trl-messages", tmp_path / "out")

        card = (tmp_path / "out" / "README.md").read_text()
        assert "the authors of 1 demonstrations were shown one" in card

    @pytest.mark.parametrize(
        ("kind", "format"),
        [("prompts", "trl-preference"), ("rankings", "trl-prompt-completion"), ("prompts", "csv")],
    )
    def test_refuses_a_format_that_does_not_fit(self, frozen, tmp_path, kind, format):
        with pytest.raises(FormatDoesNotFit):
            export_snapshot(frozen[kind], format, tmp_path / "out")

        assert not (tmp_path / "out").exists()

    def test_says_so_when_the_file_is_gone(self, frozen, tmp_path):
        frozen["prompts"].file.unlink()

        with pytest.raises(SnapshotFileMissing):
            export_snapshot(frozen["prompts"], "native", tmp_path / "out")
