"""Hostile requests: `python -m benchmarks.service_hostile [--requests 10000]`.

Truncated and mutated pictures, bombs, wrong types, huge headers, slow uploads, addresses in file fields, path tricks in
names, dial values of every JSON type, broken multipart, odd methods and paths. Every request follows from its number.
No answer may be a 5xx, memory may not grow by more than a tenth after the first tenth of the requests, and the service
must paint the very same bytes afterwards as before.
"""

import argparse
import functools
import io
import json
import random
import socket
import struct
import sys
import tempfile
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from PIL import Image

from benchmarks.service_common import (
    BOUNDARY,
    FORM,
    STYLE,
    Client,
    form,
    part,
    photograph,
    resident_bytes,
    service,
    stored,
)

CLIENTS = 4
STALL_S = 1.0
MOST_GROWTH = 0.10
Hostile = Callable[[random.Random, Client, str], int]


def main() -> int:
    """Attack, print; 3 where a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--model", default="pretrained:compact")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        told = measure(Path(folder), options.model, options.requests, options.seed)
    print(json.dumps(told, indent=1))
    held = (
        told["requests"] == options.requests
        and not told["server_errors"]
        and told["same_bytes_afterwards"]
        and told["memory_growth"] <= MOST_GROWTH
    )
    return 0 if held else 3


def measure(home: Path, model: str, requests: int, seed: int) -> dict[str, object]:
    """What the service answered, and what became of it."""
    statuses: Counter[int] = Counter()
    kinds: dict[str, Counter[int]] = {attack.__name__: Counter() for attack in ATTACKS}
    lock = threading.Lock()

    def attack(numbers: range) -> None:
        client = Client(replica.base_url, timeout_s=30)
        for number in numbers:
            chance = random.Random(seed * 1_000_003 + number)
            chosen = ATTACKS[0] if number % 500 == 0 else chance.choice(ATTACKS[1:])  # slow ones take a second each
            status = chosen(chance, client, replica.base_url)
            with lock:
                statuses[status] += 1
                kinds[chosen.__name__][status] += 1

    def together(first: int, last: int) -> None:
        clients = [threading.Thread(target=attack, args=(range(first + c, last, CLIENTS),)) for c in range(CLIENTS)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()

    image = stored(photograph(256, 192))
    _bombs()
    variables = {"stall_timeout_s": str(STALL_S), "styles_writable": "0", "max_bytes": str(4 * 2**20)}
    with service(home, model, **variables) as replica:
        expected = Client(replica.base_url).stylize(image).body
        for side in (1024, 640, 640):  # the largest sizes that are met, so that their buffers exist
            assert Client(replica.base_url).stylize(stored(photograph(side, side))).status == 200
        memory = []
        for tenth in range(10):
            together(requests * tenth // 10, requests * (tenth + 1) // 10)
            memory.append(resident_bytes(replica))
            failed = sum(count for status, count in statuses.items() if status >= 500)
            print(
                f"{statuses.total()} requests, {failed} 5xx, {memory[-1] / 2**20:.0f} MiB", file=sys.stderr, flush=True
            )
        afterwards = Client(replica.base_url).stylize(image)
        metrics = Client(replica.base_url).send("GET", "/metrics").body.decode()
    in_progress = next(line for line in metrics.splitlines() if line.startswith("pentimento_in_progress"))
    return {
        "requests": statuses.total(),
        "statuses": {str(status): count for status, count in sorted(statuses.items())},
        "server_errors": sum(count for status, count in statuses.items() if status >= 500),
        "series_in_metrics": sum(1 for line in metrics.splitlines() if not line.startswith("#")),
        "still_in_progress": float(in_progress.split()[-1]),
        "memory_mib": [round(held / 2**20) for held in memory],
        "memory_growth": round(memory[-1] / memory[0] - 1, 4),
        "same_bytes_afterwards": afterwards.body == expected,
        "by_kind": {name: dict(sorted(counts.items())) for name, counts in kinds.items()},
    }


def slow_upload(chance: random.Random, client: Client, base_url: str) -> int:
    """A body that stands still, or drips."""
    parts = urlsplit(base_url)
    with socket.create_connection((parts.hostname, parts.port), timeout=20) as connection:
        lines = ("POST /v1/stylize HTTP/1.1", "Host: x", "Content-Length: 5000", *map(": ".join, FORM.items()), "", "")
        connection.sendall("\r\n".join(lines).encode() + b"--" + BOUNDARY.encode())
        answer = connection.recv(64)
    return int(answer.split()[1]) if answer.startswith(b"HTTP/") else 0


def truncated(chance: random.Random, client: Client, _: str) -> int:
    """A picture cut short anywhere."""
    blob = chance.choice(_PICTURES)
    return client.stylize(blob[: chance.randrange(len(blob))]).status


def mutated(chance: random.Random, client: Client, _: str) -> int:
    """A picture with a few bytes changed, in its header more often than not."""
    blob = bytearray(chance.choice(_PICTURES))
    for _ in range(chance.randrange(1, 12)):
        blob[chance.randrange(min(len(blob), chance.choice((64, 512, len(blob)))))] = chance.randrange(256)
    return client.stylize(bytes(blob), format=chance.choice(("png", "jpeg", "webp"))).status


def bomb(chance: random.Random, client: Client, _: str) -> int:
    """A small file that announces, or unpacks to, very much."""
    return client.stylize(chance.choice(_bombs())).status


@functools.cache
def _bombs() -> tuple[bytes, ...]:
    """Made once: packing thirty million zeros takes the attacker's time, not the service's."""
    much = zlib.compress(bytes(30_000_000), 9)
    frames = [Image.new("RGB", (64, 64), (number, 0, 0)) for number in range(200)]
    film = io.BytesIO()
    frames[0].save(film, "PNG", save_all=True, append_images=frames[1:])
    text = _chunk(b"zTXt", b"comment\0\0" + much)
    profile = _chunk(b"iCCP", b"profile\0\0" + much)
    return (
        *(_png(side, side, zlib.compress(bytes(100_000))) for side in (2049, 30_000, 65_535)),
        _png(64, 64, much),  # announces little and unpacks to much
        _png(64, 64, zlib.compress(bytes(64 * 193)), extra=text),
        _png(64, 64, zlib.compress(bytes(64 * 193)), extra=profile),
        film.getvalue(),
    )


def odd_profile(chance: random.Random, client: Client, _: str) -> int:
    """A picture whose colour profile or EXIF is garbage."""
    garbage = chance.randbytes(chance.choice((10, 500, 60_000)))
    options = {"icc_profile": garbage} if chance.random() < 0.5 else {"exif": b"Exif\0\0" + garbage[:60_000]}
    return client.stylize(stored(photograph(40, 30), chance.choice(("JPEG", "PNG", "WEBP")), **options)).status


def wrong_type(chance: random.Random, client: Client, _: str) -> int:
    """A body or a file of another kind."""
    blob = chance.choice(
        (b"", b"{}", b"<svg/>", b"GIF89a" + bytes(50), b"%PDF-1.7", b"\0" * 1000, chance.randbytes(999))
    )
    if chance.random() < 0.5:
        return client.stylize(blob).status
    kind = chance.choice(("application/json", "text/plain", "image/png", "multipart/mixed; boundary=x", "", "x" * 3000))
    return client.send("POST", chance.choice(_POSTED), blob, {"Content-Type": kind}).status


def huge_header(chance: random.Random, client: Client, _: str) -> int:
    """Headers larger than anybody needs, or with values that are none."""
    name = chance.choice(("X-Request-Id", "X-Request-Key", "Authorization", "traceparent", "If-None-Match", "Origin"))
    value = chance.choice(("a" * 20_000, "a" * 90_000, '"' * 5000, "\xff\xfe" * 40, "http://[", "-1", "00-" + "g" * 55))
    path = chance.choice(("/v1/model", "/v1/styles", "/", f"/v1/styles/{STYLE}/thumbnail"))
    return client.send("GET", path, headers={name: value}).status


def address(chance: random.Random, client: Client, base_url: str) -> int:
    """An address where a file should be: as text, and as the file's contents."""
    url = chance.choice(("http://127.0.0.1:1/x.png", f"{base_url}/icon.svg", "file:///etc/passwd", "s3://bucket/key"))
    field = chance.choice(("image", "style_image", "mask"))
    if chance.random() < 0.5:
        return client.send("POST", "/v1/stylize", form({}, {field: url, "style": STYLE}), FORM).status
    return client.stylize(url.encode()).status


