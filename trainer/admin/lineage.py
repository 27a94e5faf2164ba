"""Where a checkpoint comes from: the run that made it, what that run read, and where those came from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from trainer.admin.links import link_to
from trainer.models import Checkpoint


@dataclass(frozen=True)
class Origin:
    what: str
    link: SafeString | str
    origins: list[Origin] = field(default_factory=list)


def lineage(checkpoint: Checkpoint) -> list[Origin]:
    return list(_origins(checkpoint, seen=set()))


def _origins(checkpoint: Checkpoint, seen: set[int]) -> Iterable[Origin]:
    # A model that two others start from is followed once; else many rounds would make a very large tree.
    if checkpoint.pk in seen or not (run := checkpoint.produced_by):
        return
    seen.add(checkpoint.pk)
    snapshot = Origin(_("learned from"), link_to(run.snapshot))
    models: list[tuple[str, Checkpoint | None]] = [
        (_("started from"), run.given("base")),
        (_("scored by"), run.given("reward")),
    ]
    followed = [Origin(what, link_to(model), list(_origins(model, seen))) for what, model in models if model]
    yield Origin(_("made by run"), link_to(run), [snapshot, *followed])
