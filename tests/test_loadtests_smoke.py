"""The smoke run as a user starts it, against small real servers: the healthy one passes, each ill one fails."""

import email.parser
import email.policy
import io
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from PIL import Image, ImageOps

ROOT = Path(__file__).resolve().parents[1]


class Service(BaseHTTPRequestHandler):
    """A small service that answers as the real one promises. Its `ill` says how it does not."""

    protocol_version = "HTTP/1.1"
    ill = ""
    stall_until_s = 0.0  # set by the first picture

    def do_GET(self) -> None:
        bodies: dict[str, object] = {
            "/readyz": {"status": "ready"},
            "/v1/styles": {"styles": [{"id": "waves"}]},
            "/v1/model": {"version": "pentimento/1", "digest": "a" * 64},
        }
        self.answer(200, "application/json", json.dumps(bodies[self.path]).encode())

    def do_POST(self) -> None:
        blob = self.rfile.read(int(self.headers["Content-Length"]))
        if self.ill == "never answers":
            time.sleep(60)
        if self.ill == "stalls":
            kind = type(self)
            kind.stall_until_s = kind.stall_until_s or time.monotonic() + 2
            time.sleep(max(0.0, kind.stall_until_s - time.monotonic()))
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        parts = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + blob).iter_parts()
        form = {part.get_param("name", header="content-disposition"): part.get_payload(decode=True) for part in parts}
        status, wrong = self.refusal(form)
        if self.ill == "sheds everything" and status == 200:
            status, wrong = 429, "busy"
        if status != 200:
            self.answer(status, "application/problem+json", json.dumps({"detail": wrong}).encode())
            return
        with Image.open(io.BytesIO(form["image"])) as picture:
            painted = ImageOps.invert(picture.convert("RGB"))
        if self.ill == "wrong size":
            painted = painted.resize((painted.width + 1, painted.height))
        buffer = io.BytesIO()
        picture_format = form["format"].decode()
        painted.save(buffer, picture_format)
        blob = buffer.getvalue()
        self.answer(200, f"image/{picture_format}", blob[: len(blob) // 2] if self.ill == "broken picture" else blob)

    def refusal(self, form: dict[str, bytes]) -> tuple[int, str]:
        if form["style"] != b"waves":
            return 404, "no such style"
        if form["image"].startswith(b"http") or float(form.get("strength", b"1")) > 1:
            return 422, "out of range"
        try:
            with Image.open(io.BytesIO(form["image"])) as picture:
                picture.load()
        except OSError:
            return 400, "not a picture"
        return 200, ""

    def answer(self, status: int, content_type: str, blob: bytes) -> None:
        self.send_response(status)
        headers = {"X-Model-Version": "1", "X-Model-Digest": "a" * 64, "Server-Timing": "a;dur=1", "X-Request-Id": "1"}
        for name, value in {"Content-Type": content_type, "Content-Length": str(len(blob)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(blob)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def service(ill: str = "") -> Iterator[str]:
    handler = type("IllService", (Service,), {"ill": ill})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def smoke(host: str, *arguments: str) -> tuple[int, dict[str, object]]:
    """(exit code, verdict) of a short run."""
    command = [sys.executable, "-m", "loadtests", "smoke", "--host", host, "--rate", "20", "--duration-s", "1"]
    done = subprocess.run(
        [*command, "--drain-s", "3", "--json", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def test_a_healthy_service_passes():
    with service() as host:
        code, verdict = smoke(host)
    assert (code, verdict["outcome"]) == (0, "passed"), verdict
    assert verdict["unanswered"] == 0


@pytest.mark.parametrize(
    ("ill", "says"),
    [
        ("never answers", "no answer"),
        ("wrong size", "instead of"),
        ("broken picture", "broken picture"),
        ("sheds everything", "429"),
    ],
)
def test_an_ill_service_fails_and_the_verdict_says_how(ill, says):
    with service(ill) as host:
        code, verdict = smoke(host)
    assert (code, verdict["outcome"]) == (3, "failed"), verdict
    assert says in json.dumps(verdict["problems"])


def test_a_stall_fails_by_latency(tmp_path):
    (tmp_path / "slo.yaml").write_text("endpoints: {stylize: {p95_ms: 500}}")
    with service("stalls") as host:
        code, verdict = smoke(host, "--slo", str(tmp_path / "slo.yaml"), "--drain-s", "10")
    assert (code, verdict["outcome"]) == (3, "failed"), verdict
    assert "p95_ms" in str(verdict["reason"])


def test_somebody_who_accepts_and_says_nothing_at_all_fails():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        code, verdict = smoke(f"http://127.0.0.1:{listener.getsockname()[1]}", "--drain-s", "1")
    assert (code, verdict["outcome"], verdict["unanswered"]) == (3, "failed", 1)


def test_nobody_listening_could_not_run():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    code, verdict = smoke(f"http://127.0.0.1:{port}")
    assert (code, verdict["outcome"]) == (4, "could_not_run")
    assert "is the service running" in str(verdict["reason"])


def test_an_slo_file_that_is_missing_could_not_run(tmp_path):
    code, verdict = smoke("http://127.0.0.1:9", "--slo", str(tmp_path / "none.yaml"))
    assert code == 4
    assert "slo-smoke.yaml" in str(verdict["reason"])
