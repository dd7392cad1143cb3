"""From ledgers to sweeps without holding every number: a scratch file by metric, read one metric at a time.

Letters: P pairs, S strengths.
"""

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluation.ledger import Record, Row
from evaluation.meters import CONTENT_METRICS, PARTIAL_METRICS
from evaluation.style_metrics import FAMILIES, OWN_METRICS
from evaluation.sweeps import Sweep

Numbers = NDArray[np.float64]
STYLE = (*FAMILIES, *OWN_METRICS)
METRICS = (*CONTENT_METRICS, *STYLE, *(f"{name}_left" for name in STYLE), "style_left")
"""Every metric in the order of the report's columns."""
PAIRS_AT_ONCE = 256


class Columns(Mapping[str, Numbers]):
    """(P, S) by metric, each read from the file when it is asked for.

    Args:
        path: float64, metric by metric of METRICS, pair by pair, strength by strength.
        names: the metrics that are there.
        shape: (P, S).
    """

    def __init__(self, path: Path, names: tuple[str, ...], shape: tuple[int, int]) -> None:
        self._path, self._names, self.shape = path, names, shape

    def __getitem__(self, metric: str) -> Numbers:
        return self.rows(metric, 0, self.shape[0])

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def rows(self, metric: str, start: int, stop: int) -> Numbers:
        """(stop - start, S) of one metric."""
        if metric not in self._names:
            raise KeyError(metric)
        pairs, strengths = self.shape
        place = (METRICS.index(metric) * pairs + start) * strengths * 8
        values = np.fromfile(self._path, dtype=np.float64, count=(stop - start) * strengths, offset=place)
        return values.reshape(stop - start, strengths)


def write_columns(
    records: Iterator[Record], methods: dict[str, str], folder: Path, shape: tuple[int, int]
) -> dict[str, Sweep]:
    """Turn one ledger's records, in the pairs' order, into sweeps.

    Args:
        records: P of them.
        methods: the name of each row in the records -> its name in the report.
        folder: where the scratch files go; whoever made it removes it.
        shape: (P, S).

    Returns:
        A sweep by the report's name. A metric that some pair lacks is left out, unless it is a partial one.
    """
    files = {row: Path(tempfile.mkstemp(dir=folder, suffix=".f64")[1]) for row in methods}
    present = {row: dict.fromkeys(METRICS, 0) for row in methods}
    start = 0
    for chunk in _chunks(records):
        for row, path in files.items():
            _write(path, [record[row] for record in chunk], start, shape, present[row])
        start += len(chunk)
    return {name: Sweep(Columns(files[row], _known(present[row], shape[0]), shape)) for row, name in methods.items()}


def _write(path: Path, rows: list[Row], start: int, shape: tuple[int, int], present: dict[str, int]) -> None:
    pairs, strengths = shape
    missing = np.full(strengths, np.nan)
    with open(path, "r+b") as stream:
        for place, metric in enumerate(METRICS):
            present[metric] += sum(metric in row for row in rows)
            block = np.stack([row.get(metric, missing) for row in rows])
            stream.seek((place * pairs + start) * strengths * 8)
            stream.write(np.ascontiguousarray(block, dtype=np.float64).tobytes())


def _known(present: dict[str, int], pairs: int) -> tuple[str, ...]:
    return tuple(name for name, n in present.items() if n == pairs or (name in PARTIAL_METRICS and n))


def _chunks(records: Iterator[Record]) -> Iterator[list[Record]]:
    chunk: list[Record] = []
    for record in records:
        chunk.append(record)
        if len(chunk) == PAIRS_AT_ONCE:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
