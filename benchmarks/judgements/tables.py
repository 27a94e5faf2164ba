"""Writing millions of rows: COPY on PostgreSQL, one prepared INSERT on SQLite, the same rows for both."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.core.management.color import no_style
from django.db import connection, transaction
from django.db.models import Model
from django.db.models.fields.json import JSONField


class Table:
    """A model's table: rows name some columns, the others have their defaults."""

    def __init__(self, model: type[Model], *names: str) -> None:
        self.model = model
        fields = {field.attname: field for field in model._meta.concrete_fields}
        rest = [field for name, field in fields.items() if name not in names]
        # A key that the row does not name would be the same for all of them.
        self.columns = [fields[name].column for name in names] + [field.column for field in rest]
        self.constants = tuple(_default(field) for field in rest)

    def write(self, rows: Iterable[Sequence[Any]]) -> None:
        whole = ((*row, *self.constants) for row in rows)
        names = ", ".join(f'"{column}"' for column in self.columns)
        table = f'"{self.model._meta.db_table}" ({names})'
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                    for row in whole:
                        copy.write_row(row)
            else:
                # Django's cursor would look through every row for placeholders.
                marks = ", ".join("?" * len(self.columns))
                connection.connection.executemany(f"INSERT INTO {table} VALUES ({marks})", whole)


def _default(field: Any) -> Any:
    value = field.get_default()
    if isinstance(field, JSONField):
        return None if value is None else json.dumps(value)
    return field.get_db_prep_save(value, connection)


@contextmanager
def unchecked() -> Iterator[None]:
    """One transaction in which no foreign key is looked at, row by row; ``settle`` looks at all of them."""
    is_sqlite = connection.vendor == "sqlite"
    with connection.cursor() as cursor:
        if is_sqlite:
            cursor.execute("PRAGMA foreign_keys = OFF")
            cursor.execute("PRAGMA cache_size = -1000000")
            cursor.execute("PRAGMA synchronous = OFF")
        else:
            cursor.execute("SET session_replication_role = replica")
            cursor.execute("SET synchronous_commit = off")
    with transaction.atomic():
        yield


def settle(*models: type[Model]) -> None:
    """Whatever bulk writing leaves undone: numbers to go on from, statistics, foreign keys, one file."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), list(models)):
            cursor.execute(statement)
        if connection.vendor == "sqlite":
            # No ANALYZE: the product's own database never had one either.
            cursor.execute("PRAGMA foreign_keys = ON")
            connection.check_constraints()
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        else:
            cursor.execute("SET session_replication_role = DEFAULT")
            cursor.execute("VACUUM ANALYZE")
            _check_foreign_keys(cursor, models)


def _check_foreign_keys(cursor: Any, models: Iterable[type[Model]]) -> None:
    for model in models:
        for field in model._meta.concrete_fields:
            if field.remote_field is None:
                continue
            other = field.remote_field.model._meta
            cursor.execute(
                f'SELECT count(*) FROM "{model._meta.db_table}" ours LEFT JOIN "{other.db_table}" theirs '
                f'ON theirs.{other.pk.column} = ours."{field.column}" '
                f'WHERE ours."{field.column}" IS NOT NULL AND theirs.{other.pk.column} IS NULL'
            )
            (orphans,) = cursor.fetchone()
            if orphans:
                raise SystemExit(f"{orphans} rows of {model.__name__} name a {field.name} that is not there")
