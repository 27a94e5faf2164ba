"""Working off items by asking a model: each that is finished is a line of the run directory, and a run that
goes on asks only for what has none. Nothing is begun that could end beyond the budget."""

import json
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any

from trainer.handoff.configs.synthetic import AskingConfig
from trainer.handoff.records import Message
from trainer.handoff.rundir import RunDirectory
from trainer.rlhf.errors import BadData, LabError, Stopped
from trainer.rlhf.randomness import seed_for
from trainer.rlhf.reporting import Reporter
from trainer.rlhf.sample_elsewhere import Declined
from trainer.rlhf.synthetic.speakers import Said, Speaker

Line = dict[str, Any]
LOOKS = 200
"""So often at most a run says how far it is, and saves that."""
KEPT_OF_A_REPLY = 2_000
"""Characters of what could not be used, for whoever wants to know why."""


class Unusable(Exception):
    """What the model said cannot be used. It is counted, and nothing is guessed in its place."""

    def __init__(self, problem: str, reply: str = "") -> None:
        super().__init__(problem)
        self.problem, self.reply = problem, reply


@dataclass
class Asked:
    """The requests for one item, and what they cost."""

    seed: int
    requests: int = 0
    tokens: int = 0

    def __call__(self, speaker: Speaker, messages: Sequence[Message]) -> Said:
        self.requests += 1
        said = speaker.say(messages, seed=seed_for(self.seed, self.requests))
        self.tokens += said.tokens
        return said


@dataclass(frozen=True)
class Item:
    number: int
    """The same in every attempt."""
    most_requests: int
    """That it may need."""
    about: Any


Answer = Callable[[Item, Asked], Line]
"""The line of an item, asked for in a thread of its own."""


@dataclass
class Work:
    """``keep`` sees each line before it is written, one at a time, and may change it; ``measure`` tells what
    the lines so far are like."""

    config: AskingConfig
    directory: RunDirectory
    report: Reporter
    answer: Answer
    keep: Callable[[Line], Line] = lambda line: line
    measure: Callable[[Sequence[Line]], dict[str, float]] = lambda lines: {}
    is_whole_run: bool = True
    """Whether its items are the run's steps, or come before them."""
    lines: list[Line] = field(default_factory=list)
    ended_early: str = ""

    def do(self, items: Sequence[Item]) -> dict[str, object]:
        """Ask for every item that has no line yet. Returns the figures of all that have one now.

        :raises Stopped: the run is to stop; what is finished has its line.
        :raises LabError: nothing could be asked.
        """
        self.directory.begin_with_whole_lines()
        self.lines = self.directory.read_samples()
        finished = {line["item"] for line in self.lines}
        missing = [item for item in items if item.number not in finished]
        self.every = max(1, len(items) // LOOKS)
        with ThreadPoolExecutor(self.config.batch_size) as threads:
            self._ask_for(missing, len(items), threads)
        return self._figures(items)

    def _ask_for(self, missing: Sequence[Item], total: int, threads: ThreadPoolExecutor) -> None:
        under_way: dict[Future[Line], Item] = {}
        waiting = list(reversed(missing))
        try:
            while waiting or under_way:
                while waiting and len(under_way) < self.config.batch_size and not self.ended_early:
                    if not self._may_begin(waiting[-1], under_way.values()):
                        break
                    item = waiting.pop()
                    under_way[threads.submit(self._line, item)] = item
                if not under_way:
                    break
                for done in wait(under_way, return_when=FIRST_COMPLETED).done:
                    del under_way[done]
                    self._take(done, total)
        except Stopped:
            for done in wait(under_way).done:
                if done.exception() is None:
                    self._write(done.result(), total)
            raise

    def _may_begin(self, item: Item, under_way: Any) -> bool:
        """False where an item could take the run beyond its budget."""
        begun = sum(other.most_requests for other in under_way) + item.most_requests
        most = self.config.most_requests
        if most and self._spent("requests") + begun > most:
            return False
        return not self.config.most_tokens or self._spent("tokens") < self.config.most_tokens

    def _spent(self, what: str) -> int:
        return sum(line[what] for line in self.lines)

    def _line(self, item: Item) -> Line:
        self.report.check()
        asked = Asked(seed_for(self.config.seed, "item", item.number))
        try:
            said = {"problem": "", **self.answer(item, asked)}
        except Unusable as problem:
            said = {"problem": problem.problem, "completion": problem.reply[:KEPT_OF_A_REPLY]}
        except Declined as refusal:
            said = {"problem": "declined", "completion": str(refusal)[:KEPT_OF_A_REPLY]}
        empty = {"prompt_id": None, "completion": "", "finished": True}
        return {"item": item.number, **empty, **said, "requests": asked.requests, "tokens": asked.tokens}

    def _take(self, done: Future[Line], total: int) -> None:
        try:
            self._write(done.result(), total)
        except LabError as error:
            # A server that went away takes nothing back of what it said before.
            if not self.lines:
                raise
            self.ended_early = str(error)

    def _write(self, line: Line, total: int) -> None:
        line = self.keep(line)
        self.directory.append_sample(**line)
        self.lines.append(line)
        count = len(self.lines)
        if count % self.every and count < total:
            return
        if not self.is_whole_run:
            print(f"{count} of {total} asked for", file=sys.stderr, flush=True)
            return
        unusable = sum(bool(one["problem"]) for one in self.lines) / count
        self.report.step(count, total, unusable_share=unusable, **self.measure(self.lines))
        with self.directory.write_checkpoint(count, kept=1) as folder:
            (folder / "progress.json").write_text(json.dumps({"lines": count}), encoding="utf-8")

    def _figures(self, items: Sequence[Item]) -> dict[str, object]:
        problems = Counter(line["problem"] for line in self.lines)
        usable = problems.pop("", 0)
        if not usable and "disagreement" not in problems:
            told = ", ".join(f"{problem} {count}" for problem, count in sorted(problems.items()))
            first = next((line["completion"] for line in self.lines), "")
            raise BadData(
                f"The model said nothing that can be used ({told or 'it was not asked'}). First it said: "
                f"{first[:300] or '–'}"
            )
        left = len({item.number for item in items} - {line["item"] for line in self.lines})
        return {
            "usable": usable,
            **dict(sorted(problems.items())),
            **({"not_asked": left} if left else {}),
            **({"ended_early": self.ended_early} if self.ended_early else {}),
            "requests": self._spent("requests"),
            "tokens": self._spent("tokens"),
            **{name: round(value, 4) for name, value in self.measure(self.lines).items()},
        }
