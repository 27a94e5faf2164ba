"""The most memory that a model takes, in kilobytes: ``python -m trainer.rlhf.compress.peak MODEL DTYPE``."""

import sys
from pathlib import Path

from trainer.handoff.configs.compress import CompressConfig
from trainer.rlhf.compress.report import speaker, write

if __name__ == "__main__":
    write(speaker(sys.argv[1], CompressConfig(dtype=sys.argv[2])), [[1, 2, 3, 4]], 16, seed=0, eos=-1)
    status = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    print(next(line.split()[1] for line in status if line.startswith("VmHWM:")))
