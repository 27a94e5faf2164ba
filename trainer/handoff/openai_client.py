"""Asking a model server that speaks OpenAI's protocol: ours, vLLM, llama.cpp or a remote one.

By the standard library alone, so that the web, the desk's workers and the lab can all use it.
"""

import http.client
import json
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, Any
from urllib.parse import urlsplit

from trainer.handoff.records import Message

MOST_BYTES = 4_000_000
"""Of an answer that comes whole, and of one line of a stream."""
TOO_MANY = http.HTTPStatus.TOO_MANY_REQUESTS


class EndpointError(Exception):
    """The server gave no usable answer.

    ``is_busy``: it may when it is asked again later. ``status`` is 0 where nothing was reached.
    """

    def __init__(self, words: str, *, status: int = 0, is_busy: bool = False) -> None:
        super().__init__(words)
        self.status, self.is_busy = status, is_busy


@dataclass(frozen=True)
class Reply:
    """One whole answer."""

    text: str
    finished: bool
    """The model ended it by itself, before the length limit."""
    tokens: int | None
    """None where the server does not say, or says it of several answers together."""
    prompt_tokens: int | None = None
    """What it has read, likewise."""


@dataclass(frozen=True)
class Piece:
    """What a stream brings: words, news of the queue, or the end."""

    text: str = ""
    waiting: int | None = None
    """How many are served before this one begins."""
    finished: bool | None = None
    """At the end: whether the model ended by itself."""


