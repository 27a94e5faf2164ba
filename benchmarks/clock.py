"""What both sides of a comparison measure themselves with. The standard library alone."""

import time
from pathlib import Path


class Clock:
    """Ticks at the end of every optimizer step (of every iteration, for PPO)."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.work: list[float] = []
        self.peak_mb = 0.0

    def tick(self, work: float = 1.0) -> None:
        """``work``: what the step had to do, in any unit that is the same for all steps."""
        self.times.append(time.process_time())
        self.work.append(work)
        self.peak_mb = peak_memory_mb()

    def cpu_seconds(self) -> float:
        """From the end of the first step, which warms everything up, to the end of the last; scaled to the
        work of all steps."""
        return (self.times[-1] - self.times[0]) * sum(self.work) / sum(self.work[1:])

    def measured(self, **quality: float) -> dict[str, float]:
        return {
            "cpu_seconds": self.cpu_seconds(),
            "peak_mb": self.peak_mb,
            "steps": len(self.times),
            **quality,
        }


def ppo_quality(scores: list[float], ref_kl: list[float]) -> dict[str, float]:
    """From each rollout's mean score and drift. A few completions score by luck, so rollouts are averaged."""
    learned = scores[1:]
    return {
        "score": sum(learned) / len(learned),
        "score_gain": sum(learned) / len(learned) - scores[0],
        "ref_kl": ref_kl[-1],
    }


def peak_memory_mb() -> float:
    """Of this process since its program started. (What ``getrusage`` says counts the parent's memory too.)"""
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024
