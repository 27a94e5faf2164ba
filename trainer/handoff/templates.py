"""Texts with named places such as ``{topic}``. Any other braces are text: JSON may stand in a template."""

import re

_PLACE = re.compile(r"\{([a-z_]+)\}")


def places_in(template: str) -> set[str]:
    return set(_PLACE.findall(template))


def fill(template: str, **texts: str) -> str:
    """The template with a text in each of its places; what looks like a place in these texts stays."""
    return _PLACE.sub(lambda found: texts.get(found[1], found[0]), template)


def lines_of(text: str) -> list[str]:
    """Its lines that say something."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def mistake_in(template: str, needs: set[str], may: set[str]) -> str | None:
    """What the template must be instead, in words; None where it is well."""
    found = places_in(template)
    if missing := needs - found:
        return f"a text with {_named(missing)} in it"
    if unknown := found - needs - may:
        return f"a text without {_named(unknown)}: it may have {_named(needs | may)}"
    return None


def _named(places: set[str]) -> str:
    return ", ".join(f"{{{place}}}" for place in sorted(places)) or "no place"
