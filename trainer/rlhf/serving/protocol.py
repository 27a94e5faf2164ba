"""OpenAI's chat completions: what is asked for, and how it is answered."""

import json
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import TemplateError

from trainer.handoff.records import Message
from trainer.rlhf.batches import prompt_ids
from trainer.rlhf.serving.engine import Wish

MOST_ANSWERS = 8
MOST_STOPS = 4
MOST_MESSAGES = 400
ROLES = ("system", "user", "assistant")


class BadRequest(Exception):
    """What was asked for cannot be; ``param`` says where."""

    def __init__(self, words: str, param: str, code: str = "invalid_value") -> None:
        super().__init__(words)
        self.param, self.code = param, code


@dataclass(frozen=True)
class Asked:
    """A request for chat completions, checked."""

    wishes: list[Wish]
    is_streamed: bool
    tells_usage: bool
    """A streamed answer ends with how many tokens it took."""

    @property
    def prompt_tokens(self) -> int:
        return len(self.wishes[0].prompt)


def read_request(body: Any, tokenizer: Any, context: int) -> Asked:
    """``context``: tokens of prompt and answer together that the model was made for.

    :raises BadRequest: it asks for something that cannot be.
    """
    if not isinstance(body, dict):
        raise BadRequest("The body must be a JSON object.", "body")
    prompt = _prompt(tokenizer, _messages(body.get("messages")))
    room = context - len(prompt)
    if room < 1:
        words = f"The conversation has {len(prompt)} tokens; the model reads {context - 1} at most."
        raise BadRequest(words, "messages", "context_length_exceeded")
    asked = body.get("max_completion_tokens") or body.get("max_tokens")
    seed = _whole(body, "seed", None, 0, 2**63 - 1)
    count = _whole(body, "n", 1, 1, MOST_ANSWERS) or 1
    most = _whole({"max_tokens": asked}, "max_tokens", 512, 1, 1_000_000) or 512
    common: dict[str, Any] = {
        "prompt": prompt,
        "max_tokens": min(most, room),
        "temperature": _number(body, "temperature", 1.0, 0.0, 2.0),
        "top_p": _number(body, "top_p", 1.0, 0.0, 1.0),
        "stop": _stops(body.get("stop")),
    }
    streamed = bool(body.get("stream"))
    if streamed and count > 1:
        raise BadRequest("A streamed answer is one: n must be 1.", "n")
    options = body.get("stream_options")
    return Asked(
        wishes=[Wish(**common, seed=None if seed is None else seed + number) for number in range(count)],
        is_streamed=streamed,
        tells_usage=isinstance(options, dict) and bool(options.get("include_usage")),
    )


def _prompt(tokenizer: Any, messages: list[Message]) -> list[int]:
    try:
        return prompt_ids(tokenizer, messages)
    except TemplateError as error:  # some models want roles in turn, or know no system
        raise BadRequest(f"This model's template refuses the conversation: {error}", "messages") from error


def _messages(given: Any) -> list[Message]:
    if not isinstance(given, list) or not 0 < len(given) <= MOST_MESSAGES:
        raise BadRequest(f"messages must be a list of 1 to {MOST_MESSAGES} messages.", "messages")
    return [_message(turn, f"messages[{place}]") for place, turn in enumerate(given)]


def _message(turn: Any, param: str) -> Message:
    if not isinstance(turn, dict) or turn.get("role") not in ROLES:
        raise BadRequest(f"{param} must have a role of {', '.join(ROLES)}.", param)
    content = turn.get("content")
    # Newer clients send a list of parts; those of text are understood.
    if isinstance(content, list) and all(isinstance(p, dict) and p.get("type") == "text" for p in content):
        content = "".join(str(part.get("text", "")) for part in content)
    if not isinstance(content, str):
        raise BadRequest(f"{param}.content must be a text.", param)
    if not _is_sound(content):
        raise BadRequest(f"{param}.content has half a character.", param)
    return {"role": turn["role"], "content": content}


def _is_sound(text: str) -> bool:
    """JSON can name half a surrogate pair, which is no character."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _number(body: dict[str, Any], name: str, usual: float, least: float, most: float) -> float:
    given = usual if body.get(name) is None else body[name]
    if isinstance(given, bool) or not isinstance(given, int | float) or not least <= given <= most:
        raise BadRequest(f"{name} must be a number from {least:g} to {most:g}.", name)
    return float(given)


def _whole(body: dict[str, Any], name: str, usual: int | None, least: int, most: int) -> int | None:
    given = usual if body.get(name) is None else body[name]
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, int) or not least <= given <= most:
        raise BadRequest(f"{name} must be a whole number from {least} to {most}.", name)
    return given


def _stops(given: Any) -> tuple[str, ...]:
    stops = [given] if isinstance(given, str) else given or []
    if not isinstance(stops, list) or len(stops) > MOST_STOPS or not all(isinstance(s, str) for s in stops):
        raise BadRequest(f"stop must be a text or a list of up to {MOST_STOPS} texts.", "stop")
    return tuple(stop[:100] for stop in stops if stop)


class Words:
    """How one request is answered."""

    def __init__(self, model: str) -> None:
        self.model, self.id, self.created = model, f"chatcmpl-{uuid.uuid4().hex}", int(time.time())

    def whole(self, answers: Sequence[tuple[str, str]], prompt_tokens: int, tokens: int) -> dict[str, Any]:
        """``answers``: text and why it ended, of each."""
        choices = [
            {"index": index, "message": {"role": "assistant", "content": text}, "finish_reason": ending}
            for index, (text, ending) in enumerate(answers)
        ]
        return {
            **self._common("chat.completion"),
            "choices": choices,
            "usage": _usage(prompt_tokens, tokens),
        }

    def chunk(self, text: str = "", ending: str | None = None, *, is_first: bool = False) -> bytes:
        delta = {**({"role": "assistant"} if is_first else {}), **({"content": text} if text else {})}
        choice = {"index": 0, "delta": delta, "finish_reason": ending}
        return event({**self._common("chat.completion.chunk"), "choices": [choice]})

    def usage(self, prompt_tokens: int, tokens: int) -> bytes:
        common = self._common("chat.completion.chunk")
        return event({**common, "choices": [], "usage": _usage(prompt_tokens, tokens)})

    def _common(self, kind: str) -> dict[str, Any]:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model}


def event(said: Any) -> bytes:
    return b"data: " + json.dumps(said, ensure_ascii=False).encode() + b"\n\n"


def error(words: str, kind: str, code: str, param: str | None = None) -> dict[str, Any]:
    return {"error": {"message": words, "type": kind, "code": code, "param": param}}


def _usage(prompt: int, completion: int) -> dict[str, int]:
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }
