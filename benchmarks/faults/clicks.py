"""Ten clicks on Train at once, by two admins."""

import os
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any
from uuid import uuid4

from benchmarks.faults.stage import Stage, a_stage
from benchmarks.figures import Figure
from tests import postgres

CLICKS = 10


def measure(part: str, repeats: int) -> Iterator[Figure]:
    """``part``: ``postgres`` for that database, else SQLite."""
    server = postgres.private_server() if part == "postgres" else nullcontext("")
    with server as url, a_stage(database=url, RANKWRIGHT_FAULTS_TOY="1") as stage:
        most = errors = 0
        for seed in range(repeats):
            runs, failed = _click(stage, seed)
            most, errors = max(most, len(runs)), errors + failed
    yield Figure("clicks", CLICKS * repeats, "clicks")
    yield Figure("most_runs_of_ten_clicks", most, "runs")
    yield Figure("click_errors", errors, "clicks")


def _click(stage: Stage, seed: int) -> tuple[set[int], int]:
    from django.db import connection

    from trainer.models import Run

    keys = {person: uuid4() for person in (stage.rhea, stage.rita)}
    together = threading.Barrier(CLICKS)
    answers: list[Any] = []

    def click(person: Any) -> None:
        together.wait()
        try:
            run = stage.queue(config={"seed": seed}, created_by=person, idempotency_key=keys[person])
            answers.append(run.pk)
        except Exception as error:  # counted, whatever it is
            print(f"{type(error).__name__}: {error}", flush=True)
        finally:
            connection.close()

    threads = [
        threading.Thread(target=click, args=(stage.rhea if number % 2 else stage.rita,))
        for number in range(CLICKS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    queued = set(Run.objects.filter(config__seed=seed).values_list("pk", flat=True))
    assert set(answers) <= queued or os.environ.get("RANKWRIGHT_DATABASE_URL") is None
    return queued, CLICKS - len(answers)
