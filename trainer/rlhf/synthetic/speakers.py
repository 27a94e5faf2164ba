"""Who is asked: a model server elsewhere, or a checkpoint on this machine. Both answer many at a time."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from jinja2 import TemplateError

from trainer.handoff.configs.synthetic import AskingConfig
from trainer.handoff.endpoints import find_endpoint, is_endpoint
from trainer.handoff.records import Message
from trainer.rlhf.batches import prompt_ids
from trainer.rlhf.errors import LabError, Stopped
from trainer.rlhf.loading import load_model, load_tokenizer, pick_dtype
from trainer.rlhf.reporting import Reporter
from trainer.rlhf.sample_elsewhere import LARGEST_SEED, Declined, Pace, ask_patiently, tokens_of
from trainer.rlhf.serving.engine import Engine, Wish

LISTEN = 0.5
"""Seconds between two looks at whether the run is to stop."""


@dataclass(frozen=True)
class Said:
    text: str
    finished: bool
    """It ended by itself, before the length limit."""
    tokens: int
    """Read and written."""


class Speaker(Protocol):
    def say(self, messages: Sequence[Message], *, seed: int) -> Said:
        """:raises Declined: it does not take this conversation.
        :raises LabError: it cannot be asked at all.
        :raises Stopped: the run is to stop.
        """

    def close(self) -> None: ...


@contextmanager
def speakers(config: AskingConfig, report: Reporter, *models: str) -> Iterator[list[Speaker]]:
    """One for each model; the same for the same. Together they keep to the pace.

    :raises LabError: there is no such model.
    """
    pace = Pace(config.requests_per_minute, report)
    made: dict[str, Speaker] = {}
    try:
        for model in models:
            if model not in made:
                is_elsewhere = is_endpoint(model)
                made[model] = Elsewhere(model, config, pace) if is_elsewhere else Here(model, config, report)
        yield [made[model] for model in models]
    finally:
        for speaker in made.values():
            speaker.close()


class Elsewhere:
    def __init__(self, model: str, config: AskingConfig, pace: Pace) -> None:
        self.endpoint, self.config, self.pace = find_endpoint(model), config, pace

    def say(self, messages: Sequence[Message], *, seed: int) -> Said:
        reply = ask_patiently(
            self.endpoint,
            self.pace,
            messages,
            temperature=self.config.temperature,
            max_tokens=self.config.max_new_tokens,
            seed=seed % LARGEST_SEED,
        )
        read = reply.prompt_tokens
        if read is None:
            read = sum(-(-len(turn["content"]) // 4) for turn in messages)
        return Said(reply.text.strip(), reply.finished, read + tokens_of(reply))

    def close(self) -> None:
        pass


class Here:
    def __init__(self, model: str, config: AskingConfig, report: Reporter) -> None:
        self.config, self.report = config, report
        self.tokenizer = load_tokenizer(model)
        loaded = load_model(model, pick_dtype(config)).eval()
        made_for = getattr(loaded.config, "max_position_embeddings", None) or config.max_prompt_tokens * 2
        self.longest = min(config.max_prompt_tokens, made_for - 1)
        self.room = made_for
        self.engine = Engine(
            loaded, self.tokenizer, rows=config.batch_size, most_waiting=2 * config.batch_size
        )
        self.engine.start()

    def say(self, messages: Sequence[Message], *, seed: int) -> Said:
        prompt = self._prompt(messages)
        wish = Wish(
            prompt,
            max_tokens=min(self.config.max_new_tokens, self.room - len(prompt)),
            temperature=self.config.temperature,
            seed=seed,
        )
        answering, text = self.engine.ask(wish), ""
        for news in answering.listen(LISTEN):
            if self.report.stopping:
                answering.cancel()
                raise Stopped
            text += news.text
        if news.ending == "error":
            raise LabError("The model broke in the middle of an answer; the run's log has the details.")
        return Said(text.strip(), news.ending == "stop", len(prompt) + answering.tokens)

    def _prompt(self, messages: Sequence[Message]) -> list[int]:
        try:
            prompt = prompt_ids(self.tokenizer, list(messages))
        except TemplateError as error:
            raise Declined(f"The model's chat template does not take the conversation: {error}") from error
        if len(prompt) > self.longest:
            raise Declined(f"The conversation has {len(prompt)} tokens; at most {self.longest} are read.")
        return prompt

    def close(self) -> None:
        self.engine.close()
