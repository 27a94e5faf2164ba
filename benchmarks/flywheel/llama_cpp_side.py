"""llama.cpp alone, in its own environment: ``python -m benchmarks.flywheel.llama_cpp_side FILE.gguf`` reads
what it is asked from stdin and prints the tokens of the texts and the answers to the prompts.
"""

import json
import sys
import urllib.request
from typing import Any

import xllamacpp


def main() -> None:
    asked = json.load(sys.stdin)
    parameters = xllamacpp.CommonParams()
    parameters.model.path, parameters.n_ctx, parameters.n_parallel = sys.argv[1], 2048, 1
    server = xllamacpp.Server(parameters)
    told = {
        "tokens": [ask(server, "/tokenize", content=text)["tokens"] for text in asked["texts"]],
        "answers": [answer(server, messages, asked["tokens"]) for messages in asked["prompts"]],
    }
    print(json.dumps(told), flush=True)


def answer(server: Any, messages: list[Any], tokens: int) -> str:
    told = ask(server, "/v1/chat/completions", messages=messages, max_tokens=tokens, temperature=0)
    text: str = told["choices"][0]["message"]["content"]
    return text


def ask(server: Any, path: str, **body: Any) -> Any:
    request = urllib.request.Request(
        server.listening_address + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as answered:
        return json.load(answered)


if __name__ == "__main__":
    main()
