"""Each sign of trouble, on a curve that shows it and on one that does not."""

import json
import random
import re
from math import log, sqrt
from pathlib import Path

import pytest

from trainer.handoff.configs import CONFIGS
from trainer.handoff.health import ALARM, CHECKS, CHECKS_BY_NAME, HEALTHY, WATCH, judge
from trainer.handoff.metrics import METRICS

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "metrics.md"


def logged(**curves):
    """Lines of metrics.jsonl from whole curves; a step at which a curve has None says nothing of it."""
    count = max(len(curve) for curve in curves.values())
    lines = [{"step": step, "steps": count, "at": 0.0} for step in range(1, count + 1)]
    for name, curve in curves.items():
        for line, value in zip(lines, curve, strict=False):
            line |= {} if value is None else {name: value}
    return lines


def ramp(start, end, count=12):
    return [start + (end - start) * index / (count - 1) for index in range(count)]


def restless(curve, size):
    return [value + size * (-1) ** index for index, value in enumerate(curve)]


WELL = {
    "ppo": {
        "score": ramp(-0.2, 1.0),
        "holdout_score": ramp(-0.2, 0.6),
        "ref_kl": ramp(0.0, 6.0),
        "kl_coef": [0.05] * 12,
        "entropy": ramp(2.0, 1.4),
        "mean_length": ramp(24, 28),
        "finished_share": ramp(0.85, 0.97),
        "clip_fraction": [0.15] * 12,
        "explained_variance": ramp(0.0, 0.6),
    },
    "reward": {"loss": ramp(0.69, 0.4), "held_out_accuracy": [*[None] * 11, 0.72]},
    "dpo": {"loss": ramp(0.69, 0.4), "held_out_accuracy": [*[None] * 11, 0.7]},
    "kto": {"loss": ramp(0.5, 0.3)},
    "sft": {"loss": ramp(3.4, 2.5), "held_out_loss": [*[None] * 5, 3.1, *[None] * 5, 2.9]},
    "sample": {"finished_share": [0.9, 0.92], "mean_length": [25.0, 26.0]},
    "evaluate": {"finished_share": [0.9, 0.92], "mean_length": [25.0, 26.0]},
    "quantize": {"loss": [1.0]},
    "distill": {"loss": ramp(1.2, 0.8)},
    "prune": {"loss": ramp(1.2, 0.8)},
    "share": {"loss": ramp(1.2, 0.8)},
    "generate": {"unusable_share": [0.0, 0.02]},
    "expand": {"unusable_share": [0.0, 0.02]},
    "judge": {"unusable_share": [0.0, 0.02], "consistency": [0.9, 0.8]},
}
"""Curves as they should be, by kind."""

TROUBLE = {
    "negative_ref_kl": (
        "ppo",
        {"ref_kl": [0.0, 0.4, *[-0.3] * 3, *ramp(0.1, 2, 7)]},
        {"ref_kl": [-1.0] * 12},
    ),
    "exploding_ref_kl": ("ppo", {"ref_kl": ramp(0, 24)}, {"ref_kl": ramp(0, 80)}),
    "drift_costs_more": ("ppo", {"kl_coef": [0.25] * 12}, {"kl_coef": [1.0] * 12}),
    "entropy_collapse": (
        "ppo",
        {"entropy": ramp(2.0, 0.3)},
        {"entropy": [*ramp(2.0, 0.1, 9), 0.01, 0.01, 0.0]},
    ),
    "length_growth": ("ppo", {"mean_length": ramp(20, 55)}, {"mean_length": ramp(8, 64)}),
    "length_loss": ("ppo", {"mean_length": ramp(30, 9)}, {"mean_length": ramp(30, 1)}),
    "cut_answers": ("ppo", {"finished_share": ramp(0.9, 0.7)}, {"finished_share": ramp(0.9, 0.2)}),
    "unusable_replies": ("expand", {"unusable_share": [0.0, 0.2]}, {"unusable_share": [0.0, 0.9]}),
    "place_decides": ("judge", {"consistency": [0.9, 0.6]}, {"consistency": [0.5, 0.1]}),
    "over_optimisation": (
        "ppo",
        {"score": ramp(0, 1, 30), "holdout_score": [*ramp(0, 1, 15), *restless(ramp(1, 0.72, 15), 0.035)]},
        {"score": ramp(0, 1, 30), "holdout_score": [*ramp(0, 1, 15), *ramp(1, 0.72, 15)]},
    ),
    "score_not_rising": ("ppo", {"score": ramp(0.2, 0.0)}, {"score": ramp(0.5, -0.5)}),
    "clipped_updates": (
        "ppo",
        {"clip_fraction": [*[0.2] * 4, *[0.45] * 3, *[0.2] * 5]},
        {"clip_fraction": [*[0.2] * 4, *[0.6] * 3, *[0.2] * 5]},
    ),
    "useless_values": (
        "ppo",
        {"explained_variance": [0.1, *[-0.2] * 11]},
        {"explained_variance": [0.1, *[-0.2] * 31]},
    ),
    "first_loss": ("reward", {"loss": ramp(0.76, 0.4)}, {"loss": ramp(1.5, 0.4)}),
    "near_chance": ("reward", {"held_out_accuracy": [0.58]}, {"held_out_accuracy": [0.51]}),
    "leak": ("reward", {"held_out_accuracy": [0.93]}, {"held_out_accuracy": [1.0]}),
    "overfitting": (
        "sft",
        {"held_out_loss": [*[None] * 5, 2.9, *[None] * 5, 3.0]},
        {"held_out_loss": [*[None] * 5, 2.9, *[None] * 5, 3.6]},
    ),
    "loss_not_falling": ("sft", {"loss": [2.0] * 12}, {"loss": ramp(2.0, 3.0)}),
}
"""By check: the kind, a curve to watch and one that alarms. The run's other curves are well."""


