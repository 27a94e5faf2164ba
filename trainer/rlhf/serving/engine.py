"""Answers to many at once: requests join the batch and leave it between two tokens."""

import logging
import queue
import random
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache

from trainer.rlhf.sampling import draw
from trainer.rlhf.serving.cache import SlotCache
from trainer.rlhf.serving.memory import Memory
from trainer.rlhf.serving.texts import TextStream

logger = logging.getLogger(__name__)

READ_AT_ONCE = 256
"""Prompt tokens that are read between two tokens of those who are being answered: nobody waits long."""

COLDEST = 1e-4
"""Below this, logits divided by the temperature leave what float32 can hold: it is as good as 0."""


@dataclass(frozen=True)
class Wish:
    """What somebody asks for."""

    prompt: list[int]
    max_tokens: int = 512
    temperature: float = 1.0
    """0 always takes the likeliest token."""
    top_p: float = 1.0
    stop: tuple[str, ...] = ()
    seed: int | None = None


@dataclass(frozen=True)
class News:
    """What becomes of a wish: words, how many are served first, or its end."""

    text: str = ""
    waiting: int | None = None
    ending: str = ""
    """stop, length, cancelled or error."""


@dataclass
class Answering:
    """A wish under way."""

    wish: Wish
    text: TextStream
    luck: random.Random
    news: "queue.SimpleQueue[News]" = field(default_factory=queue.SimpleQueue)
    is_cancelled: bool = False
    read: int = 0
    """Tokens of the prompt that the model has read."""
    cache: DynamicCache | None = None
    last_token: int = 0

    @property
    def tokens(self) -> int:
        return len(self.text.tokens)

    def cancel(self) -> None:
        """Nobody listens any more: the next step leaves it out."""
        self.is_cancelled = True

    def listen(self, every: float | None = None) -> Iterator[News]:
        """News up to the end; an empty one after ``every`` seconds without any."""
        while True:
            try:
                news = self.news.get(timeout=every)
            except queue.Empty:
                yield News()
                continue
            yield news
            if news.ending:
                return


class Full(Exception):
    """So many wait already that one more would wait too long."""


