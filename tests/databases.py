"""The tests' database for processes of their own."""

import sqlite3

from django.db import connection


def copy_sqlite(file):
    """A copy as the product's database is: in WAL mode, which only one process at a time can bring about."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM INTO %s", [str(file)])
    copied = sqlite3.connect(file)
    copied.execute("PRAGMA journal_mode=WAL")
    copied.close()
