import gzip
import json

from benchmarks import texts


def words(answers):
    return [answer.rstrip(".").split() for answer in answers]


class TestMadeUpTexts:
    def test_are_the_same_for_the_same_seed(self, monkeypatch):
        monkeypatch.delenv("BENCH_DATA", raising=False)

        first, again, other = (texts.rankings(3, 4, words_per_token=0.5, seed=seed) for seed in (1, 1, 2))

        assert first == again
        assert first != other

    def test_show_in_their_words_which_answer_is_better(self, monkeypatch):
        monkeypatch.delenv("BENCH_DATA", raising=False)
        praise = set(texts._lexicon()[: texts.TELLING])

        rows = texts.rankings(50, 2, words_per_token=1.0)

        shares = [
            [sum(w in praise for w in answer) / len(answer) for answer in words(r.answers)] for r in rows
        ]
        assert sum(best > worst for best, worst in shares) > 40


class TestPeoplesDialogues:
    def test_keep_the_chosen_answer_first_and_fill_up_with_answers_to_others(self, monkeypatch, tmp_path):
        path = tmp_path / "dialogues.jsonl.gz"
        pies = "\n\nHuman: Which pie?\n\nAssistant: Sweet?\n\nHuman: Yes.\n\nAssistant:"
        rows = [
            {"chosen": f"{pies} Apple.", "rejected": f"{pies} No."},
            {
                "chosen": "\n\nHuman: Tea?\n\nAssistant: Green.",
                "rejected": "\n\nHuman: Tea?\n\nAssistant: Hm.",
            },
        ]
        with gzip.open(path, "wt") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)
        monkeypatch.setenv("BENCH_DATA", str(path))

        found = texts.rankings(2, 3, words_per_token=1.0)

        pie = next(row for row in found if row.answers[0] == "Apple.")
        assert [message["content"] for message in pie.messages] == ["Which pie?", "Sweet?", "Yes."]
        assert [message["role"] for message in pie.messages] == ["user", "assistant", "user"]
        assert pie.answers[1] == "No."
        assert len(pie.answers) == 3
