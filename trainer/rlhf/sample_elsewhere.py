"""Candidates from a model server instead of a checkpoint here: any that speaks OpenAI's protocol."""

import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

from trainer.handoff.configs import SampleConfig
from trainer.handoff.endpoints import find_endpoint
from trainer.handoff.openai_client import Endpoint, EndpointError, Reply
from trainer.handoff.records import Message, PromptRecord, read_records
from trainer.handoff.rundir import RunDirectory, RunSpec
from trainer.rlhf.errors import BadData, LabError, Stopped
from trainer.rlhf.loading import pick_dtype
from trainer.rlhf.randomness import seed_for
from trainer.rlhf.reporting import Reporter
from trainer.rlhf.rewards import Reward, load_reward, whole_reward
from trainer.rlhf.sample import Candidate, best_draws, means

PAUSES = (2.0, 8.0, 30.0)
"""Seconds before a server that is busy or away is asked again."""
REFUSED = {400, 413, 422}
"""How a server says that it cannot take this conversation; others may fare better."""
MINUTES_A_STEP = 5
"""A step that takes longer, for a limit's sake, would look as if the run hung."""
LARGEST_SEED = 2**31


def sample_elsewhere(
    config: SampleConfig, spec: RunSpec, directory: RunDirectory, report: Reporter
) -> dict[str, object]:
    directory.rewind(None)
    prompts = prompts_to_ask(config, directory)
    reward = load_reward(whole_reward(spec), pick_dtype(config))
    if config.best_of > 1 and reward is None:
        raise LabError(f"best_of is {config.best_of}, but no reward model says which answer is the best.")
    asking = Asking(find_endpoint(spec.base_model), config, report)
    starts = range(0, len(prompts), size := prompts_a_step(config))
    kept: list[Candidate] = []
    for step, start in enumerate(starts, start=1):
        if config.most_tokens and asking.tokens >= config.most_tokens:
            break
        before = asking.tokens
        found = asking.candidates(prompts[start : start + size], reward)
        kept += found
        for candidate in found:
            directory.append_sample(**asdict(candidate), ref_kl=None, step=None)
        report.step(step, len(starts), tokens=asking.tokens - before, **(means(kept) if kept else {}))
        report.check()
    if not kept:
        raise BadData(f"{asking.endpoint.name} answered none of {len(prompts)} prompts. {asking.refusal}")
    answered = len({candidate.prompt_id for candidate in kept})
    return {
        "completions": len(kept),
        "tokens": asking.tokens,
        **{name: round(mean, 4) for name, mean in means(kept).items()},
        **({"unanswered": len(prompts) - answered} if answered < len(prompts) else {}),
    }


def prompts_to_ask(config: SampleConfig, directory: RunDirectory) -> list[PromptRecord]:
    """How many tokens they have, only the server knows."""
    rows = read_records(directory.data_path("prompts.parquet"), PromptRecord)
    rows = [row for row in rows if config.split in ("all", row.split)]
    if config.prompts and len(rows) > config.prompts:
        rows = random.Random(config.seed).sample(rows, config.prompts)
    if not rows:
        raise BadData(f"There is no prompt to answer: the snapshot has none in split {config.split!r}.")
    return rows


def prompts_a_step(config: SampleConfig) -> int:
    most = config.batch_size
    if config.requests_per_minute:
        most = min(most, MINUTES_A_STEP * config.requests_per_minute)
    return max(1, most // config.draws_per_prompt)


@dataclass
class Asking:
    """Requests to one server: as many at a time as a batch has rows, no more a minute than is allowed."""

    endpoint: Endpoint
    config: SampleConfig
    report: Reporter
    tokens: int = 0
    """Written so far."""
    refusal: str = ""
    """What the server said of the last prompt that it would not take."""

    def __post_init__(self) -> None:
        self.pace = Pace(self.config.requests_per_minute, self.report)

    def candidates(self, prompts: Sequence[PromptRecord], reward: Reward | None) -> list[Candidate]:
        """Of the prompts that the server takes.

        :raises LabError: it cannot be reached, or does not let us in.
        """
        draws = [(row, number) for row in prompts for number in range(self.config.draws_per_prompt)]
        with ThreadPoolExecutor(self.config.batch_size) as threads:
            replies = list(threads.map(lambda draw: self._ask(*draw), draws))
        refused = {row.prompt_id for (row, _), reply in zip(draws, replies, strict=True) if reply is None}
        found = [
            (row, reply)
            for (row, _), reply in zip(draws, replies, strict=True)
            if reply and row.prompt_id not in refused
        ]
        texts = [reply.text.strip() for _row, reply in found]
        scores = reward.score([row.messages for row, _ in found], texts) if reward and found else None
        self.tokens += sum(tokens_of(reply) for reply in replies if reply)
        return [
            Candidate(
                prompt_id=found[index][0].prompt_id,
                completion=texts[index],
                finished=found[index][1].finished,
                tokens=tokens_of(found[index][1]),
                score=round(scores[index], 4) if scores else None,
            )
            for index in best_draws(scores or [0.0] * len(found), self.config.best_of)
        ]

    def _ask(self, row: PromptRecord, number: int) -> Reply | None:
        """None where the server would not take the prompt."""
        try:
            return ask_patiently(
                self.endpoint,
                self.pace,
                row.messages,
                temperature=self.config.temperature,
                max_tokens=self.config.max_new_tokens,
                seed=seed_for(self.config.seed, "elsewhere", row.prompt_id, number) % LARGEST_SEED,
            )
        except Declined as refusal:
            self.refusal = str(refusal)
            return None


class Declined(Exception):
    """The model does not take this conversation; it may take others."""


def ask_patiently(endpoint: Endpoint, pace: "Pace", messages: Sequence[Message], **options: Any) -> Reply:
    """One answer, asked for again where the server is busy or away.

    :raises Declined: it would not take this conversation.
    :raises LabError: it cannot be reached, or does not let us in.
    """
    for pause in (*PAUSES, None):
        pace.wait()
        try:
            return endpoint.chat(messages, **options)[0]
        except EndpointError as error:
            if error.status in REFUSED:
                raise Declined(str(error)) from error
            if pause is None or not (error.is_busy or error.status == 0):
                raise LabError(str(error)) from error
            pace.sleep(pause)
    raise AssertionError("the last pause is None")


def tokens_of(reply: Reply) -> int:
    """Where a server does not count them, a token is taken for four characters."""
    return reply.tokens if reply.tokens is not None else -(-len(reply.text) // 4)


class Pace:
    """Keeps requests apart, and ends every wait when the run is to stop."""

    def __init__(
        self,
        per_minute: int,
        report: Reporter,
        clock: Callable[[], float] = time.monotonic,
        doze: Callable[[float], None] = time.sleep,
    ) -> None:
        self.apart = 60 / per_minute if per_minute else 0.0
        self.report, self.clock, self.doze = report, clock, doze
        self._next = clock()
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Until it is this request's turn.

        :raises Stopped: the run is to stop.
        """
        with self._lock:
            turn = max(self._next, self.clock())
            self._next = turn + self.apart
        self.sleep(turn - self.clock())

    def sleep(self, seconds: float) -> None:
        end = self.clock() + seconds
        while (left := end - self.clock()) > 0:
            self.report.check()
            self.doze(min(left, 0.5))
        if self.report.stopping:
            raise Stopped
