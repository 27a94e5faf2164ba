"""One folder with everything that cannot be made again: the database and the files that its rows name.

The secret key is not in it: it belongs with the other secrets. Without it the people in later snapshots have
other pseudonyms than before, and everybody signs in anew.
"""

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connection, connections, transaction
from django.db.migrations.recorder import MigrationRecorder

FILES = {
    "snapshots": "SNAPSHOTS_ROOT",
    "exports": "EXPORTS_ROOT",
    "imports": "IMPORTS_ROOT",
    "runs": "RUNS_ROOT",
    "models": "MODELS_ROOT",
}
"""Folders of a backup, and the settings that say where they are in the product."""
MANIFEST, DATABASE = "manifest.json", "database"


class BackupRefused(Exception):
    """In words for whoever typed the command."""


def make_backup(folder: Path, *, now: datetime) -> dict[str, Any]:
    """Write a backup while the product runs. Returns its manifest.

    The database comes first, so that every file which its rows name is already there to be copied. The folder
    gets its name when all of it is on the disk.

    :raises BackupRefused: the folder is there already or may not be made, or the database's own program is
        missing or failed.
    """
    if folder.exists():
        raise BackupRefused(f"{folder} is there already.")
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    _make(part)
    rows = _dump(part / DATABASE)
    files = {DATABASE: _told(part / DATABASE)}
    for name, root in _roots().items():
        files |= dict(_copied(root, part, name))
    manifest = {
        "made_at": now.isoformat(),
        "database": connection.vendor,
        "migrations": _migrations(),
        "rows": rows,
        "files": files,
    }
    (part / MANIFEST).write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n")
    os.sync()
    part.rename(folder)
    return manifest


def check_backup(folder: Path) -> dict[str, Any]:
    """The manifest, if every file is as it was written.

    :raises BackupRefused: it is no backup, or one of its files is missing or changed.
    """
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
    except (OSError, ValueError) as error:
        raise BackupRefused(f"{folder} is no complete backup: {MANIFEST} cannot be read.") from error
    for name, told in manifest["files"].items():
        path = folder / name
        if not path.is_file():
            raise BackupRefused(f"{name} is missing from the backup.")
        if _told(path) != told:
            raise BackupRefused(f"{name} is not as it was when the backup was made.")
    return manifest


def restore_backup(folder: Path, *, replace: bool = False) -> dict[str, Any]:
    """Bring back the database and the files, and count the rows. Returns the manifest.

    Stop the product first.

    :raises BackupRefused: see ``check_backup``; or there is data here already and ``replace`` is not said; or
        the database is of another kind, or has other rows afterwards.
    """
    manifest = check_backup(folder)
    if manifest["database"] != connection.vendor:
        raise BackupRefused(
            f"The backup is of {manifest['database']}, but this place runs on {connection.vendor}."
        )
    if not replace and _has_people():
        raise BackupRefused("There is data here already. Say --replace to lose it.")
    _load(folder / DATABASE)
    for name, root in _roots().items():
        if (folder / name).exists():
            shutil.rmtree(root, ignore_errors=True)
            shutil.copytree(folder / name, root)
    # An earlier version had fewer tables: those that are new come with the migrations.
    if (rows := _count_rows(manifest["rows"])) != manifest["rows"]:
        changed = sorted(name for name in rows if rows[name] != manifest["rows"][name])
        raise BackupRefused(f"After the restore these tables have other rows: {', '.join(changed)}.")
    return manifest


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, mode=0o700)
    except OSError as error:
        words = f"User {os.getuid()} cannot make {folder}: {error.strerror}."
        raise BackupRefused(words) from error


def _roots() -> dict[str, Path]:
    """Where the files are, of those that are on this machine: an object store is copied by its own means."""
    places = {name: str(getattr(settings, setting)) for name, setting in FILES.items()}
    return {name: Path(place) for name, place in places.items() if "://" not in place}


