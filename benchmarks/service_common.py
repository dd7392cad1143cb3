"""What the service's proofs share: a service of their own, their requests, and a process tree's memory."""

import http.client
import io
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import psutil
from PIL import Image

from registry.settings import Settings
from registry.styles import StyleLibrary
from samples import PAINTINGS, painting
from service.launch import Replica, running_replica, wait_until
from stylenet.images import Pixels

BOUNDARY = "pentimento-proof"
FORM = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
STYLE = PAINTINGS[0].name
MEBIBYTE = 2**20
IDLE_S = 3.0  # the server closes a connection that was idle for 5 s


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, and how long it took."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float


class Client:
    """One kept-alive connection."""

    def __init__(self, base_url: str, timeout_s: float = 120) -> None:
        parts = urlsplit(base_url)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout_s)
        self._used_s = time.monotonic()

    def send(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        """One request; status 0 where the connection was cut."""
        if time.monotonic() - self._used_s > IDLE_S:
            self._connection.close()
        begun = time.perf_counter()
        try:
            self._connection.request(method, path, body=body or None, headers=dict(headers or {}))
            answer = self._connection.getresponse()
            blob = answer.read()
        except (http.client.HTTPException, OSError, ValueError, UnicodeError):
            self._connection.close()
            return Answer(0, {}, b"", time.perf_counter() - begun)
        self._used_s = time.monotonic()
        kept = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, kept, blob, time.perf_counter() - begun)

    def stylize(self, image: bytes, **fields: str) -> Answer:
        """Paint one picture."""
        return self.send("POST", "/v1/stylize", form({"image": image}, {"style": STYLE, **fields}), FORM)


def form(files: Mapping[str, bytes], fields: Mapping[str, str]) -> bytes:
    """A multipart body."""
    parts = [
        *(part(f'name="{name}"; filename="{name}.bin"', blob) for name, blob in files.items()),
        *(part(f'name="{name}"', text.encode("utf-8", "surrogatepass")) for name, text in fields.items()),
    ]
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def part(disposition: str, blob: bytes) -> bytes:
    """One part of a multipart body."""
    head = f"--{BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n"
    return head.encode("utf-8", "surrogatepass") + blob + b"\r\n"


def photograph(width: int, height: int) -> Pixels:
    """A photograph with edges, gradients and grain, drawn: uint8 (height, width, 3)."""
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    sky = np.stack([120 + 90 * rows / height, 150 + 60 * columns / width, 230 - 80 * rows / height], axis=2)
    wall = ((columns // 64) % 3 == 1) & (rows > height / 3)
    sky[wall] = (150, 110, 80)
    sky += np.random.default_rng(0).normal(0, 5, sky.shape).astype(np.float32)
    return np.clip(sky, 0, 255).astype(np.uint8)


def stored(pixels: Pixels, picture_format: str = "JPEG", **options: object) -> bytes:
    """The picture as a file."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, picture_format, **options)  # type: ignore[arg-type]
    return buffer.getvalue()


@contextmanager
def service(home: Path, model: str, **variables: str) -> Iterator[Replica]:
    """A ready service on a free port with one style in its library; its log lies in `home`."""
    home.mkdir(parents=True, exist_ok=True)
    library = StyleLibrary.from_settings(Settings.at(home))
    library.add(STYLE, [painting(STYLE, short_side_px=256)])
    library.close()
    environment = {
        "PENTIMENTO_HOME": str(home),
        "PENTIMENTO_SEED_STYLES": "0",
        "MLFLOW_TRACKING_URI": "",
        "PENTIMENTO_STYLES_URL": "",
        **{f"PENTIMENTO_{name.upper()}": value for name, value in variables.items()},
    }
    with running_replica(model, environment=environment, log_path=home / "service.log") as replica:
        wait_until(replica, "/livez", timeout_s=180)
        client = Client(replica.base_url)
        while client.send("GET", "/readyz").status != 200:
            time.sleep(0.2)
        yield replica


def resident_bytes(replica: Replica) -> int:
    """Memory of the service's process tree; what processes share is counted once (PSS)."""
    return sum(process.memory_full_info().pss for process in family(replica))


def family(replica: Replica) -> list[psutil.Process]:
    """The supervisor and its workers."""
    root = psutil.Process(replica.process.pid)
    return [root, *root.children(recursive=True)]
