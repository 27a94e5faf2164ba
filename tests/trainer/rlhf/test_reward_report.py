import json
import math
import random
from dataclasses import replace
from itertools import product
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.rlhf.report_pictures import report_files
from trainer.rlhf.reward_report import (
    ScoredComparison,
    ScoredRanking,
    accuracy,
    calibration,
    effective_count,
    kendall_tau,
    reward_report,
    scored_comparisons,
    wilson_interval,
    win_probability,
)


def scored(tiers, scores, *, unacceptable=(), lengths=None, prompt=1, candidates=None, labeler="Ada"):
    """Scores and lengths by completion id, which are 1, 2, 3, …"""
    ids = range(1, len(scores) + 1)
    return ScoredRanking(
        prompt_id=prompt,
        candidate_set_id=prompt if candidates is None else candidates,
        labeler=labeler,
        tiers=tiers,
        unacceptable=list(unacceptable),
        scores=dict(zip(ids, scores, strict=True)),
        lengths=dict(zip(ids, lengths or [10] * len(scores), strict=True)),
    )


def compared(margin, *, prompt=1, distance=1, extra_tokens=0):
    return ScoredComparison(prompt, margin, distance, extra_tokens)


def report(*rankings):
    return reward_report(rankings)


def with_prefix(prefix, figures):
    """All figures of a report, nested ones too, by their path."""
    for name, value in figures.items():
        if isinstance(value, dict) and "value" not in value:
            yield from with_prefix(f"{prefix}{name}.", value)
        elif isinstance(value, dict):
            yield prefix + name, value


class TestAccuracy:
    def test_counts_an_equal_score_half(self):
        assert accuracy([compared(2.0), compared(0.0), compared(-1.0), compared(0.5)])["value"] == 0.625

    def test_is_1_for_the_labelers_order_and_0_for_its_reverse(self):
        tiers = [[3], [1, 2], [4]]

        assert report(scored(tiers, [0.0, 0.1, 9.0, -5.0]))["accuracy"]["value"] == 1
        assert report(scored(tiers, [0.0, 0.1, -9.0, 5.0]))["accuracy"]["value"] == 0

    def test_by_rank_distance_counts_tiers_between_and_unacceptable_as_the_last(self):
        figures = report(scored([[1], [2, 3]], [3.0, 2.0, 4.0, 5.0], unacceptable=[4]))

        by_distance = {
            at["distance"]: (at["value"], at["comparisons"]) for at in figures["accuracy_by_rank_distance"]
        }
        # 1 > 2 right, 1 > 3 wrong, 2 > 4 and 3 > 4 wrong; 1 > 4 wrong.
        assert by_distance == {1: (0.25, 4), 2: (0.0, 1)}

    def test_over_all_distances_is_accuracy(self):
        dice = random.Random(0)
        figures = report(
            *(scored([[1], [2], [3], [4]], [dice.gauss(0, 1) for _ in "1234"]) for _ in range(9))
        )

        parts = figures["accuracy_by_rank_distance"]
        assert sum(at["value"] * at["comparisons"] for at in parts) / 54 == pytest.approx(
            figures["accuracy"]["value"], rel=1e-5
        )


