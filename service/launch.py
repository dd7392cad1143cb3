"""The server as a child process: started, waited for, stopped, and never left behind.

Each replica has a BENTOML_HOME of its own, since two under one wipe each other's metrics, and is told its host, since
BentoML binds every interface where it is not.
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO

import psutil

from registry.settings import Settings
from service.errors import NoModel, ServeError
from service.lifeline import DIE_WITH_PARENT
from service.settings import ServiceSettings
from service.tokens import read_tokens

SERVED, COULD_NOT_RUN = 0, 4
_ROOT = Path(__file__).resolve().parent.parent
_LOOPBACK = ("127.0.0.1", "::1")
_POLL_S = 0.2


@dataclass(frozen=True, kw_only=True, slots=True)
class Replica:
    """One running server.

    Args:
        base_url: where it answers.
        process: BentoML's supervisor, leader of its own process group.
        log_path: what it wrote; None where it writes to our stderr.
    """

    base_url: str
    process: subprocess.Popen[bytes]
    log_path: Path | None

    def log(self) -> str:
        """What it wrote so far."""
        return self.log_path.read_text(errors="replace") if self.log_path else ""


def serve(
    model_ref: str | None = None,
    host: str = "127.0.0.1",
    port: int = 3000,
    *,
    engine: str | None = None,
    ready_timeout_s: float = 180.0,
    on_ready: Callable[[str], None] | None = None,
    environment: Mapping[str, str] | None = None,
) -> int:
    """Serve until SIGINT or SIGTERM; the server's log goes to stderr. Call it from the main thread.

    Args:
        model_ref: which model; PENTIMENTO_MODEL or the champion where None.
        host: an IP address of this machine; "0.0.0.0" for every interface.
        port: 0 takes a free one.
        engine: auto, openvino or torch; PENTIMENTO_ENGINE where None.
        ready_timeout_s: how long the model may take.
        on_ready: called once with the base URL.
        environment: variables on top of our own.

    Returns:
        0 after a clean stop.

    Raises:
        ServeError: it did not become ready, or died. The message names the cure.
    """
    wanted = _variables(model_ref, engine, environment)
    asked_to_stop: list[int] = []

    def remember(number: int, _: FrameType | None) -> None:
        asked_to_stop.append(number)

    previous = {number: signal.signal(number, remember) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with _replica(host, port, wanted, log_path=None) as replica:
            _wait_until_ready(replica, ready_timeout_s, give_up=lambda: bool(asked_to_stop))
            if not asked_to_stop and on_ready is not None:
                on_ready(replica.base_url)
            while not asked_to_stop:
                if replica.process.poll() is not None:
                    raise ServeError(
                        f"the server ended by itself (exit code {replica.process.returncode}); see its log"
                    )
                time.sleep(_POLL_S)
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    return SERVED


@contextlib.contextmanager
def running_service(
    model_ref: str | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    engine: str | None = None,
    ready_timeout_s: float = 180.0,
    environment: Mapping[str, str] | None = None,
    log_path: Path | None = None,
) -> Iterator[str]:
    """A server that is ready, for the time of the body; yields its base URL, and always stops it.

    Enter it from a thread that lives at least as long: the server ends with the thread that started it.

    Raises:
        ServeError: it did not become ready; the end of its log is in the message.
    """
    with running_replica(
        model_ref, host=host, port=port, engine=engine, environment=environment, log_path=log_path
    ) as replica:
        _wait_until_ready(replica, ready_timeout_s, give_up=lambda: False)
        yield replica.base_url


@contextlib.contextmanager
def running_replica(
    model_ref: str | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    engine: str | None = None,
    environment: Mapping[str, str] | None = None,
    log_path: Path | None = None,
) -> Iterator[Replica]:
    """As `running_service`, but handed over as soon as the process runs, ready or not."""
    wanted = _variables(model_ref, engine, environment)
    with contextlib.ExitStack() as stack:
        if log_path is None:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="pentimento-log-"))
            log_path = Path(folder) / "service.log"
        yield stack.enter_context(_replica(host, port, wanted, log_path=log_path))


def wait_until(replica: Replica, path: str, *, timeout_s: float) -> None:
    """Wait until a GET of `path` is answered at all, whatever with.

    Raises:
        ServeError: it is not, in time.
    """
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if replica.process.poll() is not None:
            raise ServeError(f"the server died (exit code {replica.process.returncode}){_tail(replica)}")
        if _get(replica.base_url + path)[0]:
            return
        time.sleep(_POLL_S)
    raise ServeError(f"the server did not answer within {timeout_s:g} s{_tail(replica)}")


def _variables(model_ref: str | None, engine: str | None, environment: Mapping[str, str] | None) -> dict[str, str]:
    """The child's environment, checked here so that a wrong value is one clear error instead of a server that dies."""
    values = {**os.environ, **(environment or {})}
    if model_ref is not None:
        values["PENTIMENTO_MODEL"] = str(Path(model_ref).resolve()) if Path(model_ref).is_dir() else model_ref
    if engine is not None:
        values["PENTIMENTO_ENGINE"] = engine
    values["PENTIMENTO_HOME"] = str(Settings.from_env(values).home)  # the child's own folder is another one
    tokens = ServiceSettings.from_env(values).tokens
    if tokens is not None:
        read_tokens(tokens)
        values["PENTIMENTO_TOKENS"] = str(tokens.resolve())
    return values | {"BENTOML_DO_NOT_TRACK": "True", DIE_WITH_PARENT: "1"}


