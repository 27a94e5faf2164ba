"""Why an attempt ended, in classes: they decide what a researcher is told, and what is tried again."""

import errno
from collections.abc import Mapping
from enum import StrEnum


class Failure(StrEnum):
    OUT_OF_MEMORY = "out_of_memory"
    NOT_A_NUMBER = "not_a_number"
    DISK_FULL = "disk_full"
    BAD_DATA = "bad_data"
    SETTINGS = "settings"
    """What was asked for does not fit together, or not to the model."""
    CODE_ERROR = "code_error"
    LOST = "lost"
    """Its worker fell silent, or somebody killed its process."""
    HUNG = "hung"
    PREEMPTED = "preempted"
    """Its worker had to leave: the run is not to blame."""


TRIED_AGAIN = frozenset({Failure.LOST, Failure.HUNG, Failure.PREEMPTED})
"""Another attempt may end better. Of the others, nothing would change."""

_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
# What libraries say that raise errors of their own: CUDA's allocator, glibc, safetensors.
_TELLING: Mapping[str, Failure] = {
    "out of memory": Failure.OUT_OF_MEMORY,
    "cannot allocate memory": Failure.OUT_OF_MEMORY,
    "can't allocate memory": Failure.OUT_OF_MEMORY,
    "memoryerror": Failure.OUT_OF_MEMORY,
    "bad_alloc": Failure.OUT_OF_MEMORY,
    "no space left on device": Failure.DISK_FULL,
    "disk quota exceeded": Failure.DISK_FULL,
    "file too large": Failure.DISK_FULL,
}


def failure_of(error: BaseException) -> Failure:
    """The class of an error: the one that it names itself, or else what it looks like."""
    if isinstance(named := getattr(error, "failure", None), Failure):
        return named
    if type(error).__module__.startswith("pyarrow"):
        return Failure.BAD_DATA
    if isinstance(error, MemoryError):
        return Failure.OUT_OF_MEMORY
    if isinstance(error, OSError) and error.errno in _NO_SPACE:
        return Failure.DISK_FULL
    return failure_in(str(error))


def failure_in(words: str) -> Failure:
    """The class of what somebody said last."""
    said = words.lower()
    return next((failure for words, failure in _TELLING.items() if words in said), Failure.CODE_ERROR)