class TestInterval:
    def test_is_wilsons(self):
        # Newcombe 1998, table I: 81 of 263, and 0 of 20.
        assert wilson_interval(81 / 263, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
        assert wilson_interval(0, 20) == pytest.approx((0, 0.1611), abs=5e-5)

    @given(st.floats(0, 1), st.floats(1, 1e6))
    def test_holds_its_share_and_stays_between_0_and_1(self, share, count):
        low, high = wilson_interval(share, count)

        assert 0 <= low <= share + 1e-12
        assert share - 1e-12 <= high <= 1

    @given(st.lists(st.booleans(), min_size=2, max_size=30))
    def test_counts_comparisons_of_different_prompts_one_by_one(self, right):
        rows = [compared(1 if ok else -1, prompt=number) for number, ok in enumerate(right)]

        assert effective_count(rows) == pytest.approx(len(right))

    @given(st.lists(st.booleans(), min_size=2, max_size=30), st.integers(2, 6))
    def test_is_no_narrower_for_repeating_a_prompts_comparison(self, right, times):
        rows = [compared(1 if ok else -1, prompt=number) for number, ok in enumerate(right)]

        once, often = accuracy(rows), accuracy(rows * times)

        assert (often["low"], often["high"]) == pytest.approx((once["low"], once["high"]))

    def test_covers_the_truth_about_95_times_in_100_although_prompts_differ(self):
        """Prompts are easy (90 %) or hard (50 %): six comparisons each, 70 % right in the long run."""
        dice = random.Random(4)
        hits = 0
        for _ in range(400):
            rows = []
            for prompt in range(60):
                ease = dice.choice([0.9, 0.5])
                rows += [compared(1 if dice.random() < ease else -1, prompt=prompt) for _ in range(6)]
            figure = accuracy(rows)
            hits += figure["low"] <= 0.7 <= figure["high"]

        assert 0.92 <= hits / 400 <= 0.98


class TestKendallTau:
    def brute_force(self, first, second):
        """By the definition of τ-b as a correlation of signs over all ordered pairs."""

        def sign(x):
            return (x > 0) - (x < 0)

        places = list(product(range(len(first)), repeat=2))
        a = [sign(first[i] - first[j]) for i, j in places]
        b = [sign(second[i] - second[j]) for i, j in places]
        if not any(a) or not any(b):
            return None
        both = sum(x * y for x, y in zip(a, b, strict=True))
        return both / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))

    @given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=9))
    def test_equals_its_definition(self, points):
        first, second = [a for a, _ in points], [b for _, b in points]

        ours, expected = kendall_tau(first, second), self.brute_force(first, second)

        assert ours == (None if expected is None else pytest.approx(expected))

    def test_has_known_values(self):
        assert kendall_tau([1, 2, 3, 4], [1, 2, 4, 3]) == pytest.approx(4 / 6)
        assert kendall_tau([1, 1, 2, 3], [1, 2, 3, 4]) == pytest.approx(5 / math.sqrt(5 * 6))

    @given(st.permutations(range(6)))
    def test_is_1_for_the_same_order_and_minus_1_for_its_reverse(self, order):
        assert kendall_tau(order, order) == 1
        assert kendall_tau(order, [-x for x in order]) == -1

    def test_is_averaged_over_the_rankings_that_have_one(self):
        figures = report(
            scored([[1], [2]], [1.0, 0.0]), scored([[1], [2]], [0.0, 1.0]), scored([[1, 2]], [0.0, 1.0])
        )

        assert figures["kendall_tau"] == {"value": 0.0, "rankings": 2, "undefined": 1}


