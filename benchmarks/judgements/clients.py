"""A browser's part of HTTP, and so cheap that what is measured is the server."""

import asyncio
import json
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

TOKEN = "a" * 32
"""Cookie and header agree: all that the check against forged requests asks for."""
TIMEOUT_SECONDS = 120


@dataclass(frozen=True)
class Answer:
    status: int
    content: bytes
    seconds: float

    @property
    def is_fine(self) -> bool:
        return 200 <= self.status < 300

    @property
    def body(self) -> Any:
        return json.loads(self.content)


class Client:
    """One signed-in person's connection."""

    def __init__(self, port: int, session: str) -> None:
        self.port = port
        self.cookies = f"sessionid={session}; csrftoken={TOKEN}"
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def get(self, path: str) -> Answer:
        return await self._timed(self._message("GET", path, b""))

    async def post(self, path: str, body: Any) -> Answer:
        return await self._timed(self._message("POST", path, json.dumps(body).encode()))

    async def post_and_leave(self, path: str, body: Any) -> None:
        """Send it all, and close before anybody answers: what a lost network or an impatient page does."""
        _reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(self._message("POST", path, json.dumps(body).encode()))
        await writer.drain()
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    def close(self) -> None:
        if self._writer:
            self._writer.close()
        self._reader = self._writer = None

    async def _timed(self, message: bytes) -> Answer:
        started = time.perf_counter()
        async with asyncio.timeout(TIMEOUT_SECONDS):
            status, content = await self._exchange(message)
        return Answer(status, content, time.perf_counter() - started)

    async def _exchange(self, message: bytes) -> tuple[int, bytes]:
        is_kept = self._writer is not None
        try:
            return await self._attempt(message)
        except (ConnectionError, asyncio.IncompleteReadError):
            self.close()
            # The server closed a connection that was idle, as it may. A fresh one that breaks is a failure.
            if not is_kept:
                raise
            return await self._attempt(message)

    async def _attempt(self, message: bytes) -> tuple[int, bytes]:
        if self._reader is None or self._writer is None:
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self.port)
        self._writer.write(message)
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        content = await self._content(self._reader, headers)
        if headers.get("connection", "").lower() == "close":
            self.close()
        return int(first.split()[1]), content

    async def _content(self, reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
        if "content-length" in headers:
            return await reader.readexactly(int(headers["content-length"]))
        if headers.get("transfer-encoding") != "chunked":
            content = await reader.read() if headers.get("connection") == "close" else b""
            return content
        chunks = b""
        while size := int(await reader.readline(), 16):
            chunks += await reader.readexactly(size)
            await reader.readline()
        await reader.readline()
        return chunks

    def _message(self, method: str, path: str, body: bytes) -> bytes:
        lines = [
            f"{method} {path} HTTP/1.1",
            f"Host: 127.0.0.1:{self.port}",
            "Accept: application/json, text/html",
            "Accept-Language: en",
            f"Cookie: {self.cookies}",
            f"X-CSRFToken: {TOKEN}",
        ]
        if method == "POST":
            lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        return "\r\n".join([*lines, "", ""]).encode() + body
