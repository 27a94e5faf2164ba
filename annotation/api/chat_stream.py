"""An answer on its way from the model to the page, kept in the database while it passes."""

import json
import logging
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db import connection
from django.http import StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from annotation.actions.chats import conversation_before, end_answer, keep_words, take_answer
from annotation.answering import Piece, answerer
from annotation.errors import ModelBusy, Refusal
from annotation.models import ChatMessage

logger = logging.getLogger(__name__)

AT_A_TIME = 10
"""Answers that pass through one process: each holds a thread, and others need some as well."""
KEEP_EVERY = 0.5
"""Seconds: so much of an answer may be lost, and so late is a stop heard of, when the model is silent."""

Status = ChatMessage.Status
_room = threading.BoundedSemaphore(AT_A_TIME)


def written(answer: ChatMessage, *, now: datetime) -> StreamingHttpResponse:
    """:raises ModelBusy: too many are on their way; it can be asked for again.
    :raises AnswerTaken: another window has it.
    """
    if not _room.acquire(blocking=False):
        raise ModelBusy(_("Many people are chatting now. You are next in a moment."))
    try:
        take_answer(answer, now=now)
        body = _Events(answer)
    except BaseException:
        _room.release()
        raise
    response = StreamingHttpResponse(body, content_type="text/event-stream; charset=utf-8")
    response["Cache-Control"] = "no-store"
    # A proxy that collects before it sends would make a stream pointless.
    response["X-Accel-Buffering"] = "no"
    return response


class _Events:
    """The body of the response. Whoever serves it closes it, also when the page has gone."""

    def __init__(self, answer: ChatMessage) -> None:
        self.answer, self.text, self.kept_at = answer, "", time.monotonic()
        self.is_over = self.is_ended = False
        self.pieces: Any = answerer().stream(answer, conversation_before(answer), seed=answer.pk)

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._events()
        except Refusal as refusal:
            self._end(Status.STOPPED if self.text else Status.FAILED)
            yield _event(code=refusal.code, detail=refusal.detail)

    def close(self) -> None:
        try:
            self.pieces.close()
            if not self.is_ended:
                # The page has gone in the middle: what there is is kept.
                self._end(Status.STOPPED)
        finally:
            if not self.is_over:
                self.is_over = True
                _room.release()

    def _events(self) -> Iterator[bytes]:
        for piece in self.pieces:
            self.text += piece.text
            if piece.is_over:
                self.text = self.text.rstrip()
                self._end(Status.FINISHED if self.text else Status.FAILED)
                yield _event(status=self.answer.status)
                return
            if time.monotonic() - self.kept_at > KEEP_EVERY and not self._keep():
                self._end(Status.STOPPED)
                yield _event(status=Status.STOPPED)
                return
            if event := _told(piece):
                yield event

    def _keep(self) -> bool:
        """False where the user has stopped it."""
        self.kept_at = time.monotonic()
        goes_on = keep_words(self.answer, self.text)
        # An answer takes seconds, and other threads need connections too.
        if not connection.in_atomic_block:
            connection.close()
        return goes_on

    def _end(self, status: str) -> None:
        self.is_ended = True
        if end_answer(self.answer, self.text, status, now=timezone.now()):
            self.answer.status = status


def _told(piece: Piece) -> bytes:
    if piece.text:
        return _event(text=piece.text)
    return b"" if piece.waiting is None else _event(waiting=piece.waiting)


def _event(**said: Any) -> bytes:
    return b"data: " + json.dumps(said, ensure_ascii=False).encode() + b"\n\n"
