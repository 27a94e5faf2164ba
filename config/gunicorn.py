"""How the web is served: ``gunicorn -c config/gunicorn.py``. Gunicorn reads WEB_CONCURRENCY by itself."""

import os
import shutil
import tempfile
from typing import Any

wsgi_app = "config.wsgi"
# Ten of them may carry a chat's answer (annotation/api/chat_stream.py), which wait more than they work.
threads = 16
graceful_timeout = 30
# What is still in the memory of a dead worker's file system would block its heartbeat.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None

# The processes count into files of their own, which whichever process is asked for /metrics adds up.
_COUNTS = os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", tempfile.mkdtemp(prefix="rankwright-counts-"))


def child_exit(server: Any, worker: Any) -> None:
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(server: Any) -> None:
    shutil.rmtree(_COUNTS, ignore_errors=True)
