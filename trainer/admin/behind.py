"""What people gave for a checkpoint: the snapshots behind it, with guidelines and consents; as a page and as
JSON. Counts come from manifests; rows are read a page at a time."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _

from annotation.models import ConsentText, Demonstration, FeedbackUse, Guideline, Prompt, Ranking
from trainer.actions.lineage import all_rows_of, rows_of, runs_behind
from trainer.admin.links import link_to, listed
from trainer.models import Checkpoint, Run, Snapshot

AT_ONCE = 100
JUDGEMENTS = {
    Snapshot.Kind.RANKINGS: ("ranking_id", Ranking),
    Snapshot.Kind.DEMONSTRATIONS: ("demonstration_id", Demonstration),
    Snapshot.Kind.FEEDBACK: ("feedback_id", FeedbackUse),
    Snapshot.Kind.PROMPTS: ("prompt_id", Prompt),
}

Source = dict[str, Any]


def sources_of(checkpoint: Checkpoint) -> list[Source]:
    """For the template: each snapshot once, with the runs that read it."""
    runs = runs_behind(checkpoint)
    read: dict[int, list[Run]] = defaultdict(list)
    for run in runs:
        read[run.snapshot_id].append(run)
    snapshots = Snapshot.objects.select_related("campaign").in_bulk(read)
    return [_source(snapshots[pk], some) for pk, some in read.items()]


def _source(snapshot: Snapshot, runs: list[Run]) -> Source:
    told = snapshot.manifest
    return {
        "snapshot": snapshot,
        "link": link_to(snapshot),
        "runs": listed(runs),
        "campaign": snapshot.campaign,
        "people": told.get("labelers"),
        "filters": [f"{name}: {value}" for name, value in told.get("filters", {}).items()],
        "guidelines": _versions(Guideline, snapshot, "guideline_versions"),
        "consents": _versions(ConsentText, snapshot, "consent_versions"),
        "rows_url": reverse("admin:trainer_snapshot_rows", args=[snapshot.pk]),
        "is_here": snapshot.file.exists(),
    }


def _versions(
    model: type[Guideline] | type[ConsentText], snapshot: Snapshot, name: str
) -> list[dict[str, Any]]:
    """What was told, or agreed to, with how many rows were made under it; 0 where there was nothing."""
    counts: Mapping[str, int] = snapshot.manifest.get(name, {})
    texts = {
        row.version: row
        for row in model._default_manager.filter(campaign=snapshot.campaign_id, version__in=map(int, counts))
    }
    return [
        {"version": int(version), "rows": rows, "text": texts.get(int(version))}
        for version, rows in sorted(counts.items(), key=lambda one: int(one[0]))
    ]


def rows_page(snapshot: Snapshot, request: HttpRequest) -> dict[str, Any]:
    """Some rows of a snapshot, each with the way to where it stands today."""
    page = Paginator(range(snapshot.rows), AT_ONCE).get_page(request.GET.get("page"))
    first = page.start_index() - 1 if snapshot.rows else 0
    key, model = JUDGEMENTS[Snapshot.Kind(snapshot.kind)]
    rows = rows_of(snapshot, first, len(page)) if snapshot.file.exists() else []
    left = set(model.objects.filter(pk__in=[row[key] for row in rows]).values_list("pk", flat=True))  # type: ignore[attr-defined]
    columns = [name for name in (rows[0] if rows else {}) if name != key]
    address = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
    return {
        "page": page,
        "columns": columns,
        "rows": [
            {
                "link": format_html('<a href="{}" class="text-link">#{}</a>', reverse(address, args=[pk]), pk)
                if pk in left
                else _("#%(number)d, erased since") % {"number": pk},
                "cells": [row[name] for name in columns],
            }
            for row in rows
            for pk in [row[key]]
        ],
        "is_here": snapshot.file.exists(),
    }


def as_json(checkpoint: Checkpoint) -> Iterator[str]:
    """All of it, row by row: who downloads it may have to wait, but nobody has to hold it."""
    runs = runs_behind(checkpoint)
    about = {"id": checkpoint.pk, "kind": checkpoint.kind, "sha256": checkpoint.digest}
    yield f'{{"checkpoint": {json.dumps(about)},\n"runs": {json.dumps([_run(run) for run in runs])},\n'
    yield '"snapshots": ['
    for index, source in enumerate(sources_of(checkpoint)):
        snapshot = source["snapshot"]
        yield (",\n" if index else "") + json.dumps(_snapshot(source), ensure_ascii=False)[:-1]
        yield ', "rows": ['
        for number, row in enumerate(all_rows_of(snapshot) if source["is_here"] else ()):
            yield (",\n" if number else "\n") + json.dumps(row)
        yield "]}"
    yield "]}\n"


def _run(run: Run) -> dict[str, Any]:
    return {
        "id": run.pk,
        "kind": run.kind,
        "snapshot": run.snapshot_id,
        "settings": run.config,
        "result": run.result.digest if run.result else None,
    }


def _snapshot(source: Source) -> dict[str, Any]:
    snapshot = source["snapshot"]
    return {
        "id": snapshot.pk,
        "sha256": snapshot.digest,
        "campaign": snapshot.campaign.name,
        "manifest": snapshot.manifest,
        "guidelines": [_text(told) for told in source["guidelines"]],
        "consents": [_text(told) for told in source["consents"]],
        "file_is_here": source["is_here"],
    }


def _text(told: dict[str, Any]) -> dict[str, Any]:
    return {**told, "text": told["text"].text if told["text"] else None}
