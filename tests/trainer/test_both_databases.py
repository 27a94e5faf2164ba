"""The same rows give the same snapshot on both databases."""

import json
import os
import subprocess
import sys

from tests.postgres import private_server


def frozen_on(url, folder):
    folder.mkdir()
    environment = {
        **os.environ,
        "RANKWRIGHT_VAR": str(folder),
        "RANKWRIGHT_SECRET_KEY": "the same key for both, since pseudonyms come of it",
        "RANKWRIGHT_DATABASE_URL": url,
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.trainer.freezing_side"], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_the_same_rows_have_the_same_sha256_on_sqlite_and_postgresql(tmp_path):
    on_sqlite = frozen_on("", tmp_path / "sqlite")
    with private_server() as url:
        on_postgresql = frozen_on(url, tmp_path / "postgresql")

    assert on_sqlite == on_postgresql
    assert on_sqlite["rankings"][1] == 8
