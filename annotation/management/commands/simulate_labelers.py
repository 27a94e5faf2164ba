import json
import random
import re
import time
from argparse import ArgumentParser, ArgumentTypeError
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from annotation.actions.simulation import account_to_sign_in
from annotation.errors import Refusal
from annotation.labeler_client import LabelerClient, Unreachable
from annotation.labeler_traits import TRUTHS, Traits, draw_traits
from annotation.management.finding import find_campaign
from annotation.models import Assignment, Campaign, Person
from annotation.simulated_work import Day, SimulatedLabeler, Work, work_together


def _count(text: str) -> int:
    return int(_checked(text, lambda value: value >= 1 and value == int(value), "a whole number from 1"))


def _positive(text: str) -> float:
    return _checked(text, lambda value: value > 0, "above 0")


def _not_negative(text: str) -> float:
    return _checked(text, lambda value: value >= 0, "0 or more")


def _share(text: str) -> float:
    return _checked(text, lambda value: 0 <= value <= 1, "between 0 and 1")


def _checked(text: str, is_allowed: Callable[[float], bool], allowed: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no number") from None
    if not (value < float("inf") and is_allowed(value)):
        raise ArgumentTypeError(f"{text} must be {allowed}")
    return value


NUMBERS: dict[str, tuple[Callable[[str], float], float, str]] = {
    "skill-low": (
        _positive,
        0.3,
        "of the least able: they prefer the better by odds of exp(skill · difference)",
    ),
    "skill-high": (_positive, 3.0, "of the most able"),
    "position-bias": (_not_negative, 0.0, "by how much the first place may look better than the last"),
    "length-bias": (
        _not_negative,
        0.0,
        "by how much the longest may look better, or worse, than the shortest",
    ),
    "fatigue": (_not_negative, 0.0, "by which power of e 100 rankings may divide the skill"),
    "spammers": (_share, 0.0, "share of labelers who hand in the order that they are shown"),
    "skips": (_share, 0.02, "share of assignments that are skipped"),
    "resends": (_share, 0.02, "share of rankings that are submitted twice"),
}


class Command(BaseCommand):
    help = (
        "Let labelers of known skill, bias, fatigue and spam rank what waits in a campaign, through the HTTP "
        "API of a running server. Their accounts are made here, marked as simulated; what they really are is "
        "written to a file, to be compared with what is estimated."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--campaign", required=True, metavar="NAME")
        parser.add_argument("--labelers", required=True, type=_count, metavar="N")
        parser.add_argument("--url", default="http://127.0.0.1:8000", help="of the server (%(default)s)")
        parser.add_argument("--seed", type=int, default=0, help="of who they are and what they do")
        parser.add_argument(
            "--rankings", type=_count, default=0, metavar="M", help="at most so many each; without it, all"
        )
        for name, (kind, default, words) in NUMBERS.items():
            parser.add_argument(f"--{name}", type=kind, default=default, help=f"{words} (%(default)s)")
        parser.add_argument(
            "--truth",
            choices=sorted(TRUTHS),
            default="appeal",
            help="how good an answer is: by the sample's rule, or a number that its text hides (%(default)s)",
        )
        parser.add_argument("--out", type=Path, help="who they really are, as JSON; below var/ without it")

    def handle(self, *args: Any, **options: Any) -> None:
        campaign = find_campaign(options["campaign"])
        _check(campaign, options)
        traits = draw_traits(
            options["labelers"],
            rng=random.Random(options["seed"]),
            skills=(options["skill_low"], options["skill_high"]),
            **{name: options[name] for name in ("position_bias", "length_bias", "fatigue", "spammers")},
        )
        people, labelers = self.accounts(campaign, traits, options["seed"])
        days = [Day() for _ in labelers]
        try:
            self.work(campaign, labelers, days, options)
        except KeyboardInterrupt:
            raise CommandError("Stopped. What was ranked is kept.", returncode=130) from None
        finally:
            out = options["out"] or _file_of(campaign, options["seed"])
            _write(out, campaign, options, people, labelers, days)
            self.tell(days, out)
        if not any(day.ranked for day in days):
            raise CommandError("Nobody could rank anything. " + _reasons(days))

    def accounts(
        self, campaign: Campaign, traits: Sequence[Traits], seed: int
    ) -> tuple[list[Person], list[SimulatedLabeler]]:
        people, labelers = [], []
        for number, one in enumerate(traits, start=1):
            username = f"simulated-{campaign.pk}-{seed}-{number}"
            try:
                person, password = account_to_sign_in(username)
            except Refusal as refusal:
                raise CommandError(refusal.detail) from refusal
            people.append(person)
            labelers.append(SimulatedLabeler(username=username, password=password, traits=one, seed=username))
        return people, labelers

    def work(
        self,
        campaign: Campaign,
        labelers: Sequence[SimulatedLabeler],
        days: list[Day],
        options: dict[str, Any],
    ) -> None:
        waiting = Assignment.objects.open().filter(campaign=campaign).count()
        most = options["rankings"] * len(labelers)
        work_together(
            labelers,
            Work(
                url=options["url"],
                campaign_id=campaign.pk,
                truth=TRUTHS[options["truth"]],
                most_rankings=options["rankings"],
                skip_share=options["skips"],
                resend_share=options["resends"],
            ),
            days,
            told=self.progress(min(waiting, most) if most else waiting),
        )

    def progress(self, total: int) -> Callable[[], None]:
        """A line that counts; where nobody watches, one now and then."""
        is_terminal, lock = self.stdout.isatty(), Lock()
        done, last = 0, time.monotonic()

        def tell() -> None:
            nonlocal done, last
            with lock:
                done += 1
                if time.monotonic() - last > (0.2 if is_terminal else 10):
                    last = time.monotonic()
                    self.stdout.write(f"{done} of {total} ranked", ending="\r" if is_terminal else "\n")
                    self.stdout.flush()

        return tell

    def tell(self, days: Sequence[Day], out: Path) -> None:
        for name in ("ranked", "skipped", "resent", "lost"):
            self.stdout.write(f"{name}: {sum(getattr(day, name) for day in days)}")
        if reasons := _reasons(days):
            self.stderr.write(reasons)
        self.stdout.write(f"who they really are: {out}")


def _check(campaign: Campaign, options: dict[str, Any]) -> None:
    if options["skill_low"] > options["skill_high"]:
        raise CommandError("--skill-low is above --skill-high.")
    if campaign.status != Campaign.Status.ACTIVE:
        raise CommandError(f"{campaign} is paused: nothing is handed out.")
    if not Assignment.objects.open().filter(campaign=campaign).exists():
        raise CommandError(f"Nothing waits to be ranked in {campaign}.")
    try:
        LabelerClient(options["url"], timeout=10).open_page()
    except (Unreachable, ValueError) as error:
        words = f"No server answers at {options['url']}: {error}. Start one with: make run"
        raise CommandError(words) from None


def _file_of(campaign: Campaign, seed: int) -> Path:
    name = re.sub(r"\W+", "-", campaign.name.lower()).strip("-")
    folder: Path = settings.VAR / "simulated"
    return folder / f"{campaign.pk}-{name}-{seed}.json"


def _write(
    out: Path,
    campaign: Campaign,
    options: dict[str, Any],
    people: Sequence[Person],
    labelers: Sequence[SimulatedLabeler],
    days: Sequence[Day],
) -> None:
    content = {
        "campaign": campaign.name,
        "seed": options["seed"],
        "truth": options["truth"],
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "labelers": [
            {
                "id": person.pk,
                "username": labeler.username,
                **asdict(labeler.traits),
                "reliability": labeler.traits.reliability(day.ranked),
                **asdict(day),
            }
            for person, labeler, day in zip(people, labelers, days, strict=True)
        ],
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _reasons(days: Sequence[Day]) -> str:
    """Why some stopped before the end, each reason once."""
    counts = Counter(day.left_because for day in days if day.left_because)
    return "\n".join(f"{count} of {len(days)} labelers stopped: {why}" for why, count in counts.items())