def _copied(root: Path, part: Path, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted(root.rglob("*")) if root.exists() else ():
        if path.is_symlink() or not path.is_file():
            continue
        target = part / name / path.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copyfile(path, target)
        except FileNotFoundError:
            continue  # a run that is under way has just tidied it up
        yield str(target.relative_to(part)), _told(target)


def _told(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"sha256": digest, "bytes": path.stat().st_size}


def _migrations() -> list[str]:
    return sorted(".".join(name) for name in MigrationRecorder(connection).applied_migrations())


def _tables() -> list[str]:
    return sorted({model._meta.db_table for model in apps.get_models(include_auto_created=True)})


def _count_rows(tables: Iterable[str]) -> dict[str, int]:
    with connection.cursor() as cursor:
        return {table: _count(cursor, table) for table in tables}


def _count(cursor: Any, table: str) -> int:
    cursor.execute(f"SELECT COUNT(*) FROM {connection.ops.quote_name(table)}")
    return int(cursor.fetchone()[0])


def _has_people() -> bool:
    if "annotation_person" not in connection.introspection.table_names():
        return False
    with connection.cursor() as cursor:
        return _count(cursor, "annotation_person") > 0


# --- The two databases ------------------------------------------------------------------------------------


def _dump(file: Path) -> dict[str, int]:
    """One moment of the database. Returns how many rows each table has in it."""
    return _dump_sqlite(file) if connection.vendor == "sqlite" else _dump_postgresql(file)


def _dump_sqlite(file: Path) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute("VACUUM INTO %s", [str(file)])
    with closing(sqlite3.connect(file)) as dumped:
        return {table: _count(dumped.cursor(), table) for table in _tables()}


def _dump_postgresql(file: Path) -> dict[str, int]:
    with transaction.atomic(), connection.cursor() as cursor:
        # What is counted is what is dumped: both see the same moment.
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute("SELECT pg_export_snapshot()")
        moment = cursor.fetchone()[0]
        _run("pg_dump", "--format=custom", "--no-owner", f"--snapshot={moment}", f"--file={file}")
        return {table: _count(cursor, table) for table in _tables()}


def _load(file: Path) -> None:
    if connection.vendor == "sqlite":
        _load_sqlite(file)
    else:
        _load_postgresql(file)


def _load_postgresql(file: Path) -> None:
    """All in one transaction. What is here may be of a later version, with tables that the backup does not
    know and that refer to those it does: so everything goes first."""
    tables = map(connection.ops.quote_name, connection.introspection.table_names())
    connections.close_all()
    with tempfile.TemporaryDirectory(dir=settings.VAR) as folder:
        script = Path(folder) / "script.sql"
        clear = "".join(f"DROP TABLE IF EXISTS {table} CASCADE;\n" for table in tables)
        _run("pg_restore", "--no-owner", f"--file={script}", str(file))
        whole = ["--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1"]
        _run("psql", *whole, f"--command={clear}", f"--file={script}")


def _load_sqlite(file: Path) -> None:
    place = Path(connection.settings_dict["NAME"])
    connections.close_all()
    fresh = place.with_name(f"{place.name}.restored")
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, fresh)
    for rest in ("-wal", "-shm"):
        place.with_name(place.name + rest).unlink(missing_ok=True)
    fresh.replace(place)


def _run(program: str, *arguments: str) -> None:
    """A program of PostgreSQL's, speaking to our database."""
    told = connection.settings_dict
    names = {
        "PGHOST": "HOST",
        "PGPORT": "PORT",
        "PGUSER": "USER",
        "PGPASSWORD": "PASSWORD",
        "PGDATABASE": "NAME",
    }
    environment = {variable: str(told[name]) for variable, name in names.items() if told.get(name)}
    try:
        done = subprocess.run(
            [program, *arguments], env={**os.environ, **environment}, capture_output=True, text=True
        )
    except FileNotFoundError as error:
        raise BackupRefused(
            f"{program} is missing: install PostgreSQL's client programs, as new as the server."
        ) from error
    if done.returncode:
        raise BackupRefused(f"{program} failed: {done.stderr.strip()}")
