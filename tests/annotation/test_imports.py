import io
import json
import os
from pathlib import Path

import pytest
from django.core.management import call_command

from annotation.actions.imports import import_items
from annotation.formats import READERS
from annotation.models import Assignment, CandidateSet, Demonstration, Prompt, Ranking
from tests.conftest import NOON

DEVELOPMENT_DATA = Path(
    os.environ.get("RANKWRIGHT_DEVELOPMENT_DATA", Path(__file__).resolve().parents[3] / "shared" / "data")
)


def run_import(campaign, format_name, rows):
    text = "".join(row if isinstance(row, str) else json.dumps(row) + "\n" for row in rows)
    items = READERS[format_name](io.StringIO(text))
    return import_items(campaign=campaign, items=items, format_name=format_name, now=NOON)


class TestPrompts:
    def test_land_once_however_often_they_are_imported(self, kitchen):
        rows = [{"prompt": "Soup?", "kind": "question", "language": "en"}, {"prompt": "Rice?"}]

        first, again = run_import(kitchen, "prompts", rows), run_import(kitchen, "prompts", rows)

        assert (first.added["prompts"], again.added["prompts"], again.unchanged["prompts"]) == (2, 0, 2)
        assert Prompt.objects.count() == 2

    def test_bring_their_candidates_ready_to_rank(self, kitchen):
        run_import(kitchen, "prompts", [{"prompt": "Soup?", "completions": ["Boil.", "Fry."]}])

        assert Assignment.objects.open().count() == 1

    def test_report_each_bad_row_with_its_line_and_keep_the_good_ones(self, kitchen):
        rows = [
            {"prompt": "Soup?"},
            "{not json}\n",
            "[1, 2]\n",
            {"kind": "question"},
            {"prompt": "x" * 1_000_000},
            {"prompt": "Tea\x00?"},
            '{"prompt": "broken \\ud83c"}\n',
            {"messages": [{"role": "wizard", "content": "Abracadabra"}]},
            {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]},
            {"prompt": "Only one candidate?", "completions": ["Yes."]},
            {"prompt": "Candidates?", "completions": ["Yes.", 3]},
            {"prompt": "Kind?", "kind": ["question"]},
            {"prompt": "Rice?"},
        ]

        report = run_import(kitchen, "prompts", rows)

        assert [(problem.line, problem.code) for problem in report.problems] == [
            (2, "malformed_json"),
            (3, "malformed_row"),
            (4, "malformed_row"),
            (5, "text_too_long"),
            (6, "unusable_text"),
            (7, "unusable_text"),
            (8, "unknown_role"),
            (9, "last_turn_not_user"),
            (10, "too_few_candidates"),
            (11, "malformed_row"),
            (12, "malformed_row"),
        ]
        assert [str(prompt) for prompt in Prompt.objects.order_by("pk")] == ["Soup?", "Rice?"]


class TestHHRLHF:
    ROW = {
        "chosen": "\n\nHuman: Soup?\n\nAssistant: Yes: boil it.",
        "rejected": "\n\nHuman: Soup?\n\nAssistant: No.",
    }

    def test_gives_a_ranking_of_two(self, kitchen):
        run_import(kitchen, "hh-rlhf", [self.ROW])

        ranking = Ranking.objects.get()
        texts = dict(CandidateSet.objects.get().completions.values_list("pk", "text"))
        assert [[texts[pk] for pk in tier] for tier in ranking.tiers] == [["Yes: boil it."], ["No."]]
        assert Prompt.objects.get().messages == [{"role": "user", "content": "Soup?"}]

    def test_refuses_dialogues_that_part_too_early(self, kitchen):
        rejected = "\n\nHuman: Rice?\n\nAssistant: No."

        report = run_import(kitchen, "hh-rlhf", [{**self.ROW, "rejected": rejected}])

        assert [problem.code for problem in report.problems] == ["malformed_row"]

    def test_adds_nothing_the_second_time(self, kitchen):
        run_import(kitchen, "hh-rlhf", [self.ROW])
        again = run_import(kitchen, "hh-rlhf", [self.ROW])

        assert not again.added
        assert Ranking.objects.count() == 1


def reply(text, rank=None, replies=(), role="assistant", **more):
    return {"text": text, "role": role, "rank": rank, "replies": list(replies), "lang": "en", **more}


class TestOASST:
    TREE = {
        "prompt": reply(
            "Soup?",
            role="prompter",
            replies=[
                reply("Fry it.", rank=1),
                reply(
                    "Boil it.",
                    rank=0,
                    replies=[
                        reply(
                            "How long?",
                            role="prompter",
                            replies=[
                                reply("An hour.", 1),
                                reply("Half an hour.", 0),
                                reply("A day.", 1),
                                reply("Spam", 0, deleted=True),
                            ],
                        )
                    ],
                ),
            ],
        )
    }

    def test_gives_a_ranking_at_every_level_with_ties_kept(self, kitchen):
        run_import(kitchen, "oasst", [self.TREE])

        texts = {}
        for candidate_set in CandidateSet.objects.all():
            texts.update(candidate_set.completions.values_list("pk", "text"))
        orders = [
            [sorted(texts[pk] for pk in tier) for tier in ranking.tiers]
            for ranking in Ranking.objects.order_by("pk")
        ]
        assert orders == [[["Boil it."], ["Fry it."]], [["Half an hour."], ["A day.", "An hour."]]]

    def test_gives_the_best_path_as_a_demonstration(self, kitchen):
        run_import(kitchen, "oasst", [self.TREE])

        turns = Demonstration.objects.get().turns
        assert [turn["content"] for turn in turns] == ["Boil it.", "How long?", "Half an hour."]

    def test_reports_a_tree_without_a_prompt(self, kitchen):
        report = run_import(kitchen, "oasst", [{"tree": 1}, self.TREE])

        assert [problem.line for problem in report.problems] == [1]
        assert Prompt.objects.count() == 2


@pytest.mark.django_db
@pytest.mark.skipif(not DEVELOPMENT_DATA.exists(), reason="the real data sets are not on this machine")
class TestRealFiles:
    def test_open_assistant_trees_import_whole(self, capsys):
        file = DEVELOPMENT_DATA / "oasst_trees_dev.jsonl"

        call_command("import_data", "oasst", str(file), "--campaign", "Open-Assistant")

        assert "0 lines could not be used" in capsys.readouterr().out
        assert Ranking.objects.count() > 100
        assert max(len(ranking.shown_order) for ranking in Ranking.objects.all()) > 4

    def test_hh_rlhf_imports_but_for_its_broken_rows(self, capsys):
        file = DEVELOPMENT_DATA / "hh_harmless_dev.jsonl.gz"

        call_command("import_data", "hh-rlhf", str(file), "--campaign", "HH")

        assert "8 lines could not be used" in capsys.readouterr().out
        assert Ranking.objects.count() == 1592