def path_trick(chance: random.Random, client: Client, _: str) -> int:
    """Names that want to be paths, in addresses, fields and file names."""
    name = chance.choice(
        ("../../etc/passwd", "..%2f..%2fetc", "%00", "%ff", "....//", "\\..\\", "a" * 5000, "%2e%2e", "~root")
    )
    kind = chance.randrange(4)
    if kind == 0:
        return client.send("GET", f"/v1/styles/{name}").status
    if kind == 1:
        return client.send(chance.choice(("GET", "DELETE", "BREW", "PUT")), f"/{name}").status
    if kind == 2:
        return client.stylize(_PICTURES[0], style=name).status
    blob = part(f'name="image"; filename="{name}"', _PICTURES[0]) + part('name="style"', STYLE.encode())
    return client.send("POST", "/v1/stylize", blob + f"--{BOUNDARY}--\r\n".encode(), FORM).status


def odd_dial(chance: random.Random, client: Client, _: str) -> int:
    """A value of every JSON type where another belongs."""
    values = (
        "null",
        "true",
        "[]",
        "{}",
        '"0.5"',
        '"',
        "1e999",
        "-0",
        "NaN",
        "0x1",
        "1_0",
        "٣",
        "\ud800",
        '"\\ud800"',
        "0" * 4000,
        "",
        "1.0",
    )
    names = (
        "strength",
        "fidelity",
        "texture",
        "semantics",
        "keep_color",
        "format",
        "style",
        "max_side",
        "photo",
        "mask",
        "zz",
    )
    return client.stylize(_PICTURES[0], **{chance.choice(names): chance.choice(values)}).status


