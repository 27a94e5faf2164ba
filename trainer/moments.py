"""Reading many rows as they were at one moment."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def one_moment() -> Iterator[None]:
    """A transaction whose queries all see the rows of one moment, while others go on writing.

    Inside another transaction it is that one's moment.
    """
    if connection.in_atomic_block:
        yield
        return
    with _begin_without_lock(), transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


@contextmanager
def _begin_without_lock() -> Iterator[None]:
    """SQLite's transactions take the lock for writing when they begin; one that only reads needs none."""
    mode = getattr(connection, "transaction_mode", None)
    if mode is None:
        yield
        return
    connection.transaction_mode = "DEFERRED"  # type: ignore[attr-defined]  # SQLite's
    try:
        yield
    finally:
        connection.transaction_mode = mode  # type: ignore[attr-defined]
