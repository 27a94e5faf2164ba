"""Dialogues of two models: one plays the user, one the assistant."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from trainer.handoff.configs.synthetic import GenerateConfig
from trainer.handoff.records import Message, PromptRecord, read_records
from trainer.handoff.rundir import RunDirectory, RunSpec
from trainer.handoff.templates import fill, lines_of
from trainer.rlhf.reporting import Reporter
from trainer.rlhf.synthetic.items import Asked, Item, Line, Unusable, Work
from trainer.rlhf.synthetic.judging import as_text
from trainer.rlhf.synthetic.speakers import Speaker, speakers
from trainer.rlhf.world import World

END = "[END]"
"""How the user's model says that it has what it needs."""


@dataclass(frozen=True)
class Scene:
    topic: str
    persona: str
    example: PromptRecord | None


def generate_dialogues(
    config: GenerateConfig, spec: RunSpec, directory: RunDirectory, report: Reporter, world: World
) -> dict[str, object]:
    if not world.is_first:
        return {}
    models = spec.base_model, config.user_model or spec.base_model
    with speakers(config, report, *models) as (assistant, user):
        work = Work(
            config,
            directory,
            report,
            answer=lambda item, asked: play(config, user, assistant, item.about, asked),
        )
        return work.do(items_of(config, directory))


def items_of(config: GenerateConfig, directory: RunDirectory) -> list[Item]:
    prompts = read_records(directory.data_path("prompts.parquet"), PromptRecord)
    # Of held-out prompts nothing is to come into what is learned from.
    examples = [row for row in prompts if row.split == "train"]
    planned = scenes(config, examples)
    return [Item(number, 2 * config.exchanges, scene) for number, scene in enumerate(planned)]


def first_message(config: GenerateConfig, scene: Scene) -> str:
    """What the user's model is told."""
    return fill(
        config.user_template,
        topic=scene.topic,
        persona=scene.persona,
        example=scene.example.messages[-1]["content"] if scene.example else "–",
        end=END,
    )


def scenes(config: GenerateConfig, examples: Sequence[PromptRecord]) -> list[Scene]:
    """Every topic with every persona before any comes again, in an order of the seed's."""
    rng = random.Random(config.seed)
    found: list[Scene] = []
    while len(found) < config.dialogues:
        combined = list(product(lines_of(config.topics), lines_of(config.personas)))
        rng.shuffle(combined)
        found += [Scene(topic, who, rng.choice(examples) if examples else None) for topic, who in combined]
    return found[: config.dialogues]


def play(config: GenerateConfig, user: Speaker, assistant: Speaker, scene: Scene, asked: Asked) -> Line:
    """:raises Unusable: there is not one message with a whole answer."""
    told = first_message(config, scene)
    hint = fill(config.assistant_template, topic=scene.topic).strip()
    system: list[Message] = [{"role": "system", "content": hint}] if hint else []
    turns: list[Message] = []
    problem = ""
    for _exchange in range(config.exchanges):
        message = asked(user, seen_by_user(told, turns))
        if END in message.text or not message.text or not message.finished:
            problem = "empty" if message.finished else "cut"
            break
        turns.append({"role": "user", "content": message.text})
        answer = asked(assistant, [*system, *turns])
        if not answer.text or not answer.finished:
            problem = "empty" if answer.finished else "cut"
            turns.pop()
            break
        turns.append({"role": "assistant", "content": answer.text})
    if not turns:
        raise Unusable(problem, message.text)
    return {
        "messages": turns,
        "topic": scene.topic,
        "persona": scene.persona,
        "made_from": [scene.example.prompt_id] if scene.example else [],
        "completion": as_text(turns),
    }


def seen_by_user(told: str, turns: Sequence[Message]) -> list[Message]:
    """The dialogue from the other side: to the user's model, the assistant is who writes to it."""
    other = {"user": "assistant", "assistant": "user"}
    swapped = [{"role": other[turn["role"]], "content": turn["content"]} for turn in turns]
    return [{"role": "user", "content": told}, *swapped]