class TestCalibration:
    def true_to_its_word(self, *, told=1.0, count=20_000):
        """Winners drawn with the probability that their scores say; margins are then told too high or low."""
        dice = random.Random(1)
        rows = []
        for prompt in range(count):
            margin = dice.gauss(0, 1.5)
            wins = dice.random() < 1 / (1 + math.exp(-margin))
            rows.append(compared(told * (margin if wins else -margin), prompt=prompt))
        return calibration(rows)

    def test_is_near_0_where_probabilities_come_true(self):
        assert self.true_to_its_word()["ece"]["value"] < 0.015

    @pytest.mark.parametrize("told", [0.3, 3.0])
    def test_shows_too_little_and_too_much_confidence(self, told):
        honest, other = self.true_to_its_word(), self.true_to_its_word(told=told)

        assert other["ece"]["value"] > 0.08
        assert other["brier"]["value"] > honest["brier"]["value"]

    def test_has_known_values(self):
        # Says 0.75 each time, and is right three times in four: calibrated, and as good as that.
        ahead = math.log(3)
        figures = calibration([compared(ahead)] * 3 + [compared(-ahead)])

        assert figures["ece"]["value"] == pytest.approx(0, abs=1e-12)
        assert figures["brier"]["value"] == pytest.approx(3 / 16)
        assert figures["bins"] == [{"comparisons": 4, "confidence": 0.75, "accuracy": 0.75}]

    def test_is_its_overconfidence_where_it_always_says_the_same(self):
        figures = calibration([compared(math.log(9))] + [compared(-math.log(9))] * 3)

        assert figures["ece"]["value"] == pytest.approx(0.9 - 0.25)

    def test_has_ten_bins_between_a_coin_and_certainty(self):
        chances = [0.5 + 0.05 * step + 0.02 for step in range(10)]
        rows = [compared(math.log(chance / (1 - chance))) for chance in chances + [0.53, 0.999]]

        bins = calibration(rows)["bins"]

        assert [part["comparisons"] for part in bins] == [2, *[1] * 8, 2]

    def test_of_equal_scores_is_that_of_a_coin(self):
        figures = calibration([compared(0.0)] * 5)

        assert (figures["ece"]["value"], figures["brier"]["value"]) == (0.0, 0.25)

    @given(st.floats(-40, 40), st.floats(0, 4))
    def test_win_probabilities_of_both_sides_sum_to_1(self, margin, log_theta):
        both = win_probability(margin, log_theta) + win_probability(-margin, log_theta)

        assert both == pytest.approx(1)

    @given(st.floats(-8, 8), st.floats(0, 4))
    def test_win_probability_is_that_of_rao_kupper_given_no_tie(self, margin, log_theta):
        one, theta = math.exp(margin), math.exp(log_theta)
        win, loss = one / (one + theta), 1 / (1 + theta * one)

        assert win_probability(margin, log_theta) == pytest.approx(win / (win + loss))
        assert win_probability(margin) == pytest.approx(1 / (1 + math.exp(-margin)))


class TestLength:
    def test_slope_is_what_100_more_tokens_gain_within_a_candidate_set(self):
        """Scores are −0.02 a token, but prompts with longer answers score higher by far."""
        rankings = [
            scored(
                [[1], [2], [3]],
                [base * 10 - 0.02 * tokens for tokens in (base, base + 30, base + 50)],
                lengths=[base, base + 30, base + 50],
                prompt=base,
            )
            for base in (10, 200, 300)
        ]

        slope = report(*rankings)["length"]["score_per_100_tokens"]

        assert slope["value"] == pytest.approx(-2)

    def test_slope_counts_a_candidate_set_once_however_many_labelers_it_had(self):
        one = scored([[1], [2]], [1.0, 0.0], lengths=[10, 5])
        other = scored([[1], [2]], [0.0, 2.0], lengths=[10, 5], prompt=2)

        once, twice = report(one, other), report(one, replace(one, labeler="Bob"), other)

        assert once["length"]["score_per_100_tokens"] == twice["length"]["score_per_100_tokens"]

    def test_shares_tell_who_likes_longer_answers(self):
        # The labeler prefers the shorter, the model the longer; two are as long as each other.
        figures = report(scored([[1], [2, 3]], [1.0, 2.0, 2.0], lengths=[5, 9, 5]))

        assert figures["length"]["longer_wins_by_labelers"] == {"value": 0.0, "comparisons": 1}
        assert figures["length"]["longer_wins_by_model"] == {"value": 1.0, "comparisons": 1}


class TestCeiling:
    def test_is_the_share_of_pairs_on_which_two_labelers_agree(self):
        ada = scored([[1], [2], [3]], [3.0, 2.0, 1.0])
        bob = scored([[1], [3], [2]], [3.0, 2.0, 1.0], labeler="Bob")

        # They agree on 1 > 2 and 1 > 3, where the model is right; on 2 and 3 it agrees with one of them.
        assert report(ada, bob)["ceiling"] == {
            "value": pytest.approx(2 / 3, rel=1e-5),
            "model": pytest.approx(2.5 / 3, rel=1e-5),
            "pairs": 3,
        }

    def test_is_1_for_twins_and_0_for_opposites(self):
        ada = scored([[1], [2]], [0.0, 1.0], unacceptable=())
        twin, opposite = replace(ada, labeler="Eva"), replace(ada, labeler="Bob", tiers=[[2], [1]])

        assert report(ada, twin)["ceiling"]["value"] == 1
        assert report(ada, opposite)["ceiling"] == {"value": 0.0, "model": 0.5, "pairs": 1}

    def test_leaves_out_pairs_that_one_of_the_two_ties(self):
        ada = scored([[1], [2, 3]], [3.0, 2.0, 1.0])
        bob = scored([[1, 2], [3]], [3.0, 2.0, 1.0], labeler="Bob")

        assert report(ada, bob)["ceiling"]["pairs"] == 1

    def test_compares_no_labelers_of_different_sets_and_nobody_with_themselves(self):
        ada = scored([[1], [2]], [1.0, 0.0])
        elsewhere = replace(ada, labeler="Bob", candidate_set_id=9)

        assert report(ada, ada, elsewhere)["ceiling"]["value"] is None


