"""Whether llama.cpp says what the checkpoint says: with the GGUF file that ``export_checkpoint --gguf``
writes it splits the sample campaign's texts into tokens, and answers some of its prompts greedily. Each word
of its answers is looked up in transformers: is it the likeliest there too, and how far behind is it if not?

llama.cpp comes with the package xllamacpp, in an environment of its own.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from benchmarks.figures import ROOT, Figure
from benchmarks.flywheel.serving import MODEL
from benchmarks.peers import peer_python
from trainer.rlhf.batches import prompt_ids

SAMPLE = ROOT / "annotation" / "sample"
SIDE = "benchmarks.flywheel.llama_cpp_side"
ANSWERED, TOKENS = 16, 24


def figures(repeats: int) -> Iterator[Figure]:
    """Nothing here is left to chance, so it is done once."""
    prompts = [row["messages"] for row in _rows("prompts.jsonl")]
    said = [text for row in _rows("candidates.jsonl") for text in row.get("completions", [])]
    texts = [prompt[-1]["content"] for prompt in prompts] + said
    answered = prompts[:ANSWERED]
    theirs = _by_llama_cpp(texts, answered)
    tokenizer = AutoTokenizer.from_pretrained(MODEL)
    tokens = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts]
    model = AutoModelForCausalLM.from_pretrained(MODEL, dtype=torch.float32).eval()
    behind = [
        gap
        for messages, answer in zip(answered, theirs["answers"], strict=True)
        for gap in _behind(model, prompt_ids(tokenizer, messages), tokenizer(answer)["input_ids"])
    ]
    yield Figure("gguf_texts", len(texts), "texts")
    yield Figure("gguf_same_tokens_share", fmean(map(list.__eq__, tokens, theirs["tokens"])), "of texts")
    yield Figure("gguf_words", len(behind), "tokens")
    yield Figure("gguf_likeliest_words_share", fmean(gap == 0 for gap in behind), "of tokens")
    yield Figure("gguf_most_behind_nats", max(behind), "nats")


def _by_llama_cpp(texts: list[str], prompts: list[Any]) -> dict[str, Any]:
    asked = {"texts": texts, "prompts": prompts, "tokens": TOKENS}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.gguf"
        export = [sys.executable, "-m", "trainer.rlhf.gguf_file", str(MODEL), str(file)]
        subprocess.run(export, cwd=ROOT, check=True, stdout=sys.stderr)
        command = [str(peer_python("llama-cpp")), "-m", SIDE, str(file)]
        done = subprocess.run(
            command, cwd=ROOT, input=json.dumps(asked), stdout=subprocess.PIPE, text=True, check=True
        )
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


@torch.no_grad()
def _behind(model: Any, prompt: list[int], said: list[int]) -> list[float]:
    """How many nats each said token is less likely than the likeliest; 0 where it is that."""
    logits = model(torch.tensor([prompt + said])).logits[0, len(prompt) - 1 : -1]
    gaps: list[float] = (logits.amax(-1) - logits[range(len(said)), said]).tolist()
    return gaps


def _rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (SAMPLE / name).read_text(encoding="utf-8").splitlines()]
