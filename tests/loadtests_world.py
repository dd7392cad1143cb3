"""What the load tests' tests share: a small service that answers as the real one promises, or is ill in one way."""

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
from typing import Any
from urllib.parse import urlsplit

import yaml
from PIL import Image, ImageOps

ROOT = Path(__file__).resolve().parents[1]
IDLE_PAINTINGS = 9  # what a load test asks of /v1/stylize before it begins, bad input included
STALL_S = 5.0
Form = dict[str, bytes]


class Service(BaseHTTPRequestHandler):
    """The API in small. `ill` says how it does not keep it, `well_for` how many paintings it is asked for before."""

    protocol_version = "HTTP/1.1"
    ill = ""
    well_for = 0
    token = ""
    writable = True
    lock = threading.Lock()
    asked: int  # these four belong to one server: `service` makes them anew
    stall_until_s: float
    styles: dict[str, str]
    paths: list[str]

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        self.paths.append(path)
        bodies: dict[str, object] = {
            "/readyz": {"status": "ready"},
            "/v1/styles": {"styles": [{"id": key, "name": name} for key, name in self.styles.items()]},
            "/v1/model": {"version": "pentimento/1", "digest": "a" * 64},
        }
        if self.ill == "hangs up on reading" and path == "/v1/model" and self.paths.count(path) > 2:
            self.close_connection = True
        elif self.token and path != "/readyz" and self.headers["Authorization"] != f"Bearer {self.token}":
            self.problem(401, "who are you?")
        elif path.endswith("/thumbnail"):
            self.answer(200, "image/webp", encoded(Image.new("RGB", (8, 8), "red"), "webp"))
        else:
            self.answer(200, "application/json", json.dumps(bodies[path]).encode())

    def do_POST(self) -> None:
        form = self.form()
        if self.path == "/v1/stylize":
            self.stylize(form)
        elif self.path == "/v1/photos":
            self.answer(201, "application/json", json.dumps({"photo": "kept"}).encode())
        elif not self.writable:
            self.problem(403, "read-only")
        elif "name" not in form:
            self.problem(422, "name is missing")
        else:
            key = form["name"].decode()
            self.styles[key] = key
            self.answer(201, "application/json", json.dumps({"id": key}).encode())

    def do_DELETE(self) -> None:
        if self.ill == "keeps uploads":
            self.problem(500, "broken")
            return
        del self.styles[self.path.rsplit("/", 1)[1]]
        self.answer(204, "", b"")

    def stylize(self, form: Form) -> None:
        kind = type(self)
        with self.lock:
            kind.asked += 1
            ill = self.ill if kind.asked > self.well_for else ""
        if ill == "never answers":
            time.sleep(60)
        if ill == "stalls":
            kind.stall_until_s = kind.stall_until_s or time.monotonic() + STALL_S
            time.sleep(max(0.0, kind.stall_until_s - time.monotonic()))
        status, wrong = refusal(form)
        if status != 200:
            self.problem(status, wrong)
        elif ill in ("sheds", "sheds without saying until when"):
            self.problem(429, "busy", {"Retry-After": "1"} if ill == "sheds" else {})
        elif ill == "errs":
            self.problem(500, "broken")
        else:
            self.paint(form, ill)

    def paint(self, form: Form, ill: str) -> None:
        picture_format = form["format"].decode()
        painted = painting(form)
        if ill == "wrong size":
            painted = painted.resize((painted.width + 1, painted.height))
        if ill == "somebody else's picture":
            painted = ImageOps.flip(painted)
        blob = encoded(painted, picture_format)
        if ill == "broken picture":
            blob = blob[: len(blob) // 2]
        self.answer(200, f"image/{picture_format}", blob, cut=ill == "cut off")

    def form(self) -> Form:
        blob = self.rfile.read(int(self.headers["Content-Length"]))
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        parts = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + blob).iter_parts()
        return {part.get_param("name", header="content-disposition"): part.get_payload(decode=True) for part in parts}

    def problem(self, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
        self.answer(status, "application/problem+json", json.dumps({"detail": detail}).encode(), headers)

    def answer(
        self, status: int, content_type: str, blob: bytes, headers: dict[str, str] | None = None, *, cut: bool = False
    ) -> None:
        self.send_response(status)
        said = {"X-Model-Version": "1", "X-Model-Digest": "a" * 64, "Server-Timing": "a;dur=1", "X-Request-Id": "1"}
        said |= {"Content-Type": content_type, "Content-Length": str(len(blob)), **(headers or {})}
        for name, value in said.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(blob[: len(blob) // 2] if cut else blob)
        self.close_connection = cut or self.headers["Connection"] == "close"

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is part of the test: no traceback for it."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def refusal(form: Form) -> tuple[int, str]:
    """(status, what was wrong); 200 where nothing was."""
    if form.get("image", b"").startswith(b"http") or float(form.get("strength", b"1")) > 1:
        return 422, "out of range"
    if form.get("style", b"waves") != b"waves":
        return 404, "no such style"
    try:
        if "image" in form:
            with Image.open(io.BytesIO(form["image"])) as picture:
                picture.load()
    except OSError:
        return 400, "not a picture"
    return 200, ""


def painting(form: Form) -> Image.Image:
    """The negative, which keeps every outline; of a kept photograph, a striped one."""
    if "photo" in form:
        from loadtests.mix import PHOTO_PX  # what was kept is what every load test keeps
        from loadtests.pictures import photograph_jpeg

        form = {**form, "image": photograph_jpeg(*PHOTO_PX)}
    with Image.open(io.BytesIO(form["image"])) as picture:
        painted = ImageOps.invert(picture.convert("RGB"))
    if "max_side" in form:
        painted.thumbnail((int(form["max_side"]), int(form["max_side"])))
    return painted


def encoded(picture: Image.Image, picture_format: str) -> bytes:
    """The picture as a file."""
    buffer = io.BytesIO()
    picture.save(buffer, picture_format)
    return buffer.getvalue()


@contextmanager
def service(ill: str = "", **more: Any) -> Iterator[tuple[str, type[Service]]]:
    """(URL, what it saw) of a running service; `more` sets the handler's other attributes."""
    mine: dict[str, Any] = {"asked": 0, "stall_until_s": 0.0, "styles": {"waves": "waves"}, "paths": []}
    handler = type("OneService", (Service,), {"ill": ill, **mine, **more})
    server = _Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", handler
    finally:
        server.shutdown()
        server.server_close()


ENDPOINTS = ("stylize", "photos", "style upload", "style removal", "styles", "model", "bad input")


def slo_file(folder: Path, *, shape: dict[str, Any] | None = None, **changes: Any) -> Path:
    """An SLO file without speed, so that a busy machine breaks nothing, and one short shape, "smoke"."""
    slo: dict[str, Any] = {
        "mix": {"upload": 1, "own style": 1},
        "endpoints": {name: {} for name in ENDPOINTS},
        "generator": {"minimum_on_time_share": 0.0},
        "drain_s": 20,
        "shapes": {"smoke": shape or {"phases": [{"name": "load", "rate_per_s": 25, "duration_s": 1}]}},
        **changes,
    }
    path = folder / "slo.yaml"
    path.write_text(yaml.safe_dump(slo))
    return path


def load_test(host: str, slo: Path, *arguments: str, env: dict[str, str] | None = None) -> tuple[int, dict[str, Any]]:
    """(exit code, verdict) of a run of the shape "smoke", as a user starts it."""
    command = [sys.executable, "-m", "loadtests", "smoke", "--host", host, "--slo", str(slo), "--json", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, env=env)
    assert done.stdout, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, json.loads(done.stdout)


def nobody() -> str:
    """A URL at which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"
