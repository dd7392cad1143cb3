"""Serves a built Bento as a locked-down container would, paints one picture, and says what it saw, as JSON on stdout.

    unshare --mount --net --pid --fork --mount-proc --kill-child python bento_offline.py BENTO PHOTO

Run as root in namespaces of its own: no network but loopback, a read-only file system but for one temporary folder, and
from then on an ordinary user. Knows only HTTP and the standard library.
"""

import fcntl
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
import urllib.error
import urllib.request
from email.message import Message
from pathlib import Path

USER = 10001
SCRATCH = Path("/srv")
URL = "http://127.0.0.1:3000"
_SIOCSIFFLAGS, _UP = 0x8914, 1


def mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


def lock_down(bento: str) -> None:
    """Loopback up, everything read-only but SCRATCH."""
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sh", b"lo", _UP))
    mount("--make-rprivate", "/")
    mount("-t", "tmpfs", "tmpfs", str(SCRATCH))
    for name in ("home", "bentoml", "tmp"):
        (SCRATCH / name).mkdir()
        os.chown(SCRATCH / name, USER, USER)
    shutil.copytree(bento, SCRATCH / "bento")
    subprocess.run(["chmod", "-R", "a+rX", str(SCRATCH / "bento")], check=True)  # as the Dockerfile does
    mount("--bind", str(SCRATCH / "bento"), str(SCRATCH / "bento"))
    mount("-o", "remount,bind,ro", str(SCRATCH / "bento"))
    mount("-o", "remount,bind,ro", "/")


def as_user() -> None:
    """Become this program again as USER, who may read what root may (the interpreter can lie in root's home)."""
    kept = "-all,+dac_read_search"
    drop = [f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--no-new-privs"]
    drop += [f"--inh-caps={kept}", f"--ambient-caps={kept}", f"--bounding-set={kept}"]
    os.execvp("setpriv", ["setpriv", *drop, sys.executable, *sys.argv])


def get(path: str, data: bytes | None = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
    request = urllib.request.Request(URL + path, data=data, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, lowered(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        return error.code, lowered(error.headers), error.read()
    except OSError:
        return 0, {}, b""


def lowered(headers: Message) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def stylize(photo: bytes) -> tuple[int, dict[str, str], bytes]:
    parts = [
        (b'name="image"; filename="x.png"', photo),
        (b'name="style_image"; filename="y.png"', photo),
        (b'name="format"', b"png"),
    ]
    body = b"".join(
        b"--edge\r\nContent-Disposition: form-data; " + head + b"\r\n\r\n" + blob + b"\r\n" for head, blob in parts
    )
    return get("/v1/stylize", body + b"--edge--\r\n", **{"Content-Type": "multipart/form-data; boundary=edge"})


def main() -> None:
    bento, photo = sys.argv[1], Path(sys.argv[2]).read_bytes()
    if os.getuid() == 0:
        lock_down(bento)
        as_user()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": f"{SCRATCH}/home",
        "PENTIMENTO_HOME": f"{SCRATCH}/home",
        "BENTOML_HOME": f"{SCRATCH}/bentoml",
        "TMPDIR": f"{SCRATCH}/tmp",
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
        "PENTIMENTO_SEED_STYLES": "0",
    }
    command = [sys.executable, "-m", "bentoml", "serve", f"{SCRATCH}/bento", "--host", "127.0.0.1", "--port", "3000"]
    server = subprocess.Popen(command, cwd=f"{SCRATCH}/home", env=environment, stdout=sys.stderr)
    try:
        deadline = time.monotonic() + 90
        while get("/readyz")[0] != 200 and time.monotonic() < deadline and server.poll() is None:
            time.sleep(0.2)
        status, headers, painting = stylize(photo)
        seen = {
            "user": os.getuid(),
            "model": json.loads(get("/v1/model")[2] or b"{}"),
            "page": get("/")[0],
            "status": status,
            "digest": headers.get("x-model-digest"),
            "picture": painting[:4].hex(),
        }
    finally:
        server.send_signal(signal.SIGTERM)
    seen["exit_code"] = server.wait(60)
    seen["written"] = sorted(path.name for path in SCRATCH.iterdir() if path.name != "bento" and any(path.iterdir()))
    print(json.dumps(seen))


if __name__ == "__main__":
    main()
