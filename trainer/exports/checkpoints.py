"""A checkpoint for others: a plain Hugging Face folder, or its adapters alone, with a card; GGUF beside."""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from django.utils.translation import gettext as _

from trainer import shelf
from trainer.errors import CannotBeExported
from trainer.exports.destinations import check_destination
from trainer.exports.model_card import model_card
from trainer.handoff.rundir import ADAPTERS
from trainer.models import Checkpoint

CARD = "README.md"
ADAPTER_CONFIG = "adapter_config.json"
_OF_TOKENIZERS = ("tokenizer*", "special_tokens_map.json", "chat_template*", "vocab*", "merges.txt")
_PROJECT = Path(__file__).resolve().parents[2]

Files = dict[str, Path | bytes]
"""Where each file's contents come from, by the name that it gets."""


def export_checkpoint(
    checkpoint: Checkpoint, out: str, *, apart: bool = False, with_gguf: bool = False
) -> None:
    """Write the folder ``out``, or what is at that address; whole or not at all.

    :raises CannotBeExported: the checkpoint is not here, has no adapters, or cannot be told in GGUF; or there
        is something at ``out`` already.
    :raises BadDestination: nothing can be written at that address.
    """
    if "://" in out:
        check_destination(out)
    elif Path(out).exists() and any(Path(out).iterdir()):
        raise CannotBeExported(_("%(folder)s is there already, and not empty.") % {"folder": out})
    files = files_of(checkpoint, apart=apart)
    unfinished = _beside(out)
    try:
        _fill(unfinished, files)
        if with_gguf:
            _write_gguf(checkpoint, unfinished)
        _put(unfinished, out)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def files_of(checkpoint: Checkpoint, *, apart: bool = False) -> Files:
    """What an export consists of.

    :raises CannotBeExported: see above.
    """
    folder = Path(shelf.local_place(checkpoint, lambda: None))
    if not folder.is_dir():
        raise CannotBeExported(
            _("%(checkpoint)s is not on this machine: %(location)s.")
            % {"checkpoint": checkpoint, "location": checkpoint.location}
        )
    card: Files = {CARD: model_card(checkpoint, apart=apart).encode()}
    if apart:
        return _adapters(checkpoint, folder) | card
    inside = (file for file in sorted(folder.rglob("*")) if file.is_file())
    names = {file.relative_to(folder).as_posix(): file for file in inside}
    # A base model has the card of those who made it.
    return card | {name: file for name, file in names.items() if not name.startswith(f"{ADAPTERS}/")}


def has_adapters(checkpoint: Checkpoint) -> bool:
    return (Path(checkpoint.location) / ADAPTERS).is_dir()


def _adapters(checkpoint: Checkpoint, folder: Path) -> Files:
    run = checkpoint.produced_by
    base = run.given("base") if run else None
    if base is None or not (folder / ADAPTERS).is_dir():
        raise CannotBeExported(
            _("%(checkpoint)s has no adapters of its own: all its weights were trained, or it is older.")
            % {"checkpoint": checkpoint}
        )
    found: Files = {file.name: file for file in sorted((folder / ADAPTERS).iterdir())}
    config = json.loads((folder / ADAPTERS / ADAPTER_CONFIG).read_text(encoding="utf-8"))
    # No folder of this machine: whoever gets the adapters has the base model elsewhere.
    config["base_model_name_or_path"] = base.name if _is_local(base) else base.location
    found[ADAPTER_CONFIG] = json.dumps(config, indent=2).encode()
    for pattern in _OF_TOKENIZERS:
        found |= {file.name: file for file in sorted(folder.glob(pattern))}
    return found


def _is_local(base: Checkpoint) -> bool:
    return base.location.startswith("/") or "://" in base.location


def _beside(out: str) -> Path:
    """A folder to fill, on the disk where it is to be."""
    if "://" in out:
        return Path(tempfile.mkdtemp(prefix="rankwright-export-"))
    Path(out).absolute().parent.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=".export-", dir=Path(out).absolute().parent))


def _fill(folder: Path, files: Mapping[str, Path | bytes]) -> None:
    folder.chmod(0o755)
    for name, source in files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(source, bytes):
            target.write_bytes(source)
        else:
            shutil.copyfile(source, target)


def _write_gguf(checkpoint: Checkpoint, folder: Path) -> None:
    """By the lab, in a process of its own.

    :raises CannotBeExported: it refused.
    """
    name = f"{checkpoint.kind}-{checkpoint.digest[:12]}"
    program = [sys.executable, "-m", "trainer.rlhf.gguf_file"]
    told = [shelf.local_place(checkpoint, lambda: None), str(folder / f"{name}.gguf"), "--name", name]
    done = subprocess.run([*program, *told], cwd=_PROJECT, capture_output=True, text=True)  # noqa: S603  # ours
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [_("no reason given")])[-1]
        raise CannotBeExported(_("No GGUF file could be written: %(reason)s") % {"reason": last})


def _put(folder: Path, out: str) -> None:
    if "://" in out:
        shelf.push(folder, out)
        return
    if Path(out).exists():  # and is empty
        Path(out).rmdir()
    folder.rename(out)
