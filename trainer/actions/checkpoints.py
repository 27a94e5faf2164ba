import hashlib
import re
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from trainer.errors import UnknownBaseModel
from trainer.handoff.endpoints import UnknownEndpoint, find_endpoint, is_endpoint, named_endpoints
from trainer.handoff.rundir import digest_of_folder
from trainer.models import Checkpoint, Run

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[\w.-]+)?")


def register_base_model(name: str, *, now: datetime) -> Checkpoint:
    """The checkpoint of a base model, by its name here, its folder or its Hugging Face id; or of a model
    server, as ``endpoint:NAME``.

    :raises UnknownBaseModel: it is none of these.
    """
    found = find_base_model(name, now=now)
    if found.pk is None:
        columns = {"kind": found.kind, "name": found.name, "location": found.location, "created_at": now}
        found, _is_new = Checkpoint.objects.get_or_create(digest=found.digest, defaults=columns)
    return found


def find_base_model(name: str, *, now: datetime) -> Checkpoint:
    """The same, but one that is not known yet is not stored.

    :raises UnknownBaseModel: it is none of these.
    """
    location, digest = _locate(name)
    shown = Path(name).name if Path(name).is_dir() else name
    return Checkpoint.objects.filter(digest=digest).first() or Checkpoint(
        kind=Checkpoint.Kind.BASE, name=shown, location=location, digest=digest, created_at=now
    )


def store_result(
    run: Run, *, location: str, digest: str, summary: dict[str, Any], now: datetime
) -> Checkpoint:
    """The checkpoint of the weights that ``run`` made; an earlier run's if they are the same to the byte."""
    checkpoint, _is_new = Checkpoint.objects.get_or_create(
        digest=digest,
        defaults={
            "kind": Checkpoint.Kind.COMPRESSED if run.compresses else run.kind,
            "name": f"{run.campaign} / {run.get_kind_display()} #{run.pk}"[:200],
            "location": location,
            "produced_by": run,
            "summary": summary,
            "created_at": now,
        },
    )
    run.keep_result(checkpoint)
    return checkpoint


def _locate(name: str) -> tuple[str, str]:
    if is_endpoint(name):
        return _locate_endpoint(name)
    folder = Path(settings.BASE_MODELS.get(name, name)).expanduser()
    if (folder / "config.json").is_file():
        return str(folder.resolve()), digest_of_folder(folder)
    if name in settings.BASE_MODELS:
        raise UnknownBaseModel(
            _(
                "%(name)s is not on this machine yet. "
                "Make it with: python -m trainer.rlhf.base_model %(folder)s"
            )
            % {"name": name, "folder": folder}
        )
    if folder.exists() or not _HUB_ID.fullmatch(name):
        raise UnknownBaseModel(
            _("%(name)s is neither a model's folder (one with a config.json in it) nor a Hugging Face id.")
            % {"name": name}
        )
    # The hub's weights are fetched by the lab; until then the id is all that is known of them.
    return name, hashlib.sha256(f"huggingface:{name}".encode()).hexdigest()


def _locate_endpoint(name: str) -> tuple[str, str]:
    try:
        find_endpoint(name)
    except UnknownEndpoint as error:
        raise UnknownBaseModel(
            _("The operator has named no model server like %(name)s. There are: %(known)s.")
            % {"name": name, "known": ", ".join(sorted(named_endpoints())) or _("none")}
        ) from error
    # What answers there may change; the name is all that can be held on to.
    return name, hashlib.sha256(name.encode()).hexdigest()
