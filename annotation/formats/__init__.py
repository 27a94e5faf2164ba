"""Readers: files of the field → prompts, candidates, rankings, demonstrations."""

from collections.abc import Callable
from typing import TextIO

from annotation.formats import hh_rlhf, oasst, prompts
from annotation.formats.items import Items

READERS: dict[str, Callable[[TextIO], Items]] = {
    "prompts": prompts.read,
    "hh-rlhf": hh_rlhf.read,
    "oasst": oasst.read,
}
