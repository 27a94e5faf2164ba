"""Ways from one of the machines' pages to another."""

from collections.abc import Iterable

from django.db.models import Model
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from trainer.actions.runs import SNAPSHOT_KINDS
from trainer.models import Checkpoint, Run

Start = tuple[str, str]
"""A kind of run, and the address of its form."""


def url_of(row: Model) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def link_to(row: Model | None) -> SafeString | str:
    return format_html('<a href="{}" class="text-link">{}</a>', url_of(row), row) if row else "–"


def listed(rows: Iterable[Model]) -> SafeString | str:
    return format_html_join(", ", "{}", ((link_to(row),) for row in rows)) or "–"


def starts_on(snapshot_kind: str, pk: int) -> list[Start]:
    """The runs that read such a snapshot."""
    kinds = [kind for kind, wanted in SNAPSHOT_KINDS.items() if wanted == snapshot_kind]
    return [(str(kind.label), _start_url(kind, snapshot=pk)) for kind in kinds]


def starts_from(checkpoint: Checkpoint) -> list[Start]:
    """The runs that may use the checkpoint: a reward model is no model to start from."""
    if checkpoint.kind == Checkpoint.Kind.REWARD:
        return [(str(Run.Kind.PPO.label), _start_url(Run.Kind.PPO, reward=checkpoint.pk))]
    return [(str(kind.label), _start_url(kind, base=checkpoint.pk)) for kind in Run.Kind]


def clone_url(run: Run) -> str:
    """The start form, filled in as the run was."""
    return _start_url(Run.Kind(run.kind), clone=run.pk)


def _start_url(kind: Run.Kind, **given: int) -> str:
    return reverse(f"admin:trainer_run_start_{kind.value}", query=given)