def broken_form(chance: random.Random, client: Client, _: str) -> int:
    """A multipart body with bytes changed, parts repeated, or more parts than anybody sends."""
    body = bytearray(form({"image": _PICTURES[0]}, {"style": STYLE, "strength": "0.5"}))
    kind = chance.randrange(3)
    if kind == 0:
        for _ in range(chance.randrange(1, 20)):
            body[chance.randrange(min(len(body), 200))] = chance.randrange(256)
    elif kind == 1:
        body = bytearray(form({}, {f"field{number}": "x" for number in range(chance.choice((40, 3000)))}))
    else:
        body = bytearray(form({"image": _PICTURES[0]}, {"style": "x" * chance.choice((5000, 500_000))}))
    return client.send("POST", chance.choice(_POSTED), bytes(body), FORM).status


def odd_query(chance: random.Random, client: Client, _: str) -> int:
    """Search words, cursors and limits that are none."""
    text = chance.choice(
        ("%", "%25%25", "'%20or%201=1", "%00", "%ff", "a" * 3000, "-1", "1e9", "9" * 400, "%F0%9F%8E%A8", "_")
    )
    name = chance.choice(("query", "tag", "after", "limit", "other"))
    return client.send("GET", f"/v1/styles?{name}={text}&{name}=1").status


def too_much(chance: random.Random, client: Client, _: str) -> int:
    """More bytes than the limit, announced or not."""
    blob = bytes(chance.choice((4 * 2**20 + 1, 6 * 2**20)))
    if chance.random() < 0.5:
        return client.stylize(blob).status
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    return client.send("POST", "/v1/stylize", b"style=" + blob[: chance.choice((100, 70_000, 200_000))], kind).status


ATTACKS: tuple[Hostile, ...] = (
    slow_upload,
    truncated,
    mutated,
    bomb,
    odd_profile,
    wrong_type,
    huge_header,
    address,
    path_trick,
    odd_dial,
    broken_form,
    odd_query,
    too_much,
)
_POSTED = ("/v1/stylize", "/v1/photos", "/v1/styles", "/v1/model/refresh")


def _png(width: int, height: int, data: bytes, *, extra: bytes = b"") -> bytes:
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + extra + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


_PICTURES = tuple(
    stored(photograph(64, 48), picture_format) for picture_format in ("JPEG", "PNG", "WEBP", "TIFF", "BMP")
) + (stored(photograph(64, 48), "TIFF", compression="tiff_lzw"), stored(photograph(64, 48), "JPEG", progressive=True))


if __name__ == "__main__":
    begun = time.monotonic()
    code = main()
    print(f"{time.monotonic() - begun:.0f} s", file=sys.stderr)
    sys.exit(code)
