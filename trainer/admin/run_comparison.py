"""Several runs side by side: what they were told, what they read, how they ended, and their curves."""

from collections.abc import Sequence
from typing import Any

from django.contrib.staticfiles import finders
from django.urls import reverse
from django.utils.translation import gettext as _

from trainer.admin.figures import WORDS, shown
from trainer.admin.links import link_to
from trainer.handoff.configs import explain
from trainer.handoff.metrics import METRICS
from trainer.models import Run

SCRIPT = "app/admin/run-compare.js"
MOST = 6
"""Curves in one chart that the eye still tells apart."""

Line = dict[str, Any]


def chosen(asked: Sequence[str]) -> list[Run]:
    """The runs that an address names, in its order; what is no number is none."""
    numbers = [int(one) for one in dict.fromkeys(asked) if one.isdecimal() and len(one) < 18][:MOST]
    found = Run.objects.select_related("campaign", "snapshot", "base", "reward", "result").in_bulk(numbers)
    return [found[number] for number in numbers if number in found]


def comparison(runs: Sequence[Run]) -> dict[str, Any]:
    """For the template: only what differs, but for how they ended."""
    return {
        "runs": runs,
        "inputs": [line for line in _inputs(runs) if line["differs"]],
        "settings": [line for line in _settings(runs) if line["differs"]],
        "figures": _figures(runs),
        "is_drawn": finders.find(SCRIPT) is not None,
        "page": {
            "runs": [{"name": str(run), "url": reverse("run-live", args=[run.pk])} for run in runs],
            "notes": {name: _(METRICS[name]) for name in METRICS},
            "words": {"save": _("Save as picture"), "step": _("Step")},
        },
    }


def _inputs(runs: Sequence[Run]) -> list[Line]:
    asked: list[tuple[str, list[Any]]] = [
        (_("Campaign"), [run.campaign for run in runs]),
        (_("Snapshot"), [run.snapshot for run in runs]),
        (_("Starts from"), [run.base for run in runs]),
        (_("Reward model"), [run.reward for run in runs]),
    ]
    return [
        {
            "name": name,
            "cells": [{"value": link_to(row)} for row in rows],
            "differs": len({row.pk if row else None for row in rows}) > 1,
        }
        for name, rows in asked
    ]


def _settings(runs: Sequence[Run]) -> list[Line]:
    """A setting that a kind of run does not have is empty there."""
    known = [explain(run.kind) for run in runs]
    names = dict.fromkeys(name for settings in known for name in settings)
    return [_setting(name, runs, known) for name in names]


def _setting(name: str, runs: Sequence[Run], known: Sequence[dict[str, tuple[Any, str]]]) -> Line:
    cells = []
    for run, settings in zip(runs, known, strict=True):
        default = settings[name][0] if name in settings else None
        value = run.config.get(name, default)
        cells.append({"value": "–" if value is None else value, "is_changed": value != default})
    return {"name": name, "cells": cells, "differs": len({repr(cell["value"]) for cell in cells}) > 1}


def _figures(runs: Sequence[Run]) -> list[Line]:
    names = dict.fromkeys(name for run in runs for name in run.summary)
    return [
        {
            "name": WORDS.get(name, name),
            "cells": [
                {"value": shown(name, run.summary[name]) if name in run.summary else "–"} for run in runs
            ],
        }
        for name in names
    ]
