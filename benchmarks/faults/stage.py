"""A product of our own to do harm to: a folder, a database, rows, workers."""

import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

from benchmarks.faults.points import FOLDER, Trap

ROOT = Path(__file__).resolve().parents[2]
LEASE = 3.0
"""Seconds, where a test must not wait for the real one."""
PATIENCE = 180.0
DISHES = ("soup", "rice", "tea", "bread", "stew", "salad", "pie", "jam")
SMALL = {
    "dtype": "float32", "lora_rank": 4, "lora_layers": 2, "learning_rate": 1e-2, "checkpoint_every": 1
}  # fmt: skip
CONFIGS: dict[str, dict[str, Any]] = {
    "sft": {**SMALL, "epochs": 2, "batch_size": 3},
    "reward": {**SMALL, "epochs": 3, "batch_size": 2},
    "ppo": {
        **SMALL,
        "learning_rate": 1e-3,
        "iterations": 3,
        "rollout_size": 4,
        "minibatch_size": 2,
        "max_new_tokens": 6,
    },
}


class Stuck(Exception):
    """Something did not happen in all the time that it had."""


def wait_for(happens: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
    """What it said when it came true."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if answer := happens():
            return answer
        time.sleep(0.02)
    raise Stuck(what)


@contextmanager
def a_stage(*, database: str = "", **environment: str) -> Iterator["Stage"]:
    """One per process: Django is set up once."""
    folder = Path(tempfile.mkdtemp(prefix="rankwright-faults-"))
    os.environ |= {
        "RANKWRIGHT_VAR": str(folder),
        "OMP_WAIT_POLICY": "PASSIVE",
        "OMP_NUM_THREADS": "1",
        # Nobody is there: what waits must be found by looking.
        "RANKWRIGHT_BROKER_URL": "redis://127.0.0.1:9/0",
        "RANKWRIGHT_LOG_LEVEL": "ERROR",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        FOLDER: str(folder),
        **({"RANKWRIGHT_DATABASE_URL": database} if database else {}),
        **environment,
    }
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    stage = Stage(folder)
    try:
        yield stage
    finally:
        stage.end()
        _let_go_of_the_database()
        shutil.rmtree(folder, ignore_errors=True)


class Stage:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.trap = Trap(folder)
        self.workers: dict[str, subprocess.Popen[bytes]] = {}
        self._furnish()

    # --- workers

    def start(self, name: str = "one", *command: str, **environment: str) -> int:
        """The worker's process."""
        command = command or (sys.executable, "-m", "benchmarks.faults.worker_side", name)
        with (self.folder / f"{name}.log").open("ab") as log:
            self.workers[name] = subprocess.Popen(
                command, cwd=ROOT, stdout=log, stderr=log, env={**os.environ, **environment}
            )
        return self.workers[name].pid

    def kill(self, name: str = "one") -> None:
        worker = self.workers.pop(name)
        worker.kill()
        worker.wait()

    def revive(self) -> None:
        """As whoever supervises workers does."""
        for name, worker in list(self.workers.items()):
            if worker.poll() is not None:
                self.start(name)

    def labs(self, run: Any = None) -> list[int]:
        """Processes at work on a run, or on any, without their guards."""
        return self._at_work("benchmarks.faults.lab_side", run)

    def guards(self, run: Any = None) -> list[int]:
        return self._at_work("guard.py", run)

    def _at_work(self, program: str, run: Any) -> list[int]:
        place = f"{run.folder_of(1).parent}/" if run else str(self.folder)
        return [
            pid
            for pid, words in _commands()
            # The guard's own words end with the lab's.
            if any(word.endswith(program) for word in words[:4]) and words[-1].startswith(place)
        ]

    def end(self) -> None:
        for worker in self.workers.values():
            with suppress(ProcessLookupError):
                worker.send_signal(signal.SIGCONT)
            worker.kill()
            worker.wait()
        self.workers.clear()
        for pid in (*self.guards(), *self.labs()):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    # --- runs

    def queue(self, kind: str = "sft", **changes: Any) -> Any:
        from django.utils import timezone

        from trainer.actions.runs import queue_run

        details: dict[str, Any] = {
            "kind": kind,
            "snapshot": self.snapshots[
                {"sft": "demonstrations", "reward": "rankings", "ppo": "prompts"}[kind]
            ],
            "base": self.base,
            "reward": self.reward if kind == "ppo" else None,
            "created_by": self.rhea,
            **changes,
        }
        details["config"] = {**CONFIGS[kind], **details.get("config", {})}
        return queue_run(now=timezone.now(), **details)

    def state(self, run: Any) -> str:
        """Empty while the database is away."""
        from django.db import Error, close_old_connections

        try:
            run.refresh_from_db()
        except Error:
            close_old_connections()
            return ""
        return str(run.status)

    def finish(self, run: Any, patience: float = PATIENCE) -> str:
        """Wait until it is over. Returns what it made."""

        def is_over() -> bool:
            self.revive()
            return bool(self.state(run)) and run.is_final

        wait_for(is_over, f"{run} is {run.status} at {run.step}", patience)
        if run.status != "SUCCEEDED":
            return f"{run.status}: {run.failure}"
        return str(run.artifact.digest)

    def flaws(self, run: Any) -> list[str]:
        """What must not be: two results, a story with holes, a process that nobody watches."""
        from trainer.models import Artifact, Checkpoint

        found = []
        if run.status == "SUCCEEDED" and Artifact.objects.filter(run=run).count() != 1:
            found.append("not published once")
        if Checkpoint.objects.filter(produced_by=run).count() > 1:
            found.append("two checkpoints")
        told = list(run.events.order_by("seq").values_list("seq", "kind"))
        if [seq for seq, _kind in told] != list(range(1, len(told) + 1)):
            found.append("events with holes")
        if sum(kind in ("succeeded", "failed", "cancelled") for _seq, kind in told) != int(run.is_final):
            found.append("ended twice")
        return found

    def orphans(self) -> list[int]:
        """After everything is over nobody may be left."""
        with suppress(Stuck):
            wait_for(lambda: not self.labs() and not self.guards(), "orphans", 10)
        return [*self.labs(), *self.guards()]

    # --- rows

    def _furnish(self) -> None:
        from django.utils import timezone

        from annotation.models import Person
        from tests.tiny_model import make_tiny_model
        from trainer.actions.checkpoints import register_base_model
        from trainer.actions.snapshots import freeze_snapshot

        now = timezone.now()
        self.rhea, self.rita = (
            Person.objects.create_user(name, role=Person.Role.RESEARCHER, is_staff=True)
            for name in ("rhea", "rita")
        )
        campaign = _kitchen(now)
        self.snapshots = {
            kind: freeze_snapshot(campaign=campaign, kind=kind, created_by=None, now=now)
            for kind in ("demonstrations", "rankings", "prompts")
        }
        if os.environ.get("RANKWRIGHT_FAULTS_TOY"):
            model = self.folder / "tiny"
            model.mkdir()
            (model / "config.json").write_text("{}")
        else:
            texts = [f"How do I make {dish}?" for dish in DISHES]
            model = make_tiny_model(self.folder / "tiny", texts, hidden=32, layers=2)
        self.base = register_base_model(str(model), now=now)
        self.reward: Any = None


def _kitchen(now: Any) -> Any:
    """A campaign in which ada has written and ranked."""
    from annotation.actions.assignments import claim_assignments
    from annotation.actions.campaigns import publish_guideline
    from annotation.actions.candidates import add_candidate_set
    from annotation.actions.prompts import add_prompt
    from annotation.actions.rankings import submit_ranking
    from annotation.models import Campaign, Demonstration, Person

    ada = Person.objects.create_user("ada")
    campaign = Campaign.objects.create(name="Kitchen", held_out_percent=20)
    guideline = publish_guideline(campaign=campaign, text="Be kind.", now=now)
    for dish in DISHES:
        question = [{"role": "user", "content": f"How do I make {dish}?"}]
        prompt, _ = add_prompt(campaign=campaign, messages=question, kind="question", language="en")
        Demonstration.objects.create(
            prompt=prompt,
            labeler=ada,
            guideline=guideline,
            turns=[{"role": "assistant", "content": "Boil it slowly."}],
            status=Demonstration.Status.SUBMITTED,
            submitted_at=now,
        )
        add_candidate_set(prompt=prompt, texts=["Boil it.", "Fry it.", "No."])
    rng = random.Random(0)
    while claimed := claim_assignments(campaign=campaign, labeler=ada, count=1, holding=[], now=now, rng=rng):
        a, b, c = sorted(claimed[0].shown_order)
        submit_ranking(
            assignment=claimed[0],
            labeler=ada,
            tiers=[[a], [b]],
            unacceptable=[c],
            cannot_judge="",
            seconds_spent=5.0,
            idempotency_key=uuid4(),
            now=now,
        )
    return campaign


def toy_digest(seed: int, steps: int) -> str:
    """What the toy makes if nothing goes wrong."""
    link = str(seed)
    for step in range(1, steps + 1):
        link = hashlib.sha256(f"{link}{step}".encode()).hexdigest()
    content = hashlib.sha256(link.encode()).hexdigest()
    return hashlib.sha256(f"model.safetensors\0{content}\n".encode()).hexdigest()


def _let_go_of_the_database() -> None:
    """A server that is asked to stop waits for its last client."""
    from django.db import connection

    connection.close()
    if connection.vendor == "postgresql":
        connection.close_pool()  # type: ignore[attr-defined]  # PostgreSQL's


def _commands() -> Iterator[tuple[int, list[str]]]:
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
            if words:
                yield int(folder.name), words