def levels(kind, curves, **settings):
    return {found.check: found.level for found in judge(kind, logged(**curves), settings).findings}


class TestEachCheck:
    def test_has_a_curve_here(self):
        assert set(TROUBLE) == set(CHECKS_BY_NAME)

    @pytest.mark.parametrize("name", TROUBLE)
    def test_sees_its_trouble_at_both_levels(self, name):
        kind, watched, alarming = TROUBLE[name]

        assert levels(kind, WELL[kind] | watched)[name] == WATCH
        assert levels(kind, WELL[kind] | alarming)[name] == ALARM

    @pytest.mark.parametrize("name", TROUBLE)
    def test_has_looked_where_all_is_well_and_found_nothing(self, name):
        kind = TROUBLE[name][0]

        judged = judge(kind, logged(**WELL[kind]))

        assert name in judged.checked
        assert (judged.verdict, judged.findings) == (HEALTHY, [])

    @pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
    def test_says_nothing_without_one_of_its_metrics(self, check):
        for kind in check.kinds:
            for missing in check.metrics:
                others = {name: curve for name, curve in WELL[kind].items() if name != missing}

                assert check.name not in judge(kind, logged(**others, learning_rate=[1e-4])).checked

    @pytest.mark.parametrize("name", TROUBLE)
    def test_names_its_numbers_and_what_to_change(self, name):
        kind, _watched, alarming = TROUBLE[name]

        judged = judge(kind, logged(**WELL[kind] | alarming))

        found = next(found for found in judged.findings if found.check == name)
        assert "%" not in found.sentence
        assert found.sentence.endswith(CHECKS_BY_NAME[name].change)
        assert 1 <= found.step <= len(next(iter(alarming.values())))

    @pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
    def test_has_its_worse_level_further_out(self, check):
        assert check.watch != check.alarm
        assert check.level(check.watch) == WATCH
        assert check.level(check.alarm) == ALARM

    @pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
    def test_speaks_of_kinds_metrics_and_settings_that_are(self, check):
        assert set(check.kinds) <= CONFIGS.keys()
        assert set(check.metrics) <= METRICS.keys()
        assert check.source


class TestVerdict:
    @pytest.mark.parametrize("kind", CONFIGS)
    def test_of_a_run_that_has_said_nothing_checked_nothing(self, kind):
        judged = judge(kind, [])

        assert (judged.verdict, judged.findings, judged.checked) == (HEALTHY, [], [])

    @pytest.mark.parametrize("kind", CONFIGS)
    def test_of_the_first_line_raises_no_alarm(self, kind):
        assert judge(kind, logged(**WELL[kind])[:1]).verdict == HEALTHY

    def test_is_the_worst_of_its_findings_which_come_first(self):
        judged = judge("ppo", logged(**WELL["ppo"] | {"entropy": ramp(2, 0.3), "finished_share": [0.1] * 12}))

        assert judged.verdict == ALARM
        assert [found.level for found in judged.findings] == [ALARM, WATCH]

    def test_is_plain_json(self):
        judged = judge("ppo", logged(**WELL["ppo"] | {"ref_kl": [-1.0] * 12}))

        assert json.loads(json.dumps(judged.as_dict(), allow_nan=False)) == judged.as_dict()

    def test_reads_past_what_is_no_number(self):
        curves = WELL["ppo"] | {"ref_kl": [None, "soup", float("nan"), float("inf"), True, *ramp(0, 3, 7)]}

        assert judge("ppo", logged(**curves)).verdict == HEALTHY

    def test_takes_the_last_word_on_a_step(self):
        before, after = logged(**WELL["ppo"] | {"ref_kl": [-1.0] * 12}), logged(**WELL["ppo"])

        assert judge("ppo", before + after) == judge("ppo", after)


