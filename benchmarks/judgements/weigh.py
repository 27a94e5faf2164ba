"""One management command in a process that tells how long it took, and how much it grew meanwhile.

``python -m benchmarks.judgements.weigh RESULT COMMAND ARGUMENT…``
"""

import json
import sys
import time
from pathlib import Path

import django
from django.core.management import call_command

STATUS, MARKS = Path("/proc/self/status"), Path("/proc/self/clear_refs")
FORGET_THE_PEAK = "5"


def main() -> None:
    result, command, *arguments = sys.argv[1:]
    django.setup()
    MARKS.write_text(FORGET_THE_PEAK)
    at_start, begun_at, started = _memory_mb("VmRSS"), time.time(), time.perf_counter()
    call_command(command, *arguments)
    weighed = {
        "begun_at": begun_at,
        "seconds": time.perf_counter() - started,
        "start_mb": at_start,
        "peak_mb": _memory_mb("VmHWM"),
    }
    Path(result).write_text(json.dumps(weighed))


def _memory_mb(name: str) -> float:
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
