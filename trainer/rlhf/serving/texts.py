"""Tokens to text, piece by piece."""

from collections.abc import Sequence
from typing import Any

UNFINISHED = "\ufffd"
"""What a character looks like of which some bytes are still to come."""


class TextStream:
    """An answer's text while it is written: never half a character, never the beginning of a stop text."""

    def __init__(self, tokenizer: Any, stop: Sequence[str] = ()) -> None:
        self.tokenizer, self.stop = tokenizer, [text for text in stop if text]
        self.tokens: list[int] = []
        self.is_stopped = False
        self._given = 0

    def add(self, token: int) -> str:
        """What can be shown more with this token."""
        self.tokens.append(token)
        return self._show(is_over=False)

    def end(self) -> str:
        """What was held back."""
        return "" if self.is_stopped else self._show(is_over=True)

    def _show(self, is_over: bool) -> str:
        # All of it each time: how a token reads may depend on those before, and this takes microseconds.
        text: str = self.tokenizer.decode(self.tokens, skip_special_tokens=True).lstrip()
        found = [place for stop in self.stop if (place := text.find(stop)) >= 0]
        if found:
            self.is_stopped, text, is_over = True, text[: min(found)], True
        if not is_over:
            text = text.rstrip(UNFINISHED)
            text = text[: len(text) - self._held_back(text)]
        shown, self._given = text[self._given :], max(self._given, len(text))
        return shown

    def _held_back(self, text: str) -> int:
        """How many characters at the end may be the beginning of a stop text."""
        beginnings = (stop[:length] for stop in self.stop for length in range(1, len(stop)))
        return max((len(one) for one in beginnings if text.endswith(one)), default=0)