@dataclass(frozen=True)
class Endpoint:
    """An address up to and with ``/v1``, such as ``http://127.0.0.1:8100/v1``."""

    url: str
    model: str = ""
    key: str = field(default="", repr=False)
    timeout: float = 60.0
    """Seconds without a sign of life."""

    @property
    def name(self) -> str:
        """Without what may hold a secret: a name, a password, a query."""
        address = urlsplit(self.url)
        port = f":{address.port}" if address.port else ""
        return f"{address.scheme}://{address.hostname}{port}{address.path}"

    def chat(
        self,
        messages: Sequence[Message],
        *,
        n: int = 1,
        temperature: float = 1.0,
        top_p: float = 1.0,
        max_tokens: int = 512,
        seed: int | None = None,
    ) -> list[Reply]:
        """``n`` answers to a conversation.

        :raises EndpointError: it was not reached, refused, or said something else than answers.
        """
        body = self._body(messages, temperature, top_p, max_tokens, seed) | ({"n": n} if n > 1 else {})
        with self._asked("chat/completions", body) as answer:
            said = self._read_whole(answer)
        try:
            replies = [
                Reply(
                    text=_text(choice["message"]["content"]),
                    finished=choice.get("finish_reason") != "length",
                    tokens=said["usage"]["completion_tokens"] if n == 1 and "usage" in said else None,
                    prompt_tokens=_count(said, "prompt_tokens") if n == 1 else None,
                )
                for choice in said["choices"]
            ]
        except (KeyError, TypeError, AttributeError) as error:
            raise EndpointError(f"The model server {self.name} answered no chat completion.") from error
        if len(replies) != n:
            raise EndpointError(f"The model server {self.name} gave {len(replies)} answers of {n}.")
        return replies

    def stream(
        self,
        messages: Sequence[Message],
        *,
        temperature: float = 1.0,
        top_p: float = 1.0,
        max_tokens: int = 512,
        seed: int | None = None,
    ) -> Iterator[Piece]:
        """The answer as it is written; the last piece says whether it is finished. Closing it hangs up.

        :raises EndpointError: as ``chat``; also where the stream broke off.
        """
        body = self._body(messages, temperature, top_p, max_tokens, seed) | {"stream": True}
        with self._asked("chat/completions", body) as answer:
            yield from self._pieces(answer)

    def models(self) -> list[str]:
        """:raises EndpointError: see ``chat``."""
        with self._asked("models", None) as answer:
            said = self._read_whole(answer)
        try:
            return [str(model["id"]) for model in said["data"]]
        except (KeyError, TypeError) as error:
            raise EndpointError(f"The model server {self.name} did not list its models.") from error

    def _body(
        self,
        messages: Sequence[Message],
        temperature: float,
        top_p: float,
        max_tokens: int,
        seed: int | None,
    ) -> dict[str, Any]:
        told = {"temperature": temperature, "top_p": top_p, "max_tokens": max_tokens}
        return {
            "model": self.model or "default",
            "messages": [{"role": turn["role"], "content": turn["content"]} for turn in messages],
            **told,
            **({} if seed is None else {"seed": seed}),
        }

    @contextmanager
    def _asked(self, path: str, body: dict[str, Any] | None) -> Iterator[http.client.HTTPResponse]:
        headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        data = None if body is None else json.dumps(body).encode()
        address = f"{self.url.rstrip('/')}/{path}"
        if urlsplit(address).scheme not in ("http", "https"):
            raise EndpointError(f"{self.name} is no http or https address.")
        request = urllib.request.Request(address, data, headers)  # noqa: S310
        try:
            with _OPENER.open(request, timeout=self.timeout) as answer:
                yield answer
        except urllib.error.HTTPError as error:
            with error:
                raise self._refusal(error) from error
        except (OSError, http.client.HTTPException) as error:  # URLError and timeouts are OSErrors
            is_slow = isinstance(error, socket.timeout) or "timed out" in str(error)
            words = "did not answer in time" if is_slow else "could not be reached, or broke off"
            raise EndpointError(f"The model server {self.name} {words}.", is_busy=is_slow) from error

    def _read_whole(self, answer: http.client.HTTPResponse) -> dict[str, Any]:
        body = answer.read(MOST_BYTES + 1)
        if len(body) > MOST_BYTES:
            raise EndpointError(f"The model server {self.name} answered more than {MOST_BYTES:,} bytes.")
        return self._object(body)

    def _pieces(self, answer: http.client.HTTPResponse) -> Iterator[Piece]:
        finished: bool | None = None
        while line := answer.readline(MOST_BYTES):
            line = line.strip()
            if line.startswith(b": waiting "):
                yield Piece(waiting=int(line.removeprefix(b": waiting ") or 0))
            if not line.startswith(b"data:"):
                continue
            data = line.removeprefix(b"data:").strip()
            if data == b"[DONE]":
                yield Piece(finished=finished is not False)
                return
            said = self._object(data)
            if "error" in said:
                raise EndpointError(f"The model server {self.name} broke off: {_reason(said)}.")
            try:
                choice = said["choices"][0] if said["choices"] else {}
                text = _text((choice.get("delta") or {}).get("content"))
                reason = choice.get("finish_reason")
            except (KeyError, TypeError, IndexError, AttributeError) as error:
                raise EndpointError(f"The model server {self.name} streamed no chat completion.") from error
            if reason:
                finished = reason != "length"
            if text:
                yield Piece(text)
        raise EndpointError(f"The model server {self.name} broke off in the middle of an answer.")

    def _object(self, body: bytes) -> dict[str, Any]:
        try:
            said = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise EndpointError(f"The model server {self.name} answered no JSON.") from error
        if not isinstance(said, dict):
            raise EndpointError(f"The model server {self.name} answered no JSON object.")
        return said

    def _refusal(self, error: urllib.error.HTTPError) -> EndpointError:
        if error.code < 400:
            words = f"The model server {self.name} sends elsewhere ({error.code}). Name the final address."
            return EndpointError(words, status=error.code)
        try:
            reason = _reason(json.loads(error.read(10_000)))
        except (OSError, http.client.HTTPException, ValueError, RecursionError):
            reason = error.reason
        return EndpointError(
            f"The model server {self.name} refused ({error.code}): {reason}",
            status=error.code,
            is_busy=error.code == TOO_MANY or error.code >= 500,
        )


def _count(said: Any, name: str) -> int | None:
    told = (said.get("usage") or {}).get(name)
    return told if type(told) is int and told >= 0 else None


def _reason(said: Any) -> str:
    told = said.get("error") if isinstance(said, dict) else None
    words = told.get("message") if isinstance(told, dict) else told
    return str(words or "no reason given")[:300]


def _text(content: Any) -> str:
    """:raises TypeError: it is no text."""
    if content is None:
        return ""
    if not isinstance(content, str):
        raise TypeError("a completion's content is a text")
    # JSON can name half a character, which no database and no file takes.
    return content.encode("utf-8", "replace").decode()


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """What is sent are people's words: they go where the operator says and nowhere else."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> None:
        return None


# No proxy of the environment either, for the same reason.
_OPENER = urllib.request.build_opener(_NoRedirects, urllib.request.ProxyHandler({}))
