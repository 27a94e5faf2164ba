"""A model's orders of candidate sets: each asked in two orders, and only what both say is a preference."""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from trainer.handoff.configs.synthetic import JudgeConfig
from trainer.handoff.records import Message
from trainer.handoff.rundir import RunDirectory, RunSpec
from trainer.handoff.templates import fill
from trainer.rlhf.errors import BadData
from trainer.rlhf.randomness import seed_for
from trainer.rlhf.reporting import Reporter
from trainer.rlhf.synthetic.guidelines import Guideline, guideline_in
from trainer.rlhf.synthetic.items import Asked, Item, Line, Unusable, Work
from trainer.rlhf.synthetic.orders import (
    Tiers,
    agreed_pairs,
    agreed_tiers,
    askings,
    letters_of,
    levels,
    preferred,
    read_order,
)
from trainer.rlhf.synthetic.speakers import Speaker, speakers
from trainer.rlhf.world import World

FILE = "candidates.jsonl"


@dataclass(frozen=True, kw_only=True)
class Candidates:
    candidate_set_id: int
    prompt_id: int
    split: str
    messages: list[Message]
    completions: dict[int, str]
    rankings: int
    """Of people."""
    consensus: Tiers
    """Of people, what is unacceptable last; empty where there is none."""


def judge_candidates(
    config: JudgeConfig, spec: RunSpec, directory: RunDirectory, report: Reporter, world: World
) -> dict[str, object]:
    if not world.is_first:
        return {}
    items = items_of(config, directory)
    guideline = guideline_in(directory)
    with speakers(config, report, spec.base_model) as (model,):
        work = Work(
            config,
            directory,
            report,
            answer=lambda item, asked: judged(config, model, item.about, asked, guideline),
            measure=measured,
        )
        return work.do(items) | leaning(work.lines) | guideline.figures


def items_of(config: JudgeConfig, directory: RunDirectory) -> list[Item]:
    """:raises BadData: there is nothing to judge."""
    sets = candidate_sets(config, directory)
    return [Item(one.candidate_set_id, requests_for(config, one), one) for one in sets]


def first_message(config: JudgeConfig, candidates: Candidates, guideline: Guideline) -> str:
    return question(config, candidates, orders_to_ask(config, candidates)[0], guideline)


def orders_to_ask(config: JudgeConfig, candidates: Candidates) -> list[list[int]]:
    rng = random.Random(seed_for(config.seed, "orders", candidates.candidate_set_id))
    return askings(sorted(candidates.completions), config.method, rng)


def requests_for(config: JudgeConfig, candidates: Candidates) -> int:
    count = len(candidates.completions)
    return 2 if config.method == "whole" else count * (count - 1)


def candidate_sets(config: JudgeConfig, directory: RunDirectory) -> list[Candidates]:
    """Those that the settings ask for, in the order of their numbers.

    :raises BadData: there are none.
    """
    if not directory.data_path(FILE).exists():
        raise BadData(f"There is nothing to judge: data/{FILE} is missing.")
    found = [
        _candidates(line)
        for line in directory.data_path(FILE).read_text(encoding="utf-8").split("\n")
        if line
    ]
    wanted = [
        one
        for one in found
        if config.split in ("all", one.split)
        and config.among in ("all", "ranked" if one.rankings else "unranked")
    ]
    if not wanted:
        raise BadData(
            f"There is nothing to judge: of {len(found)} candidate sets of these prompts none is in split "
            f"{config.split!r} and {config.among}."
        )
    if config.sets and len(wanted) > config.sets:
        wanted = random.Random(config.seed).sample(wanted, config.sets)
    return sorted(wanted, key=lambda one: one.candidate_set_id)


def judged(
    config: JudgeConfig, model: Speaker, candidates: Candidates, asked: Asked, guideline: Guideline
) -> Line:
    """:raises Unusable: a reply is no order, or the two orders differ and such sets are left out."""
    ids = sorted(candidates.completions)
    answers: list[dict[str, Any]] = []
    for shown in orders_to_ask(config, candidates):
        told = question(config, candidates, shown, guideline)
        said = asked(model, [{"role": "user", "content": told}])
        read = read_order(said.text, shown) if said.finished else None
        if read is None:
            raise Unusable("unparseable" if said.finished else "cut", said.text)
        answers.append({"shown": shown, "tiers": read[0], "reason": read[1]})
    orders = [answer["tiers"] for answer in answers]
    agreed, pairs = agreed_pairs(orders, ids), len(ids) * (len(ids) - 1) // 2
    rationale = explained(answers[0])
    if config.on_disagreement == "drop" and agreed < pairs:
        raise Unusable("disagreement", rationale)
    return {
        "prompt_id": candidates.prompt_id,
        "completion": rationale,
        "tiers": agreed_tiers(orders, ids),
        "askings": answers,
        "agreed": agreed,
        "pairs": pairs,
        "with_people": with_people(orders, candidates),
    }


def question(config: JudgeConfig, candidates: Candidates, shown: Sequence[int], guideline: Guideline) -> str:
    letters = letters_of(shown)
    answers = [f"[{letter}]\n{candidates.completions[pk]}" for letter, pk in zip(letters, shown, strict=True)]
    return fill(
        config.judge_template,
        prompt=as_text(candidates.messages),
        answers="\n\n".join(answers),
        letters=", ".join(letters),
        guideline=guideline.text,
    )


def as_text(messages: Sequence[Message]) -> str:
    return "\n\n".join(f"{turn['role'].capitalize()}: {turn['content']}" for turn in messages)


def explained(answer: dict[str, Any]) -> str:
    """The reason, with what its letters meant."""
    shown = answer["shown"]
    meant = ", ".join(f"{letter} = {pk}" for letter, pk in zip(letters_of(shown), shown, strict=True))
    return f"({meant}) {answer['reason']}".strip()


def with_people(orders: Sequence[Tiers], candidates: Candidates) -> list[int]:
    """Of the pairs that both people's consensus and the judge put in order: how many alike, and how many."""
    place = levels(candidates.consensus)
    both = [
        preferred(orders, a, b) == (1 if place[a] < place[b] else -1)
        for a, b in combinations(sorted(place), 2)
        if place[a] != place[b] and preferred(orders, a, b)
    ]
    return [sum(both), len(both)]


def measured(lines: Sequence[Line]) -> dict[str, float]:
    usable = [line for line in lines if not line["problem"]]
    pairs = sum(line["pairs"] for line in usable)
    alike, compared = (sum(line["with_people"][place] for line in usable) for place in (0, 1))
    return {
        **({"consistency": sum(line["agreed"] for line in usable) / pairs} if pairs else {}),
        **({"agreement_with_people": alike / compared} if compared else {}),
    }


def leaning(lines: Sequence[Line]) -> dict[str, float]:
    """How much the judge likes what it reads first: 1 if always that, −1 if always what it reads last, 0 if
    its place makes no difference; over all that it put in order."""
    earlier = later = 0
    for line in lines:
        for answer in line.get("askings", ()):
            place = levels(answer["tiers"])
            for first, second in combinations(answer["shown"], 2):
                earlier += place[first] < place[second]
                later += place[first] > place[second]
    return {"leaning": round((earlier - later) / (earlier + later), 4)} if earlier + later else {}


def _candidates(line: str) -> Candidates:
    try:
        told = json.loads(line)
        texts = {int(one["id"]): str(one["text"]) for one in told.pop("completions")}
        return Candidates(**told, completions=texts)
    except (ValueError, KeyError, TypeError) as error:
        raise BadData(f"{FILE} does not hold candidate sets: {error}") from error
