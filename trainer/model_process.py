"""The lab's model server as a child of ours: started, asked whether it is well, and left to finish."""

import os
import subprocess
import sys
import threading
from contextlib import suppress

from trainer.guard import die_with
from trainer.handoff.openai_client import Endpoint, EndpointError

SERVING = "serving "
"""How the line begins that names its address."""
WELL_WITHIN = 3.0
LEAVE_WITHIN = 90.0
"""Seconds for the answers that are under way when it is asked to leave."""


class ModelProcess:
    """Serves one folder at a free port of this machine."""

    def __init__(
        self, folder: str, *, name: str, host: str = "127.0.0.1", options: tuple[str, ...] = ()
    ) -> None:
        command = [sys.executable, "-m", "trainer.rlhf.serve", folder, "--port", "0", "--host", host]
        self.url = ""
        self._said = threading.Event()
        self._process = subprocess.Popen(  # noqa: S603  # our own module
            [*command, "--name", name, *options],
            stdout=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
            preexec_fn=_gently(os.getpid()),
        )
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def is_over(self) -> bool:
        return self._process.poll() is not None

    def wait_until_it_serves(self, seconds: float) -> bool:
        """False where it ended, or took longer."""
        self._said.wait(seconds)
        return bool(self.url) and self.is_well()

    def is_well(self) -> bool:
        try:
            Endpoint(self.url, key=os.environ.get("RANKWRIGHT_SERVE_KEY", ""), timeout=WELL_WITHIN).models()
        except EndpointError:
            return False
        return not self.is_over

    def leave(self) -> None:
        """Take nothing new, finish what is under way, and end; called again, or too slow, end at once."""
        if not self.is_over:
            self._process.terminate()
            threading.Thread(target=self._see_off, daemon=True).start()

    def end(self) -> None:
        self._process.kill()
        self._process.wait()

    def _see_off(self) -> None:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(LEAVE_WITHIN)
            return
        self._process.kill()

    def _listen(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            if line.startswith(SERVING) and not self.url:
                self.url = line.split()[-1]
                self._said.set()
        self._said.set()


def _gently(parent: int):  # type: ignore[no-untyped-def]  # a function for the child
    """In the child: training and the web go first, and it does not outlive us."""
    tie = die_with(parent)

    def begin() -> None:
        tie()
        os.nice(5)

    return begin
