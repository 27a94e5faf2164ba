"""Marks such as ``<|im_end|>`` in what somebody typed: words like any others, never a turn's end."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

# Two of Unicode's noncharacters, which no text has: nobody's words are lost when they are taken out again.
SEAM = "\ufdd0\ufdd1"
"""Stands inside of every mark that was typed. Tokens are made piece by piece between the seams, and no piece
has a whole mark."""

Message = dict[str, str]


def unmarked(tokenizer: Any, text: str) -> str:
    """The text with a seam in each mark of this tokenizer that it has."""
    return _marks(tokenizer).sub(lambda first: first[0] + SEAM, text)


def unmarked_messages(tokenizer: Any, messages: Sequence[Message]) -> list[Message]:
    return [{**message, "content": unmarked(tokenizer, message["content"])} for message in messages]


@lru_cache(maxsize=8)
def _marks(tokenizer: Any) -> re.Pattern[str]:
    """The first character of each mark. Of marks with one character there is nothing to take apart."""
    added = {token.content for token in tokenizer.added_tokens_decoder.values() if token.special}
    marks = sorted(mark for mark in added | set(tokenizer.all_special_tokens) if len(mark) > 1)
    anywhere = "|".join(re.escape(mark) for mark in marks)
    # Looking ahead, so that marks which overlap all get their seam.
    return re.compile(f"(?={anywhere}).", re.DOTALL) if marks else re.compile("(?!)")
