"""A checkpoint behind OpenAI's protocol: ``python -m trainer.rlhf.serve CHECKPOINT``."""

import argparse
import logging
import os
import signal
import sys
import threading
import time
from types import FrameType

import torch

from trainer.handoff.configs import LabConfig
from trainer.rlhf.errors import LabError
from trainer.rlhf.loading import load_model, load_tokenizer, pick_dtype
from trainer.rlhf.serving.engine import Engine
from trainer.rlhf.serving.web import ModelServer

KEY = "RANKWRIGHT_SERVE_KEY"
MOST_CONTEXT = 8192
FINISH_WITHIN = 60.0
"""Seconds for answers that are under way when it is told to stop."""


def main() -> None:
    options = _parser().parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    if options.threads:
        torch.set_num_threads(options.threads)
    try:
        server = build(options)
    except LabError as error:
        sys.exit(str(error))
    server.engine.start()

    def stop(signum: int, frame: FrameType | None) -> None:
        # From another thread: shutdown waits for the loop that this one is in.
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    print(f"serving {server.name} at http://{options.host}:{server.server_port}/v1", flush=True)
    server.serve_forever(poll_interval=0.2)
    server.server_close()  # whoever comes now is refused, and asks elsewhere
    server.engine.finish(FINISH_WITHIN)
    # The threads that write to callers have a moment more than the engine.
    time.sleep(0.3)
    server.engine.close()


def build(options: argparse.Namespace) -> ModelServer:
    """:raises LabError: the checkpoint cannot be loaded, or the address is taken."""
    tokenizer = load_tokenizer(options.checkpoint)
    model = load_model(options.checkpoint, pick_dtype(LabConfig(dtype=options.dtype))).eval()
    made_for = getattr(model.config, "max_position_embeddings", None) or MOST_CONTEXT
    engine = Engine(
        model, tokenizer, rows=options.rows, most_waiting=options.waiting, remember=options.remember
    )
    context = min(options.context or MOST_CONTEXT, made_for)
    name = options.name or os.path.basename(os.path.normpath(options.checkpoint))
    try:
        return ModelServer(
            (options.host, options.port), engine, name=name, context=context, key=os.environ.get(KEY, "")
        )
    except OSError as error:
        raise LabError(f"Nothing can be served at {options.host}:{options.port}: {error}.") from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m trainer.rlhf.serve", description=__doc__)
    parser.add_argument("checkpoint", help="a folder with a Hugging Face model, or an id")
    parser.add_argument("--host", default="127.0.0.1", help="%(default)s: this machine alone")
    parser.add_argument("--port", type=int, default=8100, help="0 takes any that is free (%(default)s)")
    parser.add_argument("--name", default="", help="what the model is called; else its folder's name")
    parser.add_argument("--rows", type=int, default=8, help="answers at a time (%(default)s)")
    parser.add_argument("--waiting", type=int, default=64, help="that may wait for their turn (%(default)s)")
    parser.add_argument(
        "--remember", type=int, default=4096, help="tokens of earlier conversations (%(default)s)"
    )
    parser.add_argument("--context", type=int, default=0, help="tokens of prompt and answer together")
    parser.add_argument("--dtype", default="auto", choices=["auto", "bfloat16", "float32"])
    parser.add_argument("--threads", type=int, default=0, help="of the processor; 0 leaves it to torch")
    parser.epilog = f"Callers must show the key in {KEY}, where that is set."
    return parser


if __name__ == "__main__":
    main()
