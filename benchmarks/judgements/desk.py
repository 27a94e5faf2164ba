"""What needs Django, in a process of its own: ``python -m benchmarks.judgements.desk FUNCTION ARGUMENTS``.

A function is named with its module; the environment says which database. The last line printed is the answer,
as JSON.
"""

import importlib
import json
import sys

import django


def main() -> None:
    module, _, function = sys.argv[1].rpartition(".")
    django.setup()
    called = getattr(importlib.import_module(f"benchmarks.judgements.{module}"), function)
    print(json.dumps(called(**json.loads(sys.argv[2]))))


if __name__ == "__main__":
    main()
