"""People's and models' texts on admin pages: escaped, with their line breaks."""

from collections.abc import Iterable
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import pgettext

_TITLED = '<p style="white-space: pre-line; overflow-wrap: anywhere"><strong>{}</strong>\n{}</p>'


def dialogue(turns: Iterable[dict[str, str]]) -> SafeString:
    """A conversation, one paragraph a turn."""
    names = {
        "system": pgettext("speaker", "System"),
        "user": pgettext("speaker", "User"),
        "assistant": pgettext("speaker", "Assistant"),
    }
    return titled((names.get(turn["role"], turn["role"]), turn["content"]) for turn in turns)


def titled(texts: Iterable[tuple[Any, str]]) -> SafeString:
    """Texts, each below its title."""
    return format_html('<div class="flex flex-col gap-4">{}</div>', format_html_join("", _TITLED, texts))
