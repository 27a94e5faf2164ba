"""From a fresh clone to a running product, with nothing but Python: ``python3 config/bootstrap.py run``.

Runs before anything is installed, under whatever Python is there: the standard library only, and no syntax
that an old Python would choke on before it can say that it is too old. A step is skipped while its inputs are
the same as when it last succeeded.
"""

import argparse
import fcntl
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable, List

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
UNFINISHED = VENV / ".unfinished"
FRONTEND = ROOT / "frontend"
REQUIREMENTS = ROOT / "requirements"
VAR = Path(os.environ.get("RANKWRIGHT_VAR") or str(ROOT / "var")).absolute()
BASE_MODEL = VAR / "models" / "smollm2-135m-instruct"

OLDEST_PYTHON = (3, 11)
TORCH = "torch==2.13.0"
NEEDED_GB = 5.0
NEEDED_GB_LATER = 0.2
GRACE_SECONDS = 10
CHROMIUM = ["chromium", "fonts-noto-cjk"]
PIP = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]

# How pip, npm and apt say that nobody answers.
OFFLINE = (
    "name resolution",
    "getaddrinfo",
    "enotfound",
    "eai_again",
    "etimedout",
    "econnrefused",
    "connection refused",
    "unreachable",
    "max retries",
    "from versions: none",
    "failed to fetch",
    # npm 11 breaks down like this when every retry failed.
    "exit handler never called",
)


class Trouble(Exception):
    """It cannot go on. One sentence for whoever typed the command."""


class Unreachable(Trouble):
    """A package registry does not answer."""


