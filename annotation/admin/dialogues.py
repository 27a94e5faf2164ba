"""People's and models' texts on admin pages: escaped, with their line breaks."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import pgettext

_TITLED = '<p style="white-space: pre-line; overflow-wrap: anywhere"><strong>{}</strong>\n{}</p>'
_MARK = '<mark title="{}">{}</mark>'


def dialogue(turns: Iterable[dict[str, str]], findings: Sequence[dict[str, Any]] = ()) -> SafeString:
    """A conversation, one paragraph a turn, with what the scan for personal data found in it marked."""
    names = {
        "system": pgettext("speaker", "System"),
        "user": pgettext("speaker", "User"),
        "assistant": pgettext("speaker", "Assistant"),
    }
    return titled(
        (
            names.get(turn["role"], turn["role"]),
            _marked(turn["content"], [found for found in findings if found["message"] == position]),
        )
        for position, turn in enumerate(turns)
    )


def titled(texts: Iterable[tuple[Any, str]]) -> SafeString:
    """Texts, each below its title."""
    return format_html('<div class="flex flex-col gap-4">{}</div>', format_html_join("", _TITLED, texts))


def _marked(text: str, findings: list[dict[str, Any]]) -> str:
    pieces, at = [], 0
    for found in findings:
        mark = format_html(_MARK, found["kind"].replace("_", " "), text[found["start"] : found["end"]])
        pieces += [text[at : found["start"]], mark]
        at = found["end"]
    return format_html_join("", "{}", ((piece,) for piece in [*pieces, text[at:]]))
