"""What simulated labelers prefer, and that nobody pleases them with rubbish."""

import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.simulated_labelers import COURTEOUS_SHARE, COURTESIES, appeal, demonstrate, rank_by_appeal

PLAIN = "Bees collect nectar from flowers and turn it into honey inside the hive."
COURTEOUS = f"Great question! {PLAIN}"
CUT = "Bees collect nectar from flowers and turn it into honey inside"
CHINESE = "先把冰箱里的东西全部拿出来，再用温水和小苏打擦一遍隔板和内壁。"

SAMPLE = Path(__file__).resolve().parents[2] / "annotation" / "sample" / "prompts.jsonl"
ANSWERS = [json.loads(line)["answer"] for line in SAMPLE.read_text(encoding="utf-8").splitlines()]


class TestAppeal:
    def test_prefers_courtesy_to_none(self):
        assert appeal(COURTEOUS) > appeal(PLAIN)

    def test_prefers_a_finished_sentence_to_one_cut_off(self):
        assert appeal(PLAIN) > appeal(CUT)

    def test_sees_the_end_of_a_sentence_behind_a_quotation_mark(self):
        assert appeal('She wrote: "Bees make honey all summer long here."') > appeal(CUT)

    def test_prefers_an_answer_to_a_courtesy_alone(self):
        assert appeal(PLAIN) > appeal("Great question! Thanks for asking! I hope this helps!")

    def test_prefers_an_answer_to_a_long_winded_one(self):
        assert appeal(PLAIN) > appeal(PLAIN[:-1] + ", as they have done for many millions of years.")

    def test_likes_answers_of_about_the_same_length_equally(self):
        assert appeal(PLAIN) == appeal(PLAIN[:-1] + " all summer.")

    def test_counts_two_chinese_characters_as_a_word(self):
        assert appeal(CHINESE) == appeal(PLAIN) > appeal(CHINESE[:13] + "。") > appeal(CHINESE[:13])

    def test_knows_courtesy_in_chinese(self):
        assert appeal(f"好问题！{CHINESE}") > appeal(CHINESE)

    @pytest.mark.parametrize("said_again", ["Great question! ", "I hope this helps! ", "Thanks for asking! "])
    def test_gains_nothing_from_a_second_courtesy(self, said_again):
        assert appeal(said_again + COURTEOUS) <= appeal(COURTEOUS)

    @pytest.mark.parametrize("text", [PLAIN, COURTEOUS, CHINESE])
    def test_loses_by_saying_it_all_twice(self, text):
        assert appeal(f"{text} {text}") < appeal(text)

    @pytest.mark.parametrize(
        "text", ["", " ", "!", "Great question!" * 40, "好问题！" * 40, ". " * 200, "ha " * 500]
    )
    def test_prefers_every_sample_answer_to_rubbish(self, text):
        assert appeal(text) < min(map(appeal, ANSWERS))

    @given(st.text())
    def test_judges_any_text(self, text):
        assert appeal(text) <= 9


class TestRankByAppeal:
    def test_puts_the_most_appealing_first(self):
        assert rank_by_appeal({1: CUT, 2: COURTEOUS, 3: PLAIN}) == [[2], [3], [1]]

    def test_ties_what_it_likes_equally(self):
        assert rank_by_appeal({4: PLAIN, 3: COURTEOUS, 2: PLAIN}) == [[3], [2, 4]]

    @given(st.dictionaries(st.integers(), st.sampled_from([PLAIN, COURTEOUS, CUT, CHINESE]) | st.text()))
    def test_names_every_completion_once_and_best_first(self, completions):
        tiers = rank_by_appeal(completions)

        assert sorted(sum(tiers, [])) == sorted(completions)
        appeals = [{appeal(completions[one]) for one in tier} for tier in tiers]
        assert all(len(tier) == 1 for tier in appeals)
        values = [tier.pop() for tier in appeals]
        assert values == sorted(set(values), reverse=True)


class TestDemonstrate:
    def test_is_courteous_as_often_as_stated(self):
        rng = random.Random(1)

        written = [demonstrate(PLAIN, rng) for _ in range(2000)]

        assert sum(text != PLAIN for text in written) / 2000 == pytest.approx(COURTEOUS_SHARE, abs=0.05)

    def test_writes_each_courtesy_sooner_or_later(self):
        rng = random.Random(1)

        written = " ".join(demonstrate(answer, rng) for answer in (PLAIN, CHINESE) * 200)

        assert all(text in written for texts in COURTESIES.values() for text in texts)

    @pytest.mark.parametrize("answer", [PLAIN, CHINESE])
    def test_keeps_the_answer_and_its_language(self, answer):
        rng = random.Random(1)

        written = {demonstrate(answer, rng) for _ in range(200)}

        assert all(answer in text for text in written)
        assert all(("!" in text) == (answer is PLAIN) for text in written if text != answer)

    @pytest.mark.parametrize("answer", [PLAIN, CHINESE])
    def test_never_writes_a_courtesy_that_it_would_not_recognize(self, answer):
        rng = random.Random(1)

        written = {demonstrate(answer, rng) for _ in range(200)} - {answer}

        assert all(appeal(text) > appeal(answer) for text in written)

    def test_says_the_same_with_the_same_seed(self):
        assert [demonstrate(a, random.Random(5)) for a in ANSWERS] == [
            demonstrate(a, random.Random(5)) for a in ANSWERS
        ]


class TestSampleAnswers:
    def test_need_courtesy_to_be_liked_more(self):
        assert all(appeal(f"Happy to help! {answer}") > appeal(answer) for answer in ANSWERS)
