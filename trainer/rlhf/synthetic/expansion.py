"""New prompts from those that are there."""

import random
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from trainer.handoff.configs.synthetic import ExpandConfig
from trainer.handoff.records import PromptRecord, read_records
from trainer.handoff.rundir import RunDirectory, RunSpec
from trainer.handoff.templates import fill
from trainer.rlhf.errors import BadData
from trainer.rlhf.reporting import Reporter
from trainer.rlhf.synthetic.items import Asked, Item, Line, Unusable, Work
from trainer.rlhf.synthetic.speakers import Speaker, speakers
from trainer.rlhf.world import World

MARK = "PROMPT:"
_BEGINS = re.compile(rf"^[ \t*_]*{MARK}[ \t*_]*", re.MULTILINE)


def expand_prompts(
    config: ExpandConfig, spec: RunSpec, directory: RunDirectory, report: Reporter, world: World
) -> dict[str, object]:
    if not world.is_first:
        return {}
    items, prompts = items_of(config, directory), prompts_in(directory)
    known = Known(config.most_alike, [row.messages[-1]["content"] for row in prompts])
    with speakers(config, report, spec.base_model) as (model,):
        work = Work(
            config,
            directory,
            report,
            answer=lambda item, asked: expanded(config, model, item.about, asked),
            keep=known.keep_new,
        )
        directory.begin_with_whole_lines()
        for line in directory.read_samples():
            known.add(line.get("prompts", []))
        figures = work.do(items)
    made, alike = (sum(count(line) for line in work.lines) for count in (_made, _alike))
    return {**figures, "prompts": made, "alike": alike}


def prompts_in(directory: RunDirectory) -> list[PromptRecord]:
    return read_records(directory.data_path("prompts.parquet"), PromptRecord)


def items_of(config: ExpandConfig, directory: RunDirectory) -> list[Item]:
    """:raises BadData: there is no example."""
    shown = samples(config, prompts_in(directory))
    return [Item(number, 1, examples) for number, examples in enumerate(shown)]


def first_message(config: ExpandConfig, shown: Sequence[PromptRecord]) -> str:
    return fill(
        config.expand_template,
        examples="\n\n".join(f"{MARK} {row.messages[-1]['content']}" for row in shown),
        count=str(config.prompts_per_request),
    )


def samples(config: ExpandConfig, prompts: Sequence[PromptRecord]) -> list[list[PromptRecord]]:
    """The examples of each request.

    :raises BadData: no prompt is a single message of a user.
    """
    alone = [
        row
        for row in prompts
        if config.split in ("all", row.split) and [turn["role"] for turn in row.messages] == ["user"]
    ]
    if not alone:
        raise BadData(
            f"There is no example: of {len(prompts)} prompts none in split {config.split!r} is a single "
            "message."
        )
    of_a_kind: dict[tuple[str, str], list[PromptRecord]] = defaultdict(list)
    for row in alone:
        of_a_kind[row.kind, row.language].append(row)
    rng = random.Random(config.seed)
    found = []
    for _request in range(config.requests):
        first = rng.choice(alone)
        others = of_a_kind[first.kind, first.language]
        found.append(rng.sample(others, min(config.examples, len(others))))
    return found


def expanded(config: ExpandConfig, model: Speaker, shown: Sequence[PromptRecord], asked: Asked) -> Line:
    """:raises Unusable: the reply marks no prompt."""
    said = asked(model, [{"role": "user", "content": first_message(config, shown)}])
    found = read_prompts(said.text, finished=said.finished)[: config.prompts_per_request]
    if not found:
        raise Unusable("unparseable", said.text)
    return {
        "prompts": found,
        "kind": shown[0].kind,
        "language": shown[0].language,
        "made_from": [row.prompt_id for row in shown],
    }


def read_prompts(reply: str, *, finished: bool) -> list[str]:
    """What stands after each mark; the last one only where the reply was not cut. What stands before the
    first mark is none."""
    pieces = [piece.strip() for piece in _BEGINS.split(reply)[1:]]
    return [piece for piece in (pieces if finished else pieces[:-1]) if piece]


@dataclass
class Known:
    """The prompts that new ones must differ from."""

    most_alike: float
    texts: Sequence[str]
    pieces: list[frozenset[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.add(self.texts)

    def add(self, texts: Sequence[str]) -> None:
        self.pieces += map(three_letter_pieces, texts)

    def keep_new(self, line: Line) -> Line:
        if line["problem"]:
            return line
        kept = []
        for text in line["prompts"]:
            if not self.has(text):
                kept.append(text)
                self.add([text])
        alike = len(line["prompts"]) - len(kept)
        return {**line, "prompts": kept, "alike": alike, "completion": "\n\n".join(kept)}

    def has(self, text: str) -> bool:
        own = three_letter_pieces(text)
        return any(likeness(own, other) > self.most_alike for other in self.pieces)


def three_letter_pieces(text: str) -> frozenset[str]:
    """Of any language, also those that put no space between words."""
    plain = " ".join(text.lower().split())
    return frozenset(plain[at : at + 3] for at in range(max(1, len(plain) - 2)))


def likeness(one: frozenset[str], other: frozenset[str]) -> float:
    """Jaccard's: of all pieces, the share that both have."""
    together = len(one | other)
    return len(one & other) / together if together else 1.0


def _made(line: Line) -> int:
    return len(line.get("prompts", []))


def _alike(line: Line) -> int:
    return int(line.get("alike", 0))
