"""The engine behind HTTP. A thread for each connection: these wait, the engine's thread works."""

import hmac
import json
import logging
import select
import socket
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from trainer.rlhf.serving.engine import Answering, Engine, Full
from trainer.rlhf.serving.protocol import Asked, BadRequest, Words, error, event, read_request

logger = logging.getLogger(__name__)

MOST_BYTES = 2_000_000
"""Of a request."""
SIGN_OF_LIFE = 2.0
"""Seconds after which a silent stream says that it lives; where nobody hears that, its answer is given up."""


class ModelServer(ThreadingHTTPServer):
    """Serves one engine. ``key``: what callers must show, where one is set."""

    daemon_threads = True
    request_queue_size = 128
    """Connections that come at the same moment."""

    def __init__(
        self, address: tuple[str, int], engine: Engine, *, name: str, context: int, key: str = ""
    ) -> None:
        super().__init__(address, Handler)
        self.engine, self.name, self.context, self.key = engine, name, context, key

    def handle_error(self, request: Any, client_address: Any) -> None:
        logger.exception("a request from %s broke", client_address)


class Handler(BaseHTTPRequestHandler):
    server: ModelServer
    protocol_version = "HTTP/1.1"
    timeout = 60

    def do_GET(self) -> None:
        engine = self.server.engine
        if self.path == "/healthz":
            is_well = engine.is_alive
            self._say({"status": "ok" if is_well else "stopped"}, 200 if is_well else 503)
        elif self.path == "/metrics":
            self._send(metrics(engine).encode(), "text/plain; version=0.0.4")
        elif self.path == "/v1/models":
            model = {"id": self.server.name, "object": "model", "owned_by": "rankwright"}
            self._say({"object": "list", "data": [model]})
        else:
            self._say(error("There is nothing here.", "invalid_request_error", "not_found"), 404)

    def do_POST(self) -> None:
        try:
            body = self._body()
            if self.path != "/v1/chat/completions":
                self._say(error("There is nothing here.", "invalid_request_error", "not_found"), 404)
                return
            if not self._shows_key():
                words = "The key is missing or wrong."
                self._say(error(words, "invalid_request_error", "invalid_api_key"), 401)
                return
            asked = read_request(_parsed(body), self.server.engine.tokenizer, self.server.context)
            answering = self._ask(asked)
        except BadRequest as refusal:
            self._say(error(str(refusal), "invalid_request_error", refusal.code, refusal.param), 400)
        except Full:
            self.close_connection = True
            words = "Too many are waiting already. Ask again in a little while."
            self._say(error(words, "server_error", "overloaded"), 503, {"Retry-After": "5"})
        else:
            answer = self._stream if asked.is_streamed else self._whole
            try:
                answer(asked, answering)
            except OSError:  # whoever asked has gone
                self.close_connection = True
            finally:
                for one in answering:
                    one.cancel()

    def _shows_key(self) -> bool:
        shown = self.headers.get("Authorization", "").encode(errors="replace")
        return not self.server.key or hmac.compare_digest(shown, f"Bearer {self.server.key}".encode())

    def _ask(self, asked: Asked) -> list[Answering]:
        """:raises Full: there is no room for all of it."""
        answering: list[Answering] = []
        try:
            for wish in asked.wishes:
                answering.append(self.server.engine.ask(wish))
        except Full:
            for one in answering:
                one.cancel()
            raise
        return answering

    def _whole(self, asked: Asked, answering: list[Answering]) -> None:
        told = []
        for one in answering:
            text, ending = "", ""
            for news in one.listen(every=SIGN_OF_LIFE):
                if self._is_alone():
                    raise ConnectionAbortedError
                text, ending = text + news.text, news.ending or ending
            if ending not in ("stop", "length"):
                self._say(error("The model broke off.", "server_error", "model_error"), 500)
                return
            told.append((text.rstrip(), ending))
        tokens = sum(one.tokens for one in answering)
        self._say(Words(self.server.name).whole(told, asked.prompt_tokens, tokens))

    def _is_alone(self) -> bool:
        """Whether whoever asked has hung up."""
        heard = select.poll()
        heard.register(self.connection, select.POLLIN)
        return bool(heard.poll(0)) and self.connection.recv(1, socket.MSG_PEEK) == b""

    def _stream(self, asked: Asked, answering: list[Answering]) -> None:
        (one,) = answering
        words = Words(self.server.name)
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        self._write(words.chunk(is_first=True))
        for news in one.listen(every=SIGN_OF_LIFE):
            if news.waiting is not None:
                self._write(b": waiting %d\n\n" % news.waiting)
            if news.text:
                self._write(words.chunk(news.text))
            if news.ending in ("stop", "length"):
                self._write(words.chunk(ending=news.ending))
            elif news.ending:
                self._write(event(error("The model broke off.", "server_error", "model_error")))
            elif not news.text:
                self._write(b": here\n\n")
        if asked.tells_usage:
            self._write(words.usage(asked.prompt_tokens, one.tokens))
        self._write(b"data: [DONE]\n\n")

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > MOST_BYTES:
            self.close_connection = True  # it stays unread
            raise BadRequest(f"A request needs a Content-Length of {MOST_BYTES:,} bytes at most.", "body")
        return self.rfile.read(int(length))

    def _write(self, data: bytes) -> None:
        self.wfile.write(data)
        self.wfile.flush()

    def _say(self, said: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        body = json.dumps(said, ensure_ascii=False).encode()
        self._send(body, "application/json; charset=utf-8", status, headers)

    def _send(self, body: bytes, kind: str, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        logger.debug(format, *args)


def _parsed(body: bytes) -> Any:
    """:raises BadRequest: it is no JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise BadRequest("The body is no JSON.", "body", "invalid_json") from None


def metrics(engine: Engine) -> str:
    """For Prometheus."""
    told = {
        "rankwright_model_requests_total": ("counter", "Answers asked for.", engine.asked),
        "rankwright_model_answers_total": ("counter", "Answers that are over.", engine.answered),
        "rankwright_model_tokens_total": ("counter", "Tokens written.", engine.written),
        "rankwright_model_recalled_tokens_total": ("counter", "Read before, and not again.", engine.recalled),
        "rankwright_model_active": ("gauge", "Answers under way.", engine.active),
        "rankwright_model_waiting": ("gauge", "Answers that wait for their turn.", engine.waiting),
    }
    return "".join(
        f"# HELP {name} {words}\n# TYPE {name} {kind}\n{name} {value}\n"
        for name, (kind, words, value) in told.items()
    )
