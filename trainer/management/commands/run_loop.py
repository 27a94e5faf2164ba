"""The whole loop once, with simulated labelers: ``make loop [SEED=n]``."""

import json
import random
from argparse import ArgumentParser
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from annotation.actions import simulation
from annotation.actions.sample import load_sample_campaign, sample_answers
from annotation.errors import Refusal
from annotation.models import Assignment, Campaign
from annotation.simulated_labelers import RULE, appeal
from trainer.actions.checkpoints import register_base_model
from trainer.actions.runs import SNAPSHOT_KINDS, Origin, cancel_run, queue_run
from trainer.actions.snapshots import freeze_snapshot
from trainer.handoff.rundir import RunDirectory
from trainer.management.progress import ProgressBar, wait_for
from trainer.models import Run
from trainer.recipes import SHORT, Recipe
from trainer.win_rate import win_rate

LABELERS = 3
SHOWN_SAMPLES = 5


class Command(BaseCommand):
    help = "Simulated labelers demonstrate and rank, every stage runs, and the win rate is measured."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--base", default="SmolLM2-135M-Instruct", help="a model's name, id or folder")
        parser.add_argument("--recipe", type=Path, help="JSON: settings by kind of run, instead of ours")

    def handle(self, *args: Any, seed: int, base: str, recipe: Path | None, **options: Any) -> None:
        try:
            self.turn(Loop(seed, json.loads(recipe.read_text()) if recipe else SHORT), base)
        except Refusal as refusal:
            raise CommandError(refusal.detail) from refusal
        except KeyboardInterrupt:
            raise CommandError("Stopped; its run is cancelled.", returncode=130) from None

    def turn(self, loop: "Loop", base: str) -> None:
        start = register_base_model(base, now=timezone.now())
        self.stdout.write(f"Simulated labelers in “{loop.campaign}”. Their rule: {RULE}\n")

        loop.demonstrate()
        sft = loop.run("sft", start)
        loop.run("sample", sft, split="train")
        before = loop.run("sample", sft, split="held_out")
        loop.rank()
        reward = loop.run("reward", sft)
        ppo = loop.run("ppo", sft, reward)
        after = loop.run("sample", ppo, split="held_out")
        self.report(loop, reward, ppo, before, after)

    def report(self, loop: "Loop", reward: Run, ppo: Run, before: Run, after: Run) -> None:
        ours, theirs = _answers(after), _answers(before)
        won = win_rate(ours, theirs, appeal)
        self.show_samples(loop.campaign, theirs, ours)
        waiting = Assignment.objects.open().filter(campaign=loop.campaign).count()
        figures = [
            ("reward held-out accuracy", f"{reward.summary['held_out_accuracy']:.3f}"),
            ("ref_kl", f"{ppo.summary['ref_kl']:.2f} nats per answer"),
            ("mean length", f"{before.summary['mean_length']} -> {after.summary['mean_length']} tokens"),
            (
                "win rate over the SFT start",
                f"{won.rate:.3f}  (95 % interval {won.low:.3f} to {won.high:.3f})",
            ),
            ("held-out prompts", f"{won.prompts}, {_count(ours)} answers each way"),
            ("candidate sets that wait", f"{waiting}, to be ranked in the labeler app"),
        ]
        for name, value in figures:
            self.stdout.write(f"{name:<28} {value}")
        if won.low <= 0.5:
            raise CommandError("The policy did not clearly beat its start: the interval reaches 0.5.")

    def show_samples(
        self, campaign: Campaign, before: Mapping[int, list[str]], after: Mapping[int, list[str]]
    ) -> None:
        self.stdout.write("\nThe first answer of each policy to some held-out prompts:")
        for prompt in campaign.prompts.filter(pk__in=after.keys() & before.keys()).order_by("pk")[
            :SHOWN_SAMPLES
        ]:
            self.stdout.write(f"\n  {prompt}")
            self.stdout.write(f"    SFT  {before[prompt.pk][0]}")
            self.stdout.write(f"    PPO  {after[prompt.pk][0]}")
        self.stdout.write("")


class Loop:
    """A campaign of its own, the people in it, and one random generator for all that they do."""

    def __init__(self, seed: int, recipe: Recipe) -> None:
        self.seed = seed
        self.recipe = recipe
        self.rng = random.Random(seed)
        number = Campaign.objects.filter(name__startswith="Everyday help, loop ").count() + 1
        self.campaign = load_sample_campaign(
            now=timezone.now(), name=f"Everyday help, loop {number} (seed {seed})", prompts_only=True
        )
        self.labelers = simulation.simulated_labelers(LABELERS)

    def demonstrate(self) -> None:
        bar = ProgressBar("demonstrations")
        written = simulation.write_demonstrations(
            campaign=self.campaign,
            labelers=self.labelers,
            answers=sample_answers(),
            now=timezone.now(),
            rng=self.rng,
            progress=bar.show,
        )
        bar.end(f"{written} written")

    def rank(self) -> None:
        bar = ProgressBar("rankings")
        ranked = simulation.rank_what_waits(
            campaign=self.campaign,
            labelers=self.labelers,
            now=timezone.now(),
            rng=self.rng,
            progress=bar.show,
        )
        bar.end(f"{ranked} candidate sets ranked")

    def run(self, kind: str, base: Origin, reward: Origin | None = None, **more: Any) -> Run:
        """Carry out a stage through the real worker.

        :raises CommandError: it did not succeed.
        """
        bar = ProgressBar(" ".join([kind, *more.values()]))
        now = timezone.now()
        snapshot = freeze_snapshot(
            campaign=self.campaign, kind=SNAPSHOT_KINDS[Run.Kind(kind)], created_by=None, now=now
        )
        run = queue_run(
            kind=kind,
            snapshot=snapshot,
            base=base,
            reward=reward,
            config={**self.recipe[kind], **more, "seed": self.seed},
            created_by=None,
            now=now,
        )
        try:
            wait_for(run, bar)
        except KeyboardInterrupt:
            # Else the next worker would go on with it.
            with suppress(Refusal):
                cancel_run(run, now=timezone.now())
            raise
        bar.end(_in_short(run))
        if run.status != Run.Status.SUCCEEDED:
            raise CommandError(f"{run}: {run.get_status_display()}. {run.failure}")
        return run


def _answers(run: Run) -> dict[int, list[str]]:
    """All that a sample run said, by prompt: duplicates count here, though nobody ranks them."""
    answers: dict[int, list[str]] = defaultdict(list)
    for sample in RunDirectory(run.folder).read_samples():
        answers[sample["prompt_id"]].append(sample["completion"])
    return answers


def _in_short(run: Run) -> str:
    return "  ".join(f"{name} {value}" for name, value in list(run.summary.items())[:3])


def _count(answers: Mapping[int, list[str]]) -> int:
    return max(map(len, answers.values()))