class TestReport:
    def test_says_why_where_a_figure_is_undefined(self):
        """Nothing at all; only a tie; all unacceptable; all equal in score and in length."""
        tie = scored([[1, 2]], [1.0, 0.0])
        for some in (
            [],
            [tie],
            [scored([], [1.0, 0.0], unacceptable=[1, 2])],
            [scored([[1], [2]], [1.0, 1.0])],
        ):
            undefined = [figure for _, figure in with_prefix("", report(*some)) if figure["value"] is None]

            assert undefined
            assert all(figure["why"].endswith(".") for figure in undefined)

    def test_does_not_change_when_completions_are_renamed_or_rankings_reordered(self):
        dice = random.Random(2)
        rankings = [
            scored(
                [[4], [1, 2]],
                [dice.gauss(0, 1) for _ in "12345"],
                unacceptable=[3, 5],
                lengths=[dice.randint(1, 50) for _ in "12345"],
                prompt=number // 2,
                labeler=f"L{number}",
            )
            for number in range(8)
        ]
        rankings = [replace(r, scores=rankings[n // 2 * 2].scores) for n, r in enumerate(rankings)]
        rankings = [replace(r, lengths=rankings[n // 2 * 2].lengths) for n, r in enumerate(rankings)]

        renamed = [
            replace(
                one,
                tiers=[[key + 70 for key in tier] for tier in one.tiers],
                unacceptable=[key + 70 for key in one.unacceptable],
                scores={key + 70: score for key, score in one.scores.items()},
                lengths={key + 70: tokens for key, tokens in one.lengths.items()},
            )
            for one in rankings
        ]

        assert report(*renamed) == report(*rankings)
        assert json.loads(json.dumps(report(*rankings[::-1]))) == json.loads(json.dumps(report(*rankings)))

    def test_counts_no_pair_twice(self):
        assert len(scored_comparisons(scored([[1], [2], [3]], [1.0, 2.0, 3.0], unacceptable=[]))) == 3


class TestPictures:
    def files(self, *rankings):
        return report_files(report(*rankings), rankings)

    def test_show_a_dot_for_each_distance_bin_and_completion(self):
        files = self.files(scored([[1], [2], [3]], [3.0, 2.5, -1.0], lengths=[4, 9, 2]))

        dots = {
            name: len(ElementTree.fromstring(text).findall("{http://www.w3.org/2000/svg}circle"))
            for name, text in files.items()
            if name.endswith(".svg")
        }
        assert dots == {"accuracy-by-rank-distance.svg": 2, "reliability.svg": 2, "score-by-length.svg": 3}

    def test_keep_every_mark_inside(self):
        files = self.files(scored([[1], [2], [3]], [1e3, 1e3, 1e3], lengths=[7, 7, 7]))

        for text in (text for name, text in files.items() if name.endswith(".svg")):
            for dot in ElementTree.fromstring(text).iter("{http://www.w3.org/2000/svg}circle"):
                assert 0 < float(dot.get("cx")) < 480
                assert 0 < float(dot.get("cy")) < 320

    def test_are_left_out_where_there_is_nothing_to_show(self):
        assert list(self.files()) == ["report.json"]

    def test_hold_the_same_report_as_the_file(self):
        one = scored([[1], [2]], [1.0, 0.0])

        assert json.loads(self.files(one)["report.json"]) == report(one)