@contextlib.contextmanager
def _replica(host: str, port: int, values: dict[str, str], *, log_path: Path | None) -> Iterator[Replica]:
    port = _checked_port(host, port)
    if host in _LOOPBACK:
        values.setdefault("PENTIMENTO_STYLES_WRITABLE", "1")  # on one's own machine the library is one's own
    homes = Path(values["PENTIMENTO_HOME"]) / "replicas"
    homes.mkdir(parents=True, exist_ok=True)
    _sweep(homes)
    bentoml_home = Path(tempfile.mkdtemp(dir=homes, prefix=f"{os.getpid()}-"))
    served = [sys.executable, "-m", "bentoml", "serve", "service.app:PentimentoService"]
    command = [
        *(sys.executable, "-m", "service.lifeline", str(os.getpid()), "--"),
        *(*served, "--host", host, "--port", str(port), "--working-dir", str(_ROOT)),
    ]
    try:
        with contextlib.ExitStack() as stack:
            out: IO[bytes] | IO[str] = stack.enter_context(open(log_path, "wb")) if log_path else sys.stderr
            process = subprocess.Popen(
                command,
                cwd=_ROOT,
                env={**values, "BENTOML_HOME": str(bentoml_home)},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches us alone, and we stop the whole group in order
            )
            shown_host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
            shown_host = f"[{shown_host}]" if ":" in shown_host else shown_host
            try:
                yield Replica(base_url=f"http://{shown_host}:{port}", process=process, log_path=log_path)
            finally:
                _stop(process)
    finally:
        shutil.rmtree(bentoml_home, ignore_errors=True)


def _stop(process: subprocess.Popen[bytes], *, grace_s: float = 30.0) -> None:
    """SIGTERM to the supervisor, which stops its workers in order; then whatever is left of them is killed."""
    family: list[psutil.Process] = []
    with contextlib.suppress(psutil.NoSuchProcess):  # its workers have process groups of their own
        family = psutil.Process(process.pid).children(recursive=True)
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(grace_s)
    process.kill()
    process.wait()
    _, left = psutil.wait_procs(family, timeout=2)
    for member in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.kill()


def _sweep(homes: Path) -> None:
    """Remove the folders of replicas whose launcher was killed before it could."""
    for folder in homes.iterdir():
        pid = folder.name.partition("-")[0]
        if pid.isdigit() and not psutil.pid_exists(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)


def _checked_port(host: str, port: int) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            return int(probe.getsockname()[1])
    except (OSError, OverflowError) as error:
        raise ServeError(
            f"cannot listen on {host} port {port} ({error}); choose another port (0 takes a free one) or an IP address "
            "of this machine"
        ) from error


def _wait_until_ready(replica: Replica, timeout_s: float, *, give_up: Callable[[], bool]) -> None:
    deadline = time.monotonic() + timeout_s
    last = "it never answered"
    while time.monotonic() < deadline and not give_up():
        if replica.process.poll() is not None:
            raise ServeError(f"the server died (exit code {replica.process.returncode}){_tail(replica)}")
        status, body = _get(f"{replica.base_url}/readyz")
        if status == 200:
            return
        last = str(body.get("detail", last))
        if str(body.get("type")).endswith(NoModel.code):
            raise ServeError(f"the server has {last}")
        time.sleep(_POLL_S)
    if not give_up():
        raise ServeError(f"the server was not ready within {timeout_s:g} s: {last}{_tail(replica)}")


def _get(url: str) -> tuple[int, dict[str, object]]:
    """(status, JSON object), (0, {}) where nobody answers. Never through a proxy: it is our own child."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=5) as answer:
            status, blob = answer.status, answer.read()
    except urllib.error.HTTPError as error:
        status, blob = error.code, error.read()
    except OSError:
        return 0, {}
    try:
        body = json.loads(blob)
    except ValueError:
        body = {}
    return status, body if isinstance(body, dict) else {}


def _tail(replica: Replica) -> str:
    lines = replica.log().splitlines()[-12:]
    return "; its last words:\n" + "\n".join(lines) if lines else "; its log is above"
