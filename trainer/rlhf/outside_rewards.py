"""Scores from outside the lab: functions and servers that somebody else wrote, so nothing of them is trusted
to be what it should be."""

import http.client
import importlib
import json
import math
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import IO, Any
from urllib.parse import urlsplit

from trainer.handoff.records import Message
from trainer.handoff.rewards import PYTHON
from trainer.rlhf.errors import LabError

MOST_AT_ONCE = 64
"""Completions in one request."""
MOST_BYTES = 1_000_000
"""Of an answer; scores need about twenty each."""
LARGEST_SCORE = 1e30
"""What float32, in which scores are added up, still holds with room to spare."""


@dataclass(frozen=True)
class CallableReward:
    """``function(prompts, completions)``: one number for each completion."""

    source: str
    function: Callable[[list[list[Message]], list[str]], Any]

    @classmethod
    def of(cls, source: str) -> "CallableReward":
        """:raises LabError: there is no such function, or its module cannot be imported."""
        module, _, name = source.removeprefix(PYTHON).partition(":")
        try:
            function = getattr(importlib.import_module(module), name)
        except (Exception, SystemExit) as error:  # importing runs the module, which may do anything
            raise LabError(
                f"The reward {source} could not be imported: {_said(error)}. "
                "Put the folder that holds the module on PYTHONPATH."
            ) from error
        if not callable(function):
            raise LabError(f"The reward {source} is no function: it is {function!r:.100}.")
        return cls(source, function)

    def score(self, prompts: Sequence[Sequence[Message]], completions: Sequence[str]) -> list[float]:
        """:raises LabError: the function broke, or returned something else than the scores."""
        try:
            # Copies: whatever it does to them stays with it.
            answer = self.function([[dict(turn) for turn in prompt] for prompt in prompts], list(completions))
        except (Exception, SystemExit) as error:
            raise LabError(f"The reward {self.source} broke: {_said(error)}.") from error
        return checked_scores(answer, len(completions), self.source)


@dataclass(frozen=True)
class EndpointReward:
    """A server that answers POST ``{"prompts": [[{role, content}, …], …], "completions": [text, …]}`` with
    ``{"scores": [number, …]}``.

    It is asked again where the connection or the server fails; an answer that is wrong ends the run.
    """

    url: str
    timeout: float = 120.0
    """Seconds for a whole answer."""
    pauses: tuple[float, ...] = (1.0, 4.0, 16.0)
    """Seconds before it is asked again."""

    def score(self, prompts: Sequence[Sequence[Message]], completions: Sequence[str]) -> list[float]:
        """:raises LabError: there was no answer, or another one than the scores."""
        scores: list[float] = []
        for start in range(0, len(completions), MOST_AT_ONCE):
            part = slice(start, start + MOST_AT_ONCE)
            asked = {"prompts": [list(p) for p in prompts[part]], "completions": list(completions[part])}
            scores += checked_scores(self._scores_in(self._ask(asked)), len(completions[part]), self._name)
        return scores

    @property
    def _name(self) -> str:
        """Without what may hold a secret: a name, a password, a query."""
        address = urlsplit(self.url)
        port = f":{address.port}" if address.port else ""
        return f"{address.scheme}://{address.hostname}{port}{address.path}"

    def _ask(self, asked: dict[str, Any]) -> bytes:
        for pause in (*self.pauses, None):
            try:
                return self._answer(asked)
            except urllib.error.HTTPError as error:
                with error:
                    if error.code < 500 and error.code != http.HTTPStatus.TOO_MANY_REQUESTS:
                        raise LabError(self._refusal(error)) from error
                failure: Exception = error
            except (OSError, http.client.HTTPException) as error:  # URLError and timeouts are OSErrors
                failure = error
            if pause is None:
                break
            time.sleep(pause)
        raise LabError(
            f"The reward server {self._name} gave no answer in {len(self.pauses) + 1} attempts: "
            f"{_said(failure)}. See that it runs and can be reached from this machine."
        ) from failure

    def _answer(self, asked: dict[str, Any]) -> bytes:
        request = urllib.request.Request(  # noqa: S310  # RewardSource allows http and https alone
            self.url, json.dumps(asked).encode(), {"Content-Type": "application/json"}
        )
        deadline = time.monotonic() + self.timeout
        body = bytearray()
        with _OPENER.open(request, timeout=self.timeout) as answer:
            while block := answer.read1(65536):
                body += block
                if len(body) > MOST_BYTES:
                    raise LabError(
                        f"The reward server {self._name} answered more than {MOST_BYTES:,} bytes. "
                        'It must answer {"scores": [numbers]} and nothing else.'
                    )
                if time.monotonic() > deadline:
                    raise TimeoutError(f"the answer took longer than {self.timeout:g} seconds")
            if answer.length:
                raise ConnectionError("the answer broke off")
        return bytes(body)

    def _refusal(self, error: urllib.error.HTTPError) -> str:
        if error.code < 400:
            return f"The reward server {self._name} sends elsewhere ({error.code}). Name the final address."
        try:
            words = error.read(200).decode(errors="replace")
        except (OSError, http.client.HTTPException):
            words = error.reason
        return f"The reward server {self._name} refused ({error.code}): {words!r}."

    def _scores_in(self, body: bytes) -> Any:
        try:
            answer = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise LabError(f"The reward server {self._name} answered no JSON, but {body[:100]!r}.") from error
        if not isinstance(answer, dict) or not isinstance(answer.get("scores"), list):
            raise LabError(
                f'The reward server {self._name} must answer {{"scores": [numbers]}}; '
                f"it answered {body[:100]!r}."
            )
        return answer["scores"]


def checked_scores(answer: Any, count: int, source: str) -> list[float]:
    """``answer`` as ``count`` finite numbers.

    :raises LabError: it is not.
    """
    try:
        scores = [_number(score) for score in answer]
    except Exception as error:  # tensors, arrays and the like break each in their own way
        raise LabError(
            f"The reward {source} must give one number for each completion; it gave {answer!r:.100}."
        ) from error
    if len(scores) != count:
        raise LabError(f"The reward {source} gave {len(scores)} scores for {count} completions.")
    for index, score in enumerate(scores):
        if not math.isfinite(score) or abs(score) > LARGEST_SCORE:
            raise LabError(f"The reward {source} gave {score} for completion {index}, which no score can be.")
    return scores


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """What is sent are people's words: they go where the config says and nowhere else."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirects)


def _number(score: Any) -> float:
    if isinstance(score, str | bytes):
        raise TypeError("a text is no number")
    try:
        return float(score)
    except OverflowError:
        return math.inf


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:300]
