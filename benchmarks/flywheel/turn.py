"""One turn of the flywheel: a checkpoint answers, people chat with it, one action makes data of what they
say, and DPO learns from that.

Everything is the product's own, but for the chat screen, whose rows the people leave, and for the workers,
whose part is played here: one run after the other.
"""

import json
import random
import sys
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.core.management import call_command
from django.utils import timezone

from annotation.actions import simulation
from annotation.actions.feedback_data import Terms, make_feedback_data, plan_feedback_data
from annotation.actions.sample import load_sample_campaign, sample_answers
from annotation.models import Campaign, ChatMessage
from annotation.simulated_labelers import appeal
from benchmarks.flywheel.people import Crowd, chat
from trainer.actions.checkpoints import register_base_model
from trainer.actions.execution import execute_next_run
from trainer.actions.filters import Filters
from trainer.actions.runs import SNAPSHOT_KINDS, Origin, queue_run
from trainer.actions.snapshots import freeze_snapshot
from trainer.handoff.rundir import RunDirectory
from trainer.models import Checkpoint, Run, ServedMessage, Snapshot
from trainer.recipes import SHORT, Recipe
from trainer.win_rate import win_rate

Answers = dict[int, list[str]]
Figures = dict[str, float]

READ = {"completions_per_prompt": 8, "split": "train"}
"""What one person reads differs from what the next one does."""
RECIPE: Recipe = {
    "sft": SHORT["sft"],
    "sample": SHORT["sample"],
    "dpo": {
        "max_prompt_tokens": 48,
        "lora_layers": 6,
        "learning_rate": 5e-4,
        # Freer policies end fewer of their answers.
        "beta": 0.3,
        "epochs": 2,
        "batch_size": 16,
        "rows_per_pass": 8,
    },
}


def main() -> None:
    seed, people, base, recipe = sys.argv[1:]
    call_command("migrate", verbosity=0)
    print(json.dumps(turn(int(seed), int(people), base, {**RECIPE, **json.loads(recipe)})))


def turn(seed: int, people: int, base: str, recipe: Recipe) -> Figures:
    """How often the checkpoint that learned from the chats beats the one that people chatted with."""
    wheel = Wheel(seed, recipe)
    wheel.demonstrate()
    old = wheel.run("sft", register_base_model(base, now=timezone.now()))
    before = answers_of(wheel.run("sample", old, split="held_out"))
    figures = wheel.chats(old, answers_of(wheel.run("sample", old, **READ)), people)

    figures |= wheel.feedback()
    new = wheel.run("dpo", old, Filters(judges="chats"))

    after = answers_of(wheel.run("sample", new, split="held_out"))
    won = win_rate(after, before, appeal)
    figures |= {"win_rate": won.rate, "win_rate_low": won.low, "win_rate_high": won.high}
    return figures | {"held_out_prompts": won.prompts}


class Wheel:
    """A campaign of its own, and one random generator for all that people do in it."""

    def __init__(self, seed: int, recipe: Recipe) -> None:
        self.seed, self.recipe, self.rng = seed, recipe, random.Random(seed)
        name = f"Everyday help, flywheel {Campaign.objects.count() + 1} (seed {seed})"
        self.campaign = load_sample_campaign(now=timezone.now(), name=name, prompts_only=True)

    def demonstrate(self) -> None:
        simulation.write_demonstrations(
            campaign=self.campaign,
            labelers=simulation.simulated_labelers(3),
            answers=sample_answers(),
            now=timezone.now(),
            rng=self.rng,
        )

    def chats(self, checkpoint: Run, answers: Answers, people: int) -> Figures:
        """:raises AssertionError: the run made no checkpoint."""
        written_by = checkpoint.result
        assert written_by is not None
        crowd = Crowd(
            campaign=self.campaign,
            prompts=list(self.campaign.prompts.filter(pk__in=answers).order_by("pk")),
            answers=answers,
            better=sample_answers(),
            served=lambda messages: _note(messages, written_by),
            rng=self.rng,
        )
        return {name: float(count) for name, count in chat(crowd, people, now=timezone.now()).items()}

    def feedback(self) -> Figures:
        """Everything that was said, made into data by the one action."""
        now, terms = timezone.now(), Terms()
        plan = plan_feedback_data(campaign=self.campaign, terms=terms, now=now)
        done = make_feedback_data(campaign=self.campaign, terms=terms, now=now)
        left_out = {reason: len(some) for reason, some in plan.choice.left_out.items()}
        return {
            **{source: float(count) for source, count in done.made.items()},
            "left_out": sum(left_out.values()),
            **{f"left_out_{reason}": float(count) for reason, count in left_out.items() if count},
            "left_without_consent": plan.without_consent[0],
        }

    def run(self, kind: str, base: Origin, filters: Filters = Filters(), **more: Any) -> Run:  # noqa: B008
        """:raises SystemExit: it did not succeed."""
        say(" ".join([kind, *map(str, more.values())]))
        run = queue_run(
            kind=kind,
            snapshot=self.freeze(SNAPSHOT_KINDS[Run.Kind(kind)], filters),
            base=base,
            config={**self.recipe[kind], **more, "seed": self.seed},
            deliver=False,
            created_by=None,
            now=timezone.now(),
        )
        execute_next_run(worker="flywheel", clock=timezone.now, stopping=lambda: False)
        run.refresh_from_db()
        if run.status != Run.Status.SUCCEEDED:
            raise SystemExit(f"{run}: {run.get_status_display()}. {run.failure}")
        say(f"  {run.summary}")
        return run

    def freeze(self, kind: str, filters: Filters) -> Snapshot:
        return freeze_snapshot(
            campaign=self.campaign, kind=kind, filters=filters, created_by=None, now=timezone.now()
        )


def answers_of(run: Run) -> Answers:
    answers: Answers = defaultdict(list)
    for sample in RunDirectory(run.folder).read_samples():
        if sample["completion"].strip():
            answers[sample["prompt_id"]].append(sample["completion"])
    return answers


def _note(messages: Sequence[ChatMessage], checkpoint: Checkpoint) -> None:
    ServedMessage.objects.bulk_create(
        ServedMessage(message=message, checkpoint=checkpoint) for message in messages
    )


def say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)
