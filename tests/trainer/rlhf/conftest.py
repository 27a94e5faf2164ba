"""The kitchen again, now in the lab: a tiny language model, and run directories made by hand."""

import json
import signal
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch

from tests.tiny_model import make_tiny_model, tiny_llama, tiny_tokenizer
from tests.trainer.rlhf.kitchen import TEXTS, Lab, chatml_tokenizer
from trainer.handoff.rundir import RunDirectory
from trainer.rlhf.modeling import Backbone
from trainer.rlhf.reporting import Reporter

# On two cores more threads only wait for each other: this makes the folder several times faster.
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tokenizer():
    return tiny_tokenizer(TEXTS)


@pytest.fixture(scope="session")
def chatml():
    return chatml_tokenizer()


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory):
    """Three layers, so that one can be trunk and two can be top."""
    return make_tiny_model(tmp_path_factory.mktemp("models") / "tiny", TEXTS, hidden=32, layers=3)


@pytest.fixture(scope="session")
def chatml_folder(tmp_path_factory, chatml):
    folder = tmp_path_factory.mktemp("models") / "chatml"
    tiny_llama(chatml, hidden=32, layers=3).save_pretrained(folder)
    chatml.save_pretrained(folder)
    return folder


@pytest.fixture
def make_backbone(model_folder):
    """The tiny model with room for roles, in float32."""
    from transformers import AutoModelForCausalLM

    def make(*, lora_rank=4, lora_layers=2, folder=model_folder):
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
        return Backbone(model, lora_rank=lora_rank, lora_layers=lora_layers)

    return make


@pytest.fixture
def report(tmp_path):
    return Reporter(RunDirectory(tmp_path))


@pytest.fixture
def lab(tmp_path, model_folder):
    """Makes run directories and carries them out in this process."""
    handler = signal.getsignal(signal.SIGTERM)
    yield Lab(tmp_path, model_folder)
    signal.signal(signal.SIGTERM, handler)


@pytest.fixture(scope="session")
def chain(tmp_path_factory, model_folder):
    """The run directories of a whole loop, by kind: each stage starts from what the one before it made."""
    handler = signal.getsignal(signal.SIGTERM)
    runs = Lab(tmp_path_factory.mktemp("chain"), model_folder).run_chain()
    signal.signal(signal.SIGTERM, handler)
    return runs


@pytest.fixture
def serve(monkeypatch):
    """Puts a server behind the name ``kitchen``."""
    begun = []

    def serve(server):
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        begun.append((server, thread))
        address = f"http://127.0.0.1:{server.server_port}/v1"
        monkeypatch.setenv("RANKWRIGHT_ENDPOINTS", f"other=http://127.0.0.1:9/v1 kitchen={address}")

    yield serve
    for server, thread in begun:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def scripted(serve):
    """A server that answers with what the given function makes of each request, and remembers them."""

    def begin(answer):
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with lock:
                    asked.append((self.headers.get("Authorization"), body))
                    status, said = answer(body, len(asked))
                data = json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args):
                pass

        asked, lock = [], threading.Lock()
        serve(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        return asked

    return begin
