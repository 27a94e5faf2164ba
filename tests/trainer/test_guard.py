"""Real processes: nothing of a lab outlives its guard, its worker, or the worker's lease."""

import os
import signal
import subprocess
import sys

import pytest

from tests.config.processes import descendants, is_alive, wait_until
from trainer import guard

# A child, and a grandchild in a session of its own that its parent leaves behind, as torch's launcher may.
FAMILY = "setsid sleep 601 & (setsid sleep 602 &) ; trap 'exit 7' TERM; while :; do sleep 0.05; done"


@pytest.fixture
def guarded(tmp_path):
    started = []

    def start(command, seconds=60):
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", guard.__file__, str(seconds), *command],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture
def family(guarded):
    """The guard, and the pids of all that it guards: the shell, its loop's sleep, and the two others."""
    process = guarded(["bash", "-c", FAMILY], seconds=1.5)
    return process, wait_until(lambda: len(found := descendants(process.pid)) >= 4 and found)


class TestGuard:
    @pytest.mark.parametrize("code", [0, 1, 143])
    def test_ends_with_the_labs_exit_code(self, guarded, code):
        assert guarded(["sh", "-c", f"exit {code}"]).wait(20) == code

    @pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM])
    def test_ends_by_the_signal_that_ended_the_lab(self, guarded, number):
        assert guarded(["sh", "-c", f"kill -{number.value} $$"]).wait(20) == -number

    def test_passes_on_the_request_to_stop_and_leaves_nobody(self, family):
        process, pids = family

        process.terminate()

        assert process.wait(20) == 7
        assert not any(map(is_alive, pids))

    def test_ends_all_when_its_worker_says_so(self, family):
        process, pids = family

        process.send_signal(signal.SIGHUP)

        assert process.wait(20) == -signal.SIGKILL
        assert not any(map(is_alive, pids))

    def test_ends_all_when_the_lease_is_not_renewed(self, family):
        process, pids = family
        process.stdin.write(b".")
        process.stdin.flush()

        assert process.wait(20) == guard.FENCED
        assert not any(map(is_alive, pids))

    def test_ends_all_when_its_worker_is_gone(self, family):
        process, pids = family

        process.stdin.close()

        assert process.wait(20) == -signal.SIGKILL
        assert not any(map(is_alive, pids))

    def test_that_is_killed_takes_the_lab_with_it(self, guarded):
        process = guarded(["sleep", "600"])
        [lab] = wait_until(lambda: descendants(process.pid))

        os.kill(process.pid, signal.SIGKILL)

        wait_until(lambda: not is_alive(lab))
