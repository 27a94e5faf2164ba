"""The peers' own virtual environments: nothing of theirs is a dependency of the product."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from config.bootstrap import TORCH, VAR

PEERS = VAR / "peers"
COMMON = ["transformers==5.23.0", "accelerate==1.15.0", "peft==0.21.2", "datasets==5.2.0"]
PACKAGES = {
    "trl": ["trl==1.16.0", *COMMON],
    # The last release with a PPOTrainer.
    "trl-ppo": ["trl==1.12.0", *COMMON],
    # With the server of its own image.
    "label-studio": ["label-studio==1.23.2", "uwsgi==2.0.31"],
    # llama.cpp, built.
    "llama-cpp": ["xllamacpp==2026.10.11549"],
}
WITHOUT_TORCH = {"label-studio", "llama-cpp"}


def peer_python(name: str) -> Path:
    """The interpreter of a peer's environment, which is made where it is not there yet."""
    folder = PEERS / name
    stamp = folder / ".stamp"
    # torch by itself first, as ours is installed: what comes after finds it, and brings no other build.
    steps = [[] if name in WITHOUT_TORCH else [TORCH], PACKAGES[name]]
    wanted = hashlib.sha256("\n".join(sum(steps, [])).encode()).hexdigest()
    if not stamp.exists() or stamp.read_text() != wanted:
        print(f"making the environment of {name}", file=sys.stderr, flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        for packages in filter(None, steps):
            pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
            subprocess.run([*pip, "--disable-pip-version-check", *packages], check=True)
        stamp.write_text(wanted)
    return folder / "bin" / "python"
