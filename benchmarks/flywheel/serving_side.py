"""transformers alone: ``python -m benchmarks.flywheel.serving_side REPEATS`` prints tokens a second."""

import json
import sys
import time
from statistics import median

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from benchmarks.flywheel.serving import MODEL, TOKENS, questions


def main() -> None:
    tokenizer = AutoTokenizer.from_pretrained(MODEL)
    prompts = [
        tokenizer.apply_chat_template(
            [{"role": "user", "content": text}], add_generation_prompt=True, return_tensors="pt"
        )["input_ids"]
        for text in questions()
    ]
    rates = {}
    for dtype in (torch.float32, torch.bfloat16):
        model = AutoModelForCausalLM.from_pretrained(MODEL, dtype=dtype).eval()
        answer(model, prompts[:1])  # warm
        rates[str(dtype).removeprefix("torch.")] = median(
            answer(model, prompts) for _ in range(int(sys.argv[1]))
        )
    print(json.dumps(rates))


def answer(model, prompts) -> float:
    tokens, begun = 0, time.monotonic()
    for ids in prompts:
        said = model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=TOKENS,
            do_sample=False,
            pad_token_id=model.config.eos_token_id,
        )
        tokens += said.shape[1] - ids.shape[1]
    return tokens / (time.monotonic() - begun)


if __name__ == "__main__":
    main()
