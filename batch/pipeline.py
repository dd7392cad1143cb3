"""Orders in, outcomes out, on this machine: one thread reads ahead, one writes behind, and the engine never waits.

A few pictures are in flight at any time, however many there are: memory does not grow with the job.
"""

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from runtime.engine import Engine
from stylenet.codes import StyleCode
from stylenet.dials import Dials
from stylenet.errors import PictureError
from stylenet.images import Pixels
from stylenet.pictures import PictureFormat, encode_picture, read_picture, write_bytes

AHEAD = 2  # pictures read before they are wanted, and as many being written
_FORMAT_OF: dict[str, PictureFormat] = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".webp": "webp"}


@dataclass(frozen=True, slots=True)
class Order:
    """One picture to paint, with nothing that another machine could not know.

    Args:
        name: of the painting in the output folder.
        source, target: paths.
        style: a key of the codes.
        dials: how.
    """

    name: str
    source: str
    target: str
    style: str
    dials: Dials


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an order.

    Args:
        name: the order's.
        size_bytes, sha256: of the file that now lies at its target.
        reason: why there is none; empty where there is.
        worker: process id of who painted it.
    """

    name: str
    size_bytes: int = 0
    sha256: str = ""
    reason: str = ""
    worker: int = 0


def paint_here(orders: Iterable[Order], engine: Engine, codes: Mapping[str, StyleCode]) -> Iterator[Outcome]:
    """Paint orders one after the other; outcomes come in the same order, each when its file lies whole at its target.

    Pictures that cannot be read or painted have an outcome with a reason, and do not stop the others.
    """
    waiting = iter(orders)
    with ThreadPoolExecutor(1, "reading") as readers, ThreadPoolExecutor(1, "writing") as writers:
        coming = deque((order, readers.submit(_read, order)) for order in islice(waiting, AHEAD))
        going: deque[Future[Outcome]] = deque()
        while coming:
            order, picture = coming.popleft()
            coming.extend((later, readers.submit(_read, later)) for later in islice(waiting, 1))
            going.append(_painted(order, picture, engine, codes, writers))
            while len(going) > AHEAD:
                yield going.popleft().result()
        while going:
            yield going.popleft().result()


def paint_order(order: Order, engine: Engine, codes: Mapping[str, StyleCode]) -> Outcome:
    """Paint one order, from file to file."""
    picture = _read(order)
    if isinstance(picture, Outcome):
        return picture
    try:
        return _write(order, engine.stylize(picture, codes[order.style], order.dials))
    except PictureError as error:
        return Outcome(order.name, reason=str(error))


def _painted(
    order: Order,
    picture: "Future[Pixels | Outcome]",
    engine: Engine,
    codes: Mapping[str, StyleCode],
    writers: ThreadPoolExecutor,
) -> "Future[Outcome]":
    pixels = picture.result()
    if isinstance(pixels, Outcome):
        return writers.submit(lambda: pixels)
    try:
        return writers.submit(_write, order, engine.stylize(pixels, codes[order.style], order.dials))
    except PictureError as error:
        reason = str(error)
        return writers.submit(lambda: Outcome(order.name, reason=reason))


def _read(order: Order) -> Pixels | Outcome:
    try:
        return read_picture(order.source)
    except PictureError as error:
        return Outcome(order.name, reason=str(error))


def _write(order: Order, painting: Pixels) -> Outcome:
    target = Path(order.target)
    blob = encode_picture(painting, _FORMAT_OF[target.suffix.lower()])
    try:
        write_bytes(blob, target)
    except OSError as error:
        return Outcome(order.name, reason=f"{target}: cannot be written ({error.strerror})")
    return Outcome(order.name, len(blob), hashlib.sha256(blob).hexdigest())
