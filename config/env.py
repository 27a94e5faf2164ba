"""Typed reading of environment variables: a bad value stops the start with a sentence."""

import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlparse

from django.core.exceptions import ImproperlyConfigured


def text(name: str, default: str) -> str:
    return os.environ.get(name) or default


def boolean(name: str, default: bool) -> bool:
    value = text(name, str(default)).lower()
    if value not in {"1", "0", "true", "false", "yes", "no"}:
        raise ImproperlyConfigured(f"{name} is {value!r}; it must be true or false.")
    return value in {"1", "true", "yes"}


def choice(name: str, choices: list[str]) -> str:
    """One of ``choices``, the first where none is given."""
    value = text(name, choices[0])
    if value not in choices:
        raise ImproperlyConfigured(f"{name} is {value!r}; it must be {' or '.join(choices)}.")
    return value


def number(name: str, default: int, least: int = 1) -> int:
    """A whole number, ``least`` or more."""
    value = text(name, str(default))
    if not value.isdecimal() or int(value) < least:
        raise ImproperlyConfigured(f"{name} is {value!r}; it must be a whole number above {least - 1}.")
    return int(value)


def words(name: str, default: list[str]) -> list[str]:
    """A comma-separated list."""
    value = os.environ.get(name)
    return [word.strip() for word in value.split(",") if word.strip()] if value else default


def secret(name: str, kept_in: Path) -> str:
    """The secret in the environment, else one made on the first start and kept, readable by us only."""
    given = os.environ.get(name)
    if given:
        return given
    if not kept_in.exists():
        kept_in.parent.mkdir(parents=True, exist_ok=True)
        fresh = kept_in.with_suffix(f".{os.getpid()}")
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(50))
        # Two processes may start at once: linking fails for the second, and both read the first one's.
        try:
            os.link(fresh, kept_in)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return kept_in.read_text().strip()


def database(name: str, sqlite_file: Path) -> dict[str, Any]:
    """Django's settings for a ``postgres://`` address, or for SQLite where none is given."""
    address = os.environ.get(name)
    if not address:
        return sqlite(sqlite_file)
    url = urlparse(address)
    if url.scheme not in {"postgres", "postgresql"}:
        raise ImproperlyConfigured(f"{name} must start with postgres://, it starts with {url.scheme}://.")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": url.path.lstrip("/"),
        "USER": unquote(url.username or ""),
        "PASSWORD": unquote(url.password or ""),
        # A folder with the server's socket stands where libpq has it too: ?host=/run/postgresql.
        "HOST": url.hostname or parse_qs(url.query).get("host", [""])[0],
        "PORT": url.port or "",
        "OPTIONS": {
            # Who waits longer than this for a database that is away learns so, and tries again.
            "pool": {"min_size": 1, "max_size": 16, "timeout": 5},
            # A process that is stopped in the middle of a transaction must not keep its locks for ever.
            "options": "-c idle_in_transaction_session_timeout=60s",
        },
    }


def sqlite(file: Path) -> dict[str, Any]:
    pragmas = {
        "journal_mode": "WAL",
        "synchronous": "NORMAL",
        "mmap_size": 134217728,
        "journal_size_limit": 27103364,
        "cache_size": -20000,
        "temp_store": "MEMORY",
    }
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": file,
        "OPTIONS": {
            "timeout": 20,
            # Read-then-write under the default DEFERRED fails at once with "database is locked" under load.
            "transaction_mode": "IMMEDIATE",
            "init_command": "".join(f"PRAGMA {name}={value};" for name, value in pragmas.items()),
        },
    }
