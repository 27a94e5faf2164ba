"""A start form that is filled in as another run was asked for."""

from collections.abc import Mapping
from typing import Any

from trainer.models import Run


def given_by(query: Mapping[str, Any]) -> dict[str, Any]:
    """What the address fills in: field by field, or ``clone``, the number of a run."""
    asked_for = {name: query[name] for name in query if name != "clone"}
    number = str(query.get("clone", ""))
    run = Run.objects.filter(pk=int(number)).first() if number.isdecimal() and len(number) < 19 else None
    return {**(settings_of(run) if run else {}), **asked_for}


def settings_of(run: Run) -> dict[str, Any]:
    """A run that it builds on stands for what that has made. Where that is nothing yet, it stays empty."""
    origins = {role: getattr(run.given(role), "pk", "") for role in ("base", "reward")}
    others = {
        "holdout": run.holdout_id or "",
        "deliver": run.delivers,
        "nodes": run.nodes,
        "devices": run.devices,
    }
    return {**run.config, "snapshot": run.snapshot_id, **origins, "other_base": "", **others}
