import io
import json

from annotation.actions.candidates import add_candidate_set
from annotation.actions.imports import import_items
from annotation.formats import READERS, containers
from annotation.formats.containers import json_rows
from annotation.models import Assignment, CandidateSet, Completion, Demonstration, Prompt, Ranking
from tests.conftest import NOON


def run_import(campaign, format_name, rows):
    text = "".join(row if isinstance(row, str) else json.dumps(row) + "\n" for row in rows)
    found = READERS[format_name](json_rows(io.StringIO(text)))
    return import_items(campaign=campaign, items=found, format_name=format_name, now=NOON)


def problems(report):
    return [(problem.line, problem.code) for problem in report.problems]


def orders():
    """The stored rankings, oldest first, as texts."""
    texts = dict(Completion.objects.values_list("pk", "text"))
    return [[sorted(texts[pk] for pk in tier) for tier in r.tiers] for r in Ranking.objects.order_by("pk")]


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

        assert problems(report) == [
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

    def test_are_refused_in_few_words_however_long_the_wrong_ones_are(self, kitchen):
        messages = [{"role": "w" * 1_000_000, "content": "Abracadabra"}]

        report = run_import(kitchen, "prompts", [{"messages": messages}])

        assert problems(report) == [(1, "unknown_role")]
        assert len(report.problems[0].detail) < 200

    def test_leave_nothing_behind_when_their_candidates_are_refused(self, kitchen):
        run_import(kitchen, "prompts", [{"prompt": "Soup?", "completions": ["Boil it.", "Fry\x00it."]}])

        assert not Prompt.objects.exists()
        assert not Completion.objects.exists()

    def test_refuse_a_line_that_is_too_long_without_reading_it_whole(self, kitchen, monkeypatch):
        monkeypatch.setattr(containers, "MAX_LINE", 100)
        file = LineReader(["x" * 1000, '{"prompt": "Soup?"}'])

        found = READERS["prompts"](json_rows(file))
        report = import_items(campaign=kitchen, items=found, format_name="prompts", now=NOON)

        assert problems(report) == [(1, "text_too_long")]
        assert [str(prompt) for prompt in Prompt.objects.all()] == ["Soup?"]
        assert file.longest_read <= 101


class LineReader(io.StringIO):
    """Remembers how much was read at once."""

    def __init__(self, lines):
        super().__init__("".join(line + "\n" for line in lines))
        self.longest_read = 0

    def readline(self, size=-1):
        text = super().readline(size)
        self.longest_read = max(self.longest_read, len(text))
        return text


class TestRankedPrompts:
    ROW = {"prompt": "Soup?", "completions": ["Boil.", "Fry.", "Bake."]}

    def test_keep_their_ranking_with_its_ties(self, kitchen):
        run_import(kitchen, "prompts", [{**self.ROW, "tiers": [[2], [0, 1]]}])

        assert orders() == [[["Bake."], ["Boil.", "Fry."]]]
        assert Assignment.objects.get().status == Assignment.Status.SUBMITTED

    def test_are_refused_unless_each_answer_is_ranked_once(self, kitchen):
        wrong = [[[0], [1], [1], [2]], [[0], [1]], [[0], [1], [2], [3]], [[-1], [0], [1]], [0, 1, 2], "best"]

        report = run_import(kitchen, "prompts", [{**self.ROW, "tiers": tiers} for tiers in wrong])

        assert [problem.code for problem in report.problems] == [
            "duplicate_completion",
            "incomplete_ranking",
            "unknown_completion",
            "unknown_completion",
            "malformed_row",
            "malformed_row",
        ]
        assert not Prompt.objects.exists()

    def test_are_refused_when_two_answers_are_the_same(self, kitchen):
        report = run_import(kitchen, "prompts", [{"prompt": "Soup?", "completions": ["Boil.", "Boil."]}])

        assert problems(report) == [(1, "duplicate_completion")]

    def test_are_told_when_they_contradict_what_was_imported(self, kitchen):
        first, second = {**self.ROW, "tiers": [[0], [1], [2]]}, {**self.ROW, "tiers": [[2], [1], [0]]}

        report = run_import(kitchen, "prompts", [first, second])

        assert problems(report) == [(2, "idempotency_conflict")]
        assert Ranking.objects.count() == 1

    def test_join_answers_that_already_wait_for_people(self, kitchen, soup, claim, ada):
        add_candidate_set(prompt=soup, texts=["Boil.", "Fry."])
        held = claim(kitchen, ada)
        row = {"messages": soup.messages, "completions": ["Fry.", "Boil."], "tiers": [[0], [1]]}

        run_import(kitchen, "prompts", [row])
        again = run_import(kitchen, "prompts", [row])

        held.refresh_from_db()
        assert held.labeler == ada
        assert CandidateSet.objects.count() == 1
        assert orders() == [[["Fry."], ["Boil."]]]
        assert again.unchanged["rankings"] == 1


class TestHHRLHF:
    ROW = {
        "chosen": "\n\nHuman: Soup?\n\nAssistant: Yes: boil it.",
        "rejected": "\n\nHuman: Soup?\n\nAssistant: No.",
    }

    def test_gives_a_ranking_of_two(self, kitchen):
        run_import(kitchen, "hh-rlhf", [self.ROW])

        assert orders() == [[["Yes: boil it."], ["No."]]]
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

        assert orders() == [[["Boil it."], ["Fry it."]], [["Half an hour."], ["A day.", "An hour."]]]

    def test_gives_the_best_path_as_a_demonstration(self, kitchen):
        run_import(kitchen, "oasst", [self.TREE])

        turns = Demonstration.objects.get().turns
        assert [turn["content"] for turn in turns] == ["Boil it.", "How long?", "Half an hour."]

    def test_reports_a_tree_without_a_prompt(self, kitchen):
        report = run_import(kitchen, "oasst", [{"tree": 1}, self.TREE])

        assert problems(report) == [(1, "malformed_row")]
        assert Prompt.objects.count() == 2

    def test_leaves_out_what_reviewers_rejected(self, kitchen):
        replies = [reply("Boil it.", 1), reply("Fry it.", 2), reply("Buy pills!", 0, review_result=False)]

        run_import(kitchen, "oasst", [{"prompt": reply("Soup?", role="prompter", replies=replies)}])

        assert orders() == [[["Boil it."], ["Fry it."]]]
        assert Demonstration.objects.get().turns == [{"role": "assistant", "content": "Boil it."}]

    def test_stores_nothing_of_a_tree_that_is_broken_further_down(self, kitchen):
        def tree(*broken):
            answers = [reply("Boil it.", 0, replies=broken), reply("Fry it.", 1)]
            return {"prompt": reply("Soup?", role="prompter", replies=answers)}

        silent, wizard = reply(None, role="prompter"), reply("Abracadabra", role="wizard")
        monologue, text = reply("And again.", role="assistant"), "a text"

        report = run_import(kitchen, "oasst", [tree(silent), tree(wizard), tree(monologue), tree(text)])

        assert problems(report) == [
            (1, "malformed_row"),
            (2, "malformed_row"),
            (3, "turns_must_alternate"),
            (4, "malformed_row"),
        ]
        assert not Prompt.objects.exists()

    def test_refuses_a_conversation_without_end(self, kitchen):
        node = reply("And then?", role="prompter")
        for depth in range(200):
            node = reply("And then?", role=["assistant", "prompter"][depth % 2], replies=[node])

        report = run_import(kitchen, "oasst", [{"prompt": node}])

        assert problems(report) == [(1, "text_too_long")]