class TestFirstLoss:
    @pytest.mark.parametrize("other", [{"loss": "plackett_luce"}, {"margin": 1.0}])
    def test_of_another_loss_is_another(self, other):
        judged = judge("reward", logged(**WELL["reward"] | {"loss": ramp(1.5, 1.0)}), other)

        assert "first_loss" not in judged.checked


class TestOverfitting:
    RISING = WELL["sft"] | {"held_out_loss": [*[None] * 5, 2.9, *[None] * 5, 3.6]}

    def test_is_no_trouble_where_the_best_weights_are_kept(self):
        assert levels("sft", self.RISING, patience=2) == {}

    def test_is_something_else_where_the_train_loss_rises_too(self):
        rising = self.RISING | {"loss": ramp(2.5, 3.4)}

        assert levels("sft", rising) == {"loss_not_falling": ALARM}


class TestNegativeDrift:
    def test_once_is_chance(self):
        assert levels("ppo", WELL["ppo"] | {"ref_kl": [0.0, -0.4, 0.2, -0.3, *ramp(0.1, 2, 8)]}) == {}

    def test_is_told_from_where_it_began(self):
        judged = judge("ppo", logged(**WELL["ppo"] | {"ref_kl": [0.0, 0.4, *[-0.3] * 10]}))

        assert (judged.findings[0].check, judged.findings[0].step) == ("negative_ref_kl", 3)


class TestValues:
    def test_may_begin_badly(self):
        assert levels("ppo", WELL["ppo"] | {"explained_variance": [*[-0.5] * 11, 0.1]}) == {}


def over_optimised(iterations, peak, *, drift, noise=0.0):
    """Score and hold-out of Gao et al. 2022: R = d (α − β log d), d = √KL, the hold-out's peak at ``peak``.

    drift: how d grows with the share of the way to the peak
    """
    chance = random.Random(peak)
    at_peak = 6.0
    beta = 1 / at_peak  # the hold-out's peak is 1, at log d = α / β − 1
    alpha = beta * (log(at_peak) + 1)
    distances = [at_peak * drift(step / peak) for step in range(1, iterations + 1)]
    return {
        "score": [d * (1.1 * alpha - 0.5 * beta * log(d)) + chance.gauss(0, noise) for d in distances],
        "holdout_score": [d * (alpha - beta * log(d)) + chance.gauss(0, noise) for d in distances],
    }


def first_alarm(curves):
    lines = logged(**curves)
    return next(
        (
            count
            for count in range(1, len(lines) + 1)
            for found in judge("ppo", lines[:count]).findings
            if found.check == "over_optimisation" and found.level == ALARM
        ),
        None,
    )


class TestOverOptimisation:
    @pytest.mark.parametrize("drift", [lambda share: share, sqrt], ids=["d grows evenly", "KL grows evenly"])
    @pytest.mark.parametrize("iterations", [40, 100])
    @pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
    def test_sounds_soon_after_the_gold_peak(self, drift, iterations, share):
        peak = int(share * iterations)

        sounded = first_alarm(over_optimised(iterations, peak, drift=drift))

        assert peak < sounded <= peak + 0.2 * iterations

    @pytest.mark.parametrize("peak", [25, 30])
    def test_sounds_through_noise_too(self, peak):
        curves = over_optimised(100, peak, drift=lambda share: share, noise=0.02)

        assert peak * 0.9 < first_alarm(curves) <= peak + 20

    def test_names_the_peak(self):
        curves = over_optimised(100, 50, drift=lambda share: share)

        found = judge("ppo", logged(**curves)).findings[0]

        assert found.check == "over_optimisation"
        assert found.step == pytest.approx(50, abs=5)

    @pytest.mark.parametrize("seed", range(20))
    def test_is_silent_while_both_rise_or_the_hold_out_stands_still(self, seed):
        chance = random.Random(seed)
        score = [step / 25 + chance.gauss(0, 0.15) for step in range(60)]
        still = [min(step / 15, 1.0) + chance.gauss(0, 0.15) for step in range(60)]

        assert first_alarm({"score": score, "holdout_score": score}) is None
        assert first_alarm({"score": score, "holdout_score": still}) is None

    def test_is_silent_where_both_fall(self):
        falling = ramp(1, 0, 40)

        assert first_alarm({"score": falling, "holdout_score": falling}) is None


def test_every_check_is_documented_as_it_is():
    documented = re.findall(
        r"^\| (\w+) \| (.+) \| (.+) \| (.+) \| (\S+) \| (\S+) \| (.+) \|$", health_section(), re.M
    )

    assert documented[1:] == [
        (
            check.name,
            ", ".join(check.kinds),
            ", ".join(check.metrics),
            check.size,
            f"{check.watch:g}",
            f"{check.alarm:g}",
            check.source,
        )
        for check in CHECKS
    ]


def health_section():
    return DOCUMENT.read_text(encoding="utf-8").split("\n## Health\n")[1].split("\n## ")[0]
