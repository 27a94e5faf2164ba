"""What a student learns from its teacher's words: answers, or answers with the thoughts that lead to them."""

from typing import Any

from trainer.handoff.configs.compress import DistillConfig
from trainer.handoff.configs.synthetic import AskingConfig
from trainer.handoff.records import DemonstrationRecord, Message, read_records
from trainer.handoff.rundir import TAUGHT, RunDirectory, RunSpec
from trainer.handoff.templates import fill
from trainer.rlhf.batches import TokenSequence, answer_sequence, completion_ids, prompt_ids
from trainer.rlhf.errors import BadData
from trainer.rlhf.modeling import Role
from trainer.rlhf.randomness import uniforms
from trainer.rlhf.reporting import Reporter
from trainer.rlhf.sampling import sample
from trainer.rlhf.synthetic.items import Asked, Item, Line, Unusable, Work
from trainer.rlhf.synthetic.speakers import Speaker, speakers
from trainer.rlhf.world import World


def own_answers(
    config: DistillConfig, directory: RunDirectory, report: Reporter, teacher: Role, tokenizer: Any
) -> list[TokenSequence]:
    """The original's answers to the demonstrations' prompts (Kim and Rush 2016, section 3.2). The same seed
    gives the same ones, also when a run is resumed."""
    prompts = [prompt for _row, prompt in prompts_in(config, directory, tokenizer)]
    found = []
    for start in range(0, len(prompts), config.batch_size):
        report.check()
        part = prompts[start : start + config.batch_size]
        drawn = sample(
            teacher,
            part,
            temperature=config.answer_temperature,
            max_new_tokens=config.max_completion_tokens,
            eos=tokenizer.eos_token_id,
            luck=uniforms(len(part), config.max_completion_tokens, config.seed, "answers", start),
        )
        found += [answer_sequence(prompt, one.tokens) for prompt, one in zip(part, drawn, strict=True)]
    return found


def asked_for(
    config: DistillConfig,
    spec: RunSpec,
    directory: RunDirectory,
    report: Reporter,
    tokenizer: Any,
    world: World,
) -> list[TokenSequence]:
    """What the teacher says when it is asked as people ask, elsewhere or here. From its thoughts the student
    learns to write them down too (Magister et al. 2023, "Teaching small language models to reason"), from the
    plain prompt, without the request to think.

    :raises BadData: it said nothing that can be used.
    """
    prompts = prompts_in(config, directory, tokenizer)
    taught = RunDirectory(directory.path / TAUGHT)
    if world.is_first:
        taught.path.mkdir(exist_ok=True)
        ask(config, spec, taught, report, [row for row, _prompt in prompts])
    world.wait()
    said = {line["item"]: line["completion"] for line in taught.read_samples() if not line["problem"]}
    return [
        answer_sequence(prompt, completion_ids(tokenizer, said[place], config.max_completion_tokens))
        for place, (_row, prompt) in enumerate(prompts)
        if place in said
    ]


def ask(
    config: DistillConfig,
    spec: RunSpec,
    taught: RunDirectory,
    report: Reporter,
    rows: list[DemonstrationRecord],
) -> None:
    asking = AskingConfig(
        seed=config.seed,
        dtype=config.dtype,
        max_prompt_tokens=config.max_prompt_tokens,
        temperature=config.answer_temperature,
        max_new_tokens=config.max_completion_tokens,
        batch_size=config.batch_size,
        most_tokens=config.most_tokens,
        requests_per_minute=config.requests_per_minute,
    )
    items = [Item(place, 1, request(config, row.messages)) for place, row in enumerate(rows)]
    with speakers(asking, report, config.teacher or spec.base_model) as (teacher,):
        answer = lambda item, asked: said_by(teacher, item.about, asked)  # noqa: E731  # as elsewhere
        Work(asking, taught, report, answer=answer, is_whole_run=False).do(items)


def request(config: DistillConfig, messages: list[Message]) -> list[Message]:
    """The conversation, with its last message put into the template."""
    if config.learn_from != "thoughts":
        return messages
    *before, last = messages
    return [*before, {**last, "content": fill(config.thought_template, prompt=last["content"])}]


def said_by(teacher: Speaker, messages: list[Message], asked: Asked) -> Line:
    """:raises Unusable: it said nothing, or was cut before it came to the answer."""
    said = asked(teacher, messages)
    if not said.text or not said.finished:
        raise Unusable("empty" if said.finished else "cut", said.text)
    return {"completion": said.text}


def prompts_in(
    config: DistillConfig, directory: RunDirectory, tokenizer: Any
) -> list[tuple[DemonstrationRecord, list[int]]]:
    """Those of the train split's demonstrations that are not too long, with their tokens."""
    rows = read_records(directory.data_path("demonstrations.parquet"), DemonstrationRecord)
    found = [(row, prompt_ids(tokenizer, row.messages)) for row in rows if row.split != "held_out"]
    found = [(row, prompt) for row, prompt in found if len(prompt) <= config.max_prompt_tokens]
    if not found:
        raise BadData("There is no demonstration in the train split whose prompt could be asked.")
    return found
