"""A real PostgreSQL on loopback for the tests: one server a session, as many empty databases as they like.

from postgres_server import postgres  # noqa: F401, in a test module

def test_something(postgres):
    url = postgres.database()  # "postgresql+psycopg://...", empty
"""

import atexit
import ctypes
import functools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from pathlib import Path

import pytest

BINARIES = Path(os.environ.get("PENTIMENTO_POSTGRES_BIN", "/usr/lib/postgresql/15/bin"))
_FAST = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "shared_buffers=32MB", "max_connections=60")
_PR_SET_PDEATHSIG = 1


class PostgresServer:
    """One running server. Nobody but this machine reaches it, and it dies with the tests."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port

    def url(self, database: str) -> str:
        """As SQLAlchemy writes it."""
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{database}"

    def database(self, template: str = "template1") -> str:
        """The URL of a database of its own: empty, or a copy of `template`, which nobody may be using."""
        name = f"test_{uuid.uuid4().hex[:12]}"
        self.command(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url(name)

    def disconnect(self, database: str) -> None:
        """End every connection to a database, so that it can be a template."""
        self.command(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'")

    def command(self, sql: str) -> None:
        """Run one statement in the server's own database."""
        import psycopg

        with psycopg.connect(f"postgresql://postgres@127.0.0.1:{self.port}/postgres", autocommit=True) as connection:
            connection.execute(sql)  # type: ignore[call-overload]


def why_not() -> str | None:
    """Why there is no PostgreSQL to test with; None where there is."""
    if not (BINARIES / "initdb").is_file():
        return f"needs PostgreSQL's programs in {BINARIES} (or PENTIMENTO_POSTGRES_BIN)"
    if os.geteuid() == 0 and _unprivileged() is None:
        return "PostgreSQL refuses to run as root, and this machine has no user 'postgres' or 'nobody'"
    return None


@functools.cache
def start_postgres() -> PostgresServer:
    """Start the session's server; it is stopped and its folder removed when the process ends."""
    folder = Path(tempfile.mkdtemp(prefix="pentimento-postgres-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    user = _unprivileged() if os.geteuid() == 0 else None
    if user is not None:
        shutil.chown(folder, user)
    as_user = {"user": user, "extra_groups": [] if user else None, "cwd": folder}
    data = folder / "data"
    initialise = [BINARIES / "initdb", "-D", data, "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8"]
    subprocess.run(initialise, check=True, capture_output=True, **as_user)
    port = free_port()
    options = [word for option in _FAST for word in ("-c", option)]
    with open(folder / "log", "wb") as log:
        server = subprocess.Popen(
            [BINARIES / "postgres", "-D", data, "-h", "127.0.0.1", "-p", str(port), "-k", folder, *options],
            stdout=log,
            stderr=log,
            preexec_fn=die_with_the_parent,  # a killed test run leaves no server behind
            **as_user,
        )
    atexit.register(_stop, server)
    started = PostgresServer(folder, port)
    _wait_for(started, server)
    return started


@pytest.fixture(scope="session")
def postgres() -> PostgresServer:
    """The session's server, or a skip with the reason."""
    reason = why_not()
    if reason:
        pytest.skip(reason)
    return start_postgres()


def _wait_for(started: PostgresServer, process: subprocess.Popen) -> None:
    import psycopg

    deadline = time.monotonic() + 60
    while True:
        try:
            started.command("SELECT 1")
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start: {(started.folder / 'log').read_text()[-800:]}") from None
            time.sleep(0.1)
        else:
            return


def _stop(process: subprocess.Popen) -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()


def _unprivileged() -> str | None:
    import pwd

    names = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in ("postgres", "nobody") if name in names), None)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def die_with_the_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGINT)