def main() -> int:
    options = arguments()
    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)
    try:
        prepare(options)
    except Trouble as trouble:
        print("\nRankwright: {}".format(trouble), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nRankwright: stopped. The next start goes on from here.", file=sys.stderr)
        return 130
    if options.command != "setup":
        is_run = options.command == "run"
        what = ["serve", str(options.port)] if is_run else ["loop", "--seed", str(options.seed)]
        os.chdir(str(ROOT))
        os.execv(str(PYTHON), [str(PYTHON), "-m", "config.supervise"] + what)
    return 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Set Rankwright up, and start it.")
    commands = parser.add_subparsers(dest="command", metavar="run | setup | loop")
    run = commands.add_parser("run", help="serve the product with the sample campaign")
    run.add_argument("--port", default="8000")
    setup = commands.add_parser("setup", help="everything for development")
    setup.add_argument("--browser", action="store_true", help="Chromium too, for the browser tests")
    loop = commands.add_parser("loop", help="the whole loop once, with simulated labelers")
    loop.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if not options.command:
        parser.error("say what to do: run, setup or loop")
    return options


def prepare(options: argparse.Namespace) -> None:
    """Everything that has to be there before services start.

    :raises Trouble: something is missing that we cannot get.
    """
    check_python()
    if options.command == "run":
        check_port(options.port)
    check_folders()
    if options.command != "setup":
        check_nobody_else()
    # Held until this process ends or becomes another program.
    lock = one_setup_at_a_time()
    check_disk()
    install("dev" if options.command == "setup" else "lab")
    build_frontend()
    compile_words()
    if options.command == "setup":
        if options.browser:
            get_chromium()
    else:
        make_base_model()
        step("database", ["manage.py", "migrate", "--verbosity", "0"])
        step("sample campaign", ["manage.py", "load_sample", "--verbosity", "0"])
    os.close(lock)


# --- Before anything is changed ---------------------------------------------------------------------------


def check_python() -> None:
    if sys.version_info < OLDEST_PYTHON:
        words = "this is Python {}.{}, Rankwright needs {}.{} or newer; try `make run PYTHON=python3.11`."
        raise Trouble(words.format(*(tuple(sys.version_info[:2]) + OLDEST_PYTHON)))
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        raise Trouble("Python's venv module is missing; on Debian: apt-get install python3-venv.") from None


def check_port(asked: str) -> None:
    if not asked.isdigit() or not 0 < int(asked) < 65536:
        raise Trouble("port {} does not exist; choose one from 1 to 65535.".format(asked))
    port = int(asked)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError:
            raise Trouble("port {} needs root; try `make run PORT=8000`.".format(port)) from None
        except OSError:
            words = "port {} is taken by another program; try `make run PORT={}`."
            raise Trouble(words.format(port, port + 1 if port < 65535 else 8000)) from None


def check_folders() -> None:
    for folder in (ROOT, VAR):
        existing = next(place for place in [folder] + list(folder.parents) if place.exists())
        if not os.access(str(existing), os.W_OK | os.X_OK) or not existing.is_dir():
            raise Trouble("nothing can be written into {}; use a folder of your own.".format(existing))


def check_nobody_else() -> None:
    """The same lock that the services hold while they run."""
    VAR.mkdir(parents=True, exist_ok=True)
    with (VAR / "lock").open("a") as lock:
        try:
            fcntl.flock(lock.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Trouble("another Rankwright is already running with the data in {}.".format(VAR)) from None


def one_setup_at_a_time() -> int:
    """Wait for other setups of this checkout: two at once would break each other's environment."""
    folder = os.open(str(ROOT), os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        print("Another setup of this folder is under way; waiting for it.", flush=True)
        fcntl.flock(folder, fcntl.LOCK_EX)
    return folder


def check_disk() -> None:
    free = shutil.disk_usage(str(ROOT)).free / 1e9
    needed = NEEDED_GB_LATER if PYTHON.exists() else NEEDED_GB
    if free < needed:
        words = "only {:.1f} GB are free on the disk of {}; {:.1f} GB are needed."
        raise Trouble(words.format(free, ROOT, needed))


# --- Steps ------------------------------------------------------------------------------------------------


def install(which: str) -> None:
    """The virtual environment with torch and what ``requirements/`` pins. ``dev`` contains ``lab``."""
    wanted = {name: [TORCH, (REQUIREMENTS / (name + ".txt")).read_text()] for name in ("lab", "dev")}
    is_whole = PYTHON.exists() and not UNFINISHED.exists()
    if is_whole and (is_fresh("python", wanted[which]) or is_fresh("python", wanted["dev"])):
        return
    try:
        if not is_whole:
            # Interrupted half-way, or not there; pip's cache has what was already downloaded.
            shutil.rmtree(str(VENV), ignore_errors=True)
            VENV.mkdir()
        UNFINISHED.touch()
        if not is_whole:
            step("virtual environment", ["-m", "venv", str(VENV)], python=sys.executable)
        step("Python packages", PIP + pinned(which))
        # Not among the pins, so that everybody gets the build for their own machine.
        step("torch", PIP + [TORCH])
    except BaseException as trouble:
        if not is_whole:
            shutil.rmtree(str(VENV), ignore_errors=True)
        elif isinstance(trouble, Unreachable):
            # pip downloads everything before it changes anything: the old environment still works.
            UNFINISHED.unlink()
        raise
    UNFINISHED.unlink()
    set_stamp("python", wanted[which])


def pinned(name: str) -> List[str]:
    return ["--no-deps", "--require-hashes", "-r", str(REQUIREMENTS / (name + ".txt"))]


def build_frontend() -> None:
    names = ["package.json", "package-lock.json", "vite.config.ts", "tsconfig.json", "index.html"]
    files = [FRONTEND / name for name in names]
    for part in ("src", "public"):
        files += sorted(path for path in (FRONTEND / part).rglob("*") if path.is_file())
    inputs = [str(path.relative_to(FRONTEND)) + "\0" + digest(path.read_bytes()) for path in files]
    lock = [(FRONTEND / "package-lock.json").read_text()]

    def build() -> None:
        npm = find_npm()
        remake("npm", lock, [FRONTEND / "node_modules"], lambda: install_packages(npm))
        step("front end", [npm, "run", "--silent", "build"], python=None, folder=FRONTEND)

    remake("frontend", inputs, [FRONTEND / "dist" / "index.html", FRONTEND / "node_modules"], build)


def install_packages(npm: str) -> None:
    try:
        step("front-end packages", [npm, "ci", "--no-progress", "--fetch-retries=1"], None, FRONTEND)
    except BaseException:
        shutil.rmtree(str(FRONTEND / "node_modules"), ignore_errors=True)
        raise


def find_npm() -> str:
    """npm of a Node that can build the screens: the machine's, else one from the Python registry."""
    path = path_with_environment()
    node, npm = shutil.which("node", path=path), shutil.which("npm", path=path)
    if not (node and npm and can_build(node)):
        step("Node", PIP + pinned("node"))
        npm = str(VENV / "bin" / "npm")
    return str(npm)


def can_build(node: str) -> bool:
    """What our front-end packages ask for: ^20.19, ^22.13 or >=24."""
    said = subprocess.run([node, "--version"], stdout=subprocess.PIPE, universal_newlines=True).stdout
    numbers = said.strip().lstrip("v").split(".")[:2]
    if len(numbers) < 2 or not all(number.isdigit() for number in numbers):
        return False
    major, minor = int(numbers[0]), int(numbers[1])
    return (major == 20 and minor >= 19) or (major == 22 and minor >= 13) or major >= 24


def compile_words() -> None:
    sources = sorted((ROOT / "config" / "locale").rglob("*.po"))
    command = ["-m", "babel.messages.frontend", "-q", "compile", "-D", "django", "-d", "config/locale"]
    remake(
        "words",
        [path.read_text(encoding="utf-8") for path in sources],
        [path.with_suffix(".mo") for path in sources],
        lambda: step("translations", command) if sources else None,
    )


def make_base_model() -> None:
    if not BASE_MODEL.exists():
        step("base model", ["-m", "trainer.rlhf.base_model", str(BASE_MODEL)])


def get_chromium() -> None:
    if any(shutil.which(name) for name in ("chromium", "chromium-browser")) or os.environ.get("CHROMIUM"):
        return
    if os.geteuid() or not shutil.which("apt-get"):
        words = "No Chromium here, so browser tests are skipped. On Debian: sudo apt-get install {}"
        print(words.format(" ".join(CHROMIUM)))
        return
    step("Chromium's package list", ["apt-get", "update", "-qq"], python=None)
    install = ["apt-get", "install", "-y", "-qq"]
    step("Chromium", install + CHROMIUM, python=None)


# --- One step ---------------------------------------------------------------------------------------------


def step(name: str, command: List[str], python: Any = PYTHON, folder: Path = ROOT) -> None:
    """Run a command quietly and tell how long it took; what it said is shown if it failed.

    :raises Trouble: it failed.
    """
    started = time.monotonic()
    environment = dict(os.environ, PATH=path_with_environment())
    environment.update(DEBIAN_FRONTEND="noninteractive", DJANGO_SETTINGS_MODULE="config.settings")
    process = subprocess.Popen(
        command if python is None else [str(python)] + command,
        cwd=str(folder),
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        said = listen(process, name, started)
    except BaseException:
        end(process)
        raise
    print("{:<24}{:6.1f} s".format(name, time.monotonic() - started), flush=True)
    if process.returncode:
        print(said[-4000:], file=sys.stderr)
        raise trouble_of(name, said)


def listen(process: "subprocess.Popen[bytes]", name: str, started: float) -> str:
    """What the process says until it ends; on a terminal the seconds tick meanwhile."""
    while True:
        if sys.stdout.isatty():
            print("{:<24}{:6.0f} s".format(name, time.monotonic() - started), end="\r", flush=True)
        try:
            return process.communicate(timeout=1)[0].decode(errors="replace")
        except subprocess.TimeoutExpired:
            pass


def end(process: "subprocess.Popen[bytes]") -> None:
    """Ask as Ctrl-C does, so that it tidies up after itself; then insist."""
    for number in (signal.SIGINT, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(GRACE_SECONDS)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            pass


def leave(number: int, frame: Any) -> None:
    # Once is enough: a second signal must not cut the tidying short.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt


def path_with_environment() -> str:
    return str(VENV / "bin") + os.pathsep + os.environ.get("PATH", os.defpath)


def trouble_of(name: str, said: str) -> Trouble:
    low = said.lower()
    if "no space left" in low or "enospc" in low:
        return Trouble('the step "{}" failed: the disk is full.'.format(name))
    if any(words in low for words in OFFLINE):
        words = (
            'the step "{}" failed: the package registry cannot be reached. Check the network, start again.'
        )
        return Unreachable(words.format(name))
    return Trouble('the step "{}" failed; its own words are above.'.format(name))


# --- What is already made ---------------------------------------------------------------------------------


def remake(name: str, inputs: List[str], products: List[Path], make: Callable[[], None]) -> None:
    """Make the products, unless they are there and were made from the same inputs."""
    if is_fresh(name, inputs) and all(product.exists() for product in products):
        return
    # An interrupted making leaves no stamp, so the next start makes it again.
    if stamp(name).exists():
        stamp(name).unlink()
    make()
    set_stamp(name, inputs)


def is_fresh(name: str, inputs: List[str]) -> bool:
    return stamp(name).exists() and stamp(name).read_text() == digest("\0".join(inputs).encode())


def set_stamp(name: str, inputs: List[str]) -> None:
    stamp(name).write_text(digest("\0".join(inputs).encode()))


def stamp(name: str) -> Path:
    return VENV / ("." + name + ".stamp")


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
