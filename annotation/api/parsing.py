from typing import IO, Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from annotation.errors import RequestTooLarge

MAX_BODY_BYTES = 2_000_000


class BoundedJSONParser(JSONParser):
    """JSON, refused before it is read when it is larger than any honest submission."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Any = None
    ) -> dict[str, Any]:
        request = (parser_context or {}).get("request")
        length = int(request.META.get("CONTENT_LENGTH") or 0) if request else 0
        if length > MAX_BODY_BYTES:
            raise too_large()
        try:
            parsed: dict[str, Any] = super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise ParseError(_("This is nested too deeply to be read.")) from error
        return parsed


def too_large() -> RequestTooLarge:
    return RequestTooLarge(_("This is too large to store. Shorten it and send it again."))