class Engine:
    """One thread that owns the model. ``ask`` may be called from any other."""

    def __init__(
        self, model: Any, tokenizer: Any, *, rows: int = 8, most_waiting: int = 64, remember: int = 4096
    ) -> None:
        """``remember``: tokens of earlier conversations, so that those who go on need not wait."""
        self.model, self.tokenizer, self.rows, self.most_waiting = model, tokenizer, rows, most_waiting
        self.eos = _ends(model, tokenizer)
        self.asked = self.answered = self.written = 0
        """Since it began: wishes, those that are over, and tokens."""
        self.recalled = 0
        """Tokens of prompts that had been read before."""
        self._memory = Memory(remember)
        self._waiting: deque[Answering] = deque()
        self._reading: list[Answering] = []
        self._speaking: list[Answering] = []
        self._slots = SlotCache(model.config.num_hidden_layers, rows)
        self._news = threading.Condition()
        self._is_closing = False
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def finish(self, seconds: float) -> None:
        """Wait until everybody who asked is answered, as long as that takes no longer."""
        end = time.monotonic() + seconds
        while (self.active or self.waiting) and time.monotonic() < end:
            time.sleep(0.05)

    def close(self) -> None:
        """Cut off whoever is being answered."""
        with self._news:
            self._is_closing = True
            self._news.notify()
        self._thread.join()

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @property
    def active(self) -> int:
        return len(self._reading) + len(self._speaking)

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def ask(self, wish: Wish) -> Answering:
        """:raises Full: too many wait."""
        answering = Answering(wish, TextStream(self.tokenizer, wish.stop), random.Random(wish.seed))
        with self._news:
            if len(self._waiting) >= self.most_waiting or self._is_closing:
                raise Full
            self.asked += 1
            self._waiting.append(answering)
            ahead = len(self._waiting) + self.active - self.rows
            if ahead > 0:
                answering.news.put(News(waiting=ahead))
            self._news.notify()
        return answering

    @torch.inference_mode()
    def _run(self) -> None:
        while self._admit():
            try:
                self._read_prompts()
                if self._speaking:
                    self._step()
            except Exception:
                # One that breaks takes the others of its batch along, and not those who come after.
                logger.exception("a step of the model broke")
                self._drop_all()

    def _admit(self) -> bool:
        """Let in whom there is room for; wait while there is nothing to do. False: it is time to close."""
        with self._news:
            self._forget_who_left()
            while not (self._is_closing or self._waiting or self.active):
                self._news.wait()
            if self._is_closing:
                self._drop_all()
                return False
            before = len(self._waiting)
            while self._waiting and self.active < self.rows:
                self._reading.append(self._waiting.popleft())
            if len(self._waiting) < before:
                self._tell_places()
        return True

    def _forget_who_left(self) -> None:
        """Those who wait and want nothing any more make room for others who would wait."""
        gone = [answering for answering in self._waiting if answering.is_cancelled]
        for answering in gone:
            self._waiting.remove(answering)
            self._finish(answering, "cancelled")
        if gone:
            self._tell_places()

    def _tell_places(self) -> None:
        for ahead, answering in enumerate(self._waiting, start=1):
            answering.news.put(News(waiting=ahead))

    def _drop_all(self) -> None:
        with self._news:
            for answering in [*self._speaking, *self._reading, *(self._waiting if self._is_closing else ())]:
                self._finish(answering, "error")
            self._speaking, self._reading = [], []
            self._slots = SlotCache(self.model.config.num_hidden_layers, self.rows)

    def _read_prompts(self) -> None:
        left = READ_AT_ONCE
        while self._reading and left > 0:
            answering = self._reading[0]
            if answering.is_cancelled:
                self._finish(self._reading.pop(0), "cancelled")
                continue
            left -= self._read_on(answering, left)

    def _read_on(self, answering: Answering, at_most: int) -> int:
        prompt = answering.wish.prompt
        if answering.cache is None:
            answering.cache, answering.read = self._memory.recall(prompt)
            self.recalled += answering.read
        part = prompt[answering.read : answering.read + at_most]
        states = self._states(torch.tensor([part]), None, None, answering.cache)
        answering.read += len(part)
        if answering.read == len(prompt):
            self._reading.pop(0)
            self._slots.add(answering.cache)
            answering.cache = None
            self._speaking.append(answering)
            self._take([len(self._speaking) - 1], self._logits(states[:, -1]))
        return len(part)

    def _step(self) -> None:
        """One token more for everybody who is being answered."""
        mask, positions = self._slots.begin_step()
        tokens = torch.tensor([[answering.last_token] for answering in self._speaking])
        states = self._states(tokens, mask, positions, self._slots)
        self._slots.end_step()
        self._take(list(range(len(self._speaking))), self._logits(states[:, -1]))

    def _states(self, ids: Tensor, mask: Tensor | None, positions: Tensor | None, cache: Any) -> Tensor:
        device = self.model.device
        output = self.model.base_model(
            input_ids=ids.to(device),
            attention_mask=None if mask is None else mask.to(device),
            position_ids=None if positions is None else positions.to(device),
            cache=cache,
            use_cache=True,
        )
        return output.last_hidden_state  # type: ignore[no-any-return]

    def _logits(self, states: Tensor) -> Tensor:
        logits: Tensor = self.model.get_output_embeddings()(states)
        return logits.float().cpu()

    def _take(self, rows: list[int], logits: Tensor) -> None:
        """Give each of the rows its next token, from logits (rows, V)."""
        wishes = [self._speaking[row].wish for row in rows]
        luck = torch.tensor([self._speaking[row].luck.random() for row in rows])
        drawn = choose(logits, wishes, luck)
        over = [row for row, token in zip(rows, drawn, strict=True) if self._write(row, token)]
        # From the back: the last row takes the place of one that leaves.
        for row in sorted(over, reverse=True):
            self._remember(row)
            self._slots.remove(row)
            last = self._speaking.pop()
            if row < len(self._speaking):
                self._speaking[row] = last

    def _remember(self, row: int) -> None:
        answering, states = self._speaking[row], self._slots.row(row)
        # The last token was drawn, but not read.
        read = [*answering.wish.prompt, *answering.text.tokens][: states[0][0].shape[2]]
        self._memory.keep(read, states)

    def _write(self, row: int, token: int) -> bool:
        """Add a token to a row's answer; whether that was the last."""
        answering = self._speaking[row]
        answering.last_token = token
        self.written += 1
        ending = "cancelled" if answering.is_cancelled else "stop" if token in self.eos else ""
        if not ending:
            if text := answering.text.add(token):
                answering.news.put(News(text))
            if answering.text.is_stopped:
                ending = "stop"
            elif answering.tokens >= answering.wish.max_tokens:
                ending = "length"
        if ending:
            self._finish(answering, ending)
        return bool(ending)

    def _finish(self, answering: Answering, ending: str) -> None:
        self.answered += 1
        answering.news.put(News(answering.text.end() if ending in ("stop", "length") else "", ending=ending))


def choose(logits: Tensor, wishes: Sequence[Wish], luck: Tensor) -> list[int]:
    """A token for each row of logits (N, V), as its wish says, by its luck (N,)."""
    chosen = logits.argmax(-1)
    for row, wish in enumerate(wishes):
        if wish.temperature > COLDEST:
            scaled = likeliest(logits[row] / wish.temperature, wish.top_p)
            chosen[row] = draw(scaled[None], luck[row : row + 1])[0]
    return chosen.tolist()  # type: ignore[no-any-return]


def likeliest(logits: Tensor, top_p: float) -> Tensor:
    """Logits (V,) of the likeliest tokens that together have at least ``top_p``; the others have no chance
    (nucleus sampling, Holtzman et al. 2020)."""
    if top_p >= 1:
        return logits
    ordered, places = logits.sort(descending=True)
    before = ordered.softmax(-1).cumsum(-1) - ordered.softmax(-1)
    return logits.scatter(0, places[before >= top_p], float("-inf"))


def _ends(model: Any, tokenizer: Any) -> set[int]:
    """Tokens that end an answer: the tokenizer's, and what the model's own settings add."""
    told = getattr(getattr(model, "generation_config", None), "eos_token_id", None)
    added = told if isinstance(told, list) else [told]
    return {token for token in [tokenizer.eos_token_id, *added] if token is not None}
