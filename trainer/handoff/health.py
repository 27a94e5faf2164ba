"""Is a run well? A table of checks over its metrics, and the verdict that they add up to.

A verdict informs and stops nothing. The lab gives it at the end of a run; the desk while the run goes on.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from math import log
from typing import Any

from trainer.handoff import signals
from trainer.handoff.signals import Curves, Read, Signal, curves_of

HEALTHY, WATCH, ALARM = "healthy", "watch", "alarm"
LEVELS = [HEALTHY, WATCH, ALARM]


@dataclass(frozen=True, kw_only=True)
class Check:
    """One sign of trouble: how it is read, from where on it counts, and what to tell the researcher."""

    name: str
    kinds: tuple[str, ...]
    metrics: tuple[str, ...]
    read: Read
    size: str
    """What ``read`` measures, in words."""
    watch: float
    alarm: float
    """From here on; below here where ``alarm`` is less than ``watch``."""
    source: str
    seen: str
    """What was seen; may name size, step and the numbers of the signal."""
    change: str
    """What to do about it."""
    needs: Mapping[str, Any] = field(default_factory=dict)
    """Settings without which the check says nothing; a setting that the run does not have is no hindrance."""

    def applies(self, kind: str, settings: Mapping[str, Any]) -> bool:
        return kind in self.kinds and all(
            settings.get(key, value) == value for key, value in self.needs.items()
        )

    def level(self, size: float) -> str:
        sign = 1 if self.alarm >= self.watch else -1
        return LEVELS[(sign * size >= sign * self.watch) + (sign * size >= sign * self.alarm)]


@dataclass(frozen=True)
class Finding:
    check: str
    level: str
    step: int
    numbers: dict[str, float]
    sentence: str


@dataclass(frozen=True)
class Verdict:
    verdict: str
    """The worst level of all findings; healthy where there is none."""
    findings: list[Finding]
    """Alarms first."""
    checked: list[str]
    """The checks that had enough to look at."""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        return "\n".join([self.verdict, *(f"{found.level}: {found.sentence}" for found in self.findings)])


def judge(
    kind: str, lines: Sequence[Mapping[str, Any]], settings: Mapping[str, Any] | None = None
) -> Verdict:
    """What the lines of a run's ``metrics.jsonl`` say about its health, so far.

    ``settings`` are the run's own; those that it does not name count as what the checks need.
    """
    seen = list(_signals(kind, curves_of(lines), settings or {}))
    findings = [
        _finding(check, level, signal)
        for wanted in (ALARM, WATCH)
        for check, signal in seen
        if (level := check.level(signal.size)) == wanted
    ]
    worst = findings[0].level if findings else HEALTHY
    return Verdict(worst, findings, [check.name for check, _signal in seen])


def _signals(kind: str, curves: Curves, settings: Mapping[str, Any]) -> Iterable[tuple[Check, Signal]]:
    for check in CHECKS:
        if check.applies(kind, settings) and (signal := check.read(curves)):
            yield check, signal


def _finding(check: Check, level: str, signal: Signal) -> Finding:
    numbers = {
        name: _shown(value)
        for name, value in {"size": signal.size, "step": signal.step, **signal.numbers}.items()
    }
    return Finding(check.name, level, signal.step, numbers, f"{check.seen % numbers} {check.change}")


def _shown(value: float) -> float:
    """Three significant digits, and whole numbers as they are."""
    return int(value) if float(value).is_integer() else float(f"{value:.3g}")


CHECKS: tuple[Check, ...] = (
    Check(
        name="negative_ref_kl",
        kinds=("ppo",),
        metrics=("ref_kl",),
        read=signals.longest_stretch("ref_kl", below=-0.05),
        size="iterations in a row below −0.05",
        watch=3,
        alarm=5,
        source="huggingface/trl issues 235 and 417; the numbers are ours",
        seen="ref_kl was negative for %(size)s iterations in a row, down to %(lowest)s, beginning with "
        "iteration %(step)s.",
        change="A drift cannot be negative: the policy earns reward from a mismatch between what is sampled "
        "and what is scored. Try dtype=float32, and trust no score of this run.",
    ),
    Check(
        name="exploding_ref_kl",
        kinds=("ppo",),
        metrics=("ref_kl",),
        read=signals.latest("ref_kl", span=3),
        size="mean of the last 3 iterations, nats per completion",
        watch=20,
        alarm=50,
        source="10 to 20 for short answers: Huang et al. 2024; below 100 for long ones: Bai et al. 2022",
        seen="The policy has drifted %(size)s nats per answer from its start.",
        change="Its text may be degenerate: read what it said last. Raise kl_coef, set kl_target or "
        "target_ref_kl, or lower learning_rate.",
    ),
    Check(
        name="drift_costs_more",
        kinds=("ppo",),
        metrics=("score", "ref_kl", "kl_coef"),
        read=signals.gain_after_drift("score", "ref_kl", "kl_coef", least=6),
        size="gain of score − kl_coef · ref_kl, first to last third, where the score gained",
        watch=-0.1,
        alarm=-0.5,
        source="objective/rlhf_reward: Huang et al. 2024; the numbers are ours",
        seen="The score rose by %(gain)s, but the drift that bought it costs %(cost)s.",
        change="The objective as a whole falls: lower learning_rate or epochs, or use smaller updates with "
        "target_approx_kl.",
    ),
    Check(
        name="entropy_collapse",
        kinds=("ppo",),
        metrics=("entropy",),
        read=signals.ratio_to_start("entropy", span=3),
        size="last 3 iterations / first 3",
        watch=0.33,
        alarm=0.1,
        source="Yu et al. 2025 (DAPO), Cui et al. 2025; the numbers are ours",
        seen="The entropy fell from %(start)s to %(now)s nats per token.",
        change="The policy says ever the same: raise kl_coef, lower learning_rate, or stop earlier.",
    ),
    Check(
        name="length_growth",
        kinds=("ppo",),
        metrics=("mean_length",),
        read=signals.ratio_to_start("mean_length", span=3),
        size="last 3 iterations / first 3",
        watch=2,
        alarm=4,
        source="Singhal et al. 2023; the numbers are ours",
        seen="Answers grew from %(start)s to %(now)s tokens.",
        change="Look at whether the reward model likes length for its own sake: compare its scores on long "
        "and short answers, and raise kl_coef or missing_eos_penalty.",
    ),
    Check(
        name="length_loss",
        kinds=("ppo",),
        metrics=("mean_length",),
        read=signals.ratio_to_start("mean_length", span=3),
        size="last 3 iterations / first 3",
        watch=0.5,
        alarm=0.2,
        source="the same drift, the other way; the numbers are ours",
        seen="Answers shrank from %(start)s to %(now)s tokens.",
        change="Read what it said last. If it says too little, raise kl_coef, or raise max_new_tokens so "
        "that missing_eos_penalty falls on fewer answers.",
    ),
    Check(
        name="cut_answers",
        kinds=("ppo", "sample", "evaluate"),
        metrics=("finished_share",),
        read=signals.latest("finished_share", span=3),
        size="mean of the last 3 lines",
        watch=0.8,
        alarm=0.5,
        source="end marks: Huang et al. 2024; the numbers are ours",
        seen="Of all answers, a share of only %(size)s came to an end by itself.",
        change="What is cut can hardly be judged: raise max_new_tokens, or train the start longer on "
        "demonstrations that end.",
    ),
    Check(
        name="over_optimisation",
        kinds=("ppo",),
        metrics=("score", "holdout_score"),
        read=signals.parting("score", "holdout_score", least=8, rising=2.0),
        size="t statistic of the hold-out's fall past its peak, where that of the score's rise is 2 or more",
        watch=3.5,
        alarm=5,
        source="Gao et al. 2022; the numbers are ours",
        seen="The hold-out score fell from %(best)s to %(now)s since iteration %(step)s, while the score "
        "rose.",
        change="The policy exploits the reward model: stop near that iteration, raise kl_coef, or train the "
        "reward model on rankings of what this policy says.",
    ),
    Check(
        name="score_not_rising",
        kinds=("ppo",),
        metrics=("score",),
        read=signals.gain("score", least=6),
        size="last third less first third, in deviations of the reward model's scores",
        watch=-0.1,
        alarm=-0.5,
        source="ours",
        seen="The score fell from %(start)s to %(now)s.",
        change="Lower learning_rate if clip_fraction is high; raise it, or rollout_size, if nothing moves.",
    ),
    Check(
        name="clipped_updates",
        kinds=("ppo",),
        metrics=("clip_fraction",),
        read=signals.highest("clip_fraction", span=3),
        size="highest mean of 3 iterations in a row",
        watch=0.4,
        alarm=0.5,
        source="Schulman et al. 2017: beyond the clip range a token teaches nothing; the numbers are ours",
        seen="A share of %(size)s of the tokens left the clip range, up to iteration %(step)s.",
        change="The updates are too large: lower learning_rate or epochs, or set target_approx_kl.",
    ),
    Check(
        name="useless_values",
        kinds=("ppo",),
        metrics=("explained_variance",),
        read=signals.stretch_until_now("explained_variance", below=0.0),
        size="iterations in a row below 0, up to now",
        watch=10,
        alarm=30,
        source="by its definition; the numbers are ours",
        seen="The values have been worse than none for %(size)s iterations, since iteration %(step)s.",
        change="Raise value_learning_rate, let the critic start as the reward model (critic=reward), or "
        "raise rollout_size.",
    ),
    Check(
        name="first_loss",
        kinds=("reward",),
        metrics=("loss",),
        read=signals.first_gap("loss", to=log(2)),
        size="distance of the first loss from ln 2 = 0.693",
        watch=0.05,
        alarm=0.1,
        source="equal scores in InstructGPT 2022, eq. 1; the numbers are ours",
        seen="The first loss was %(first)s, though a model without an opinion has 0.693.",
        change="The scores differ before anything was learned: start from a supervised model, not from a "
        "reward model, and look for damaged weights.",
        needs={"loss": "bradley_terry", "margin": 0.0},
    ),
    Check(
        name="near_chance",
        kinds=("reward", "dpo"),
        metrics=("held_out_accuracy",),
        read=signals.latest("held_out_accuracy"),
        size="held-out accuracy",
        watch=0.6,
        alarm=0.55,
        source="0.6 to 0.72 is usual: ColossalChat, StackLLaMA; few comparisons give chance: Gao et al. 2022",
        seen="Of held-out comparisons, a share of only %(size)s is predicted right; 0.5 is chance.",
        change="Collect more rankings, look at how far labelers agree with each other, or train longer.",
    ),
    Check(
        name="leak",
        kinds=("reward", "dpo"),
        metrics=("held_out_accuracy",),
        read=signals.latest("held_out_accuracy"),
        size="held-out accuracy",
        watch=0.9,
        alarm=0.98,
        source="people agree on 0.73 to 0.77: InstructGPT 2022; the numbers are ours",
        seen="Of held-out comparisons, a share of %(size)s is predicted right: more than people agree on.",
        change="Look for a leak: the same prompts in both splits, or answers that their length or a mark "
        "gives away.",
    ),
    Check(
        name="overfitting",
        kinds=("sft",),
        metrics=("held_out_loss", "loss"),
        read=signals.rise_from_best("held_out_loss", "loss"),
        size="last held-out loss / lowest, while the train loss falls",
        watch=1.02,
        alarm=1.15,
        source="InstructGPT 2022, appendix C: a little of it still improves preference; the numbers are ours",
        seen="The held-out loss rose from %(best)s at step %(step)s to %(now)s, while the train loss fell.",
        change="Set patience so that the best weights are kept, use fewer epochs, or add demonstrations.",
        needs={"patience": 0},
    ),
    Check(
        name="loss_not_falling",
        kinds=("sft", "reward", "dpo", "kto", "distill", "prune", "share"),
        metrics=("loss",),
        read=signals.ratio_of_thirds("loss", least=12),
        size="last third / first third",
        watch=1,
        alarm=1.1,
        source="ours",
        seen="The loss went from %(start)s to %(now)s: it does not fall.",
        change="Lower learning_rate if grad_norm is restless; raise it, lora_rank or epochs if it is calm.",
    ),
    Check(
        name="unusable_replies",
        kinds=("generate", "expand", "judge"),
        metrics=("unusable_share",),
        read=signals.latest("unusable_share"),
        size="share of the items so far whose replies cannot be used",
        watch=0.1,
        alarm=0.5,
        source="ours",
        seen="Of the items so far, a share of %(size)s gave nothing that can be used.",
        change="Read some of the replies: raise max_new_tokens if they are cut, say the form more plainly in "
        "the template, or take a stronger model.",
    ),
    Check(
        name="place_decides",
        kinds=("judge",),
        metrics=("consistency",),
        read=signals.latest("consistency"),
        size="share of the pairs on which both orders of asking agree",
        watch=0.65,
        alarm=0.4,
        source="65 % for GPT-4, less for others: Zheng et al. 2023, table 2; the alarm is ours",
        seen="The two orders of asking agree on a share of only %(size)s of the pairs.",
        change="What it sees first or last decides, and little is learned from the rest: take a stronger "
        "model, or method=pairs.",
    ),
)
"""Every sign of trouble that is looked for; ``docs/metrics.md`` lists them."""

CHECKS_BY_NAME = {check.name: check for check in CHECKS}
