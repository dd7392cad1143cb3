"""pairs.csv and pairs.parquet: every score of every picture, one row each, for whoever wants to compute something else.

They are written a few pairs at a time: 81,444 paintings at five strengths are millions of rows.
"""

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from evaluation.columns import METRICS, Columns
from evaluation.pairs import Manifest
from evaluation.sweeps import Sweep

if TYPE_CHECKING:
    import pandas as pd

CSV_NAME, PARQUET_NAME = "pairs.csv", "pairs.parquet"
PAIRS_AT_ONCE = 256


def write_pairs_tables(out: Path, manifest: Manifest, sweeps: dict[str, Sweep], strengths: tuple[float, ...]) -> None:
    """One row for each pair, method and strength, in both formats; a score that is NaN is an empty cell."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    out.mkdir(parents=True, exist_ok=True)
    csv, parquet = (out / f".{name}.partial" for name in (CSV_NAME, PARQUET_NAME))
    writer: Any = None
    with open(csv, "w", encoding="utf-8", newline="") as stream:
        for frame in _frames(manifest, sweeps, strengths):
            text = io.StringIO()
            frame.to_csv(text, index=False, header=writer is None, float_format="%.6g")
            stream.write(text.getvalue())
            table = pa.Table.from_pandas(frame, schema=_schema(frame), preserve_index=False)
            writer = writer or pq.ParquetWriter(parquet, table.schema)
            writer.write_table(table)
    if writer is not None:
        writer.close()
        os.replace(parquet, out / PARQUET_NAME)
    os.replace(csv, out / CSV_NAME)


def _frames(manifest: Manifest, sweeps: dict[str, Sweep], strengths: tuple[float, ...]) -> "Iterator[pd.DataFrame]":
    import pandas as pd

    pairs = manifest.pairs()
    metrics = [name for name in METRICS if any(name in sweep.scores for sweep in sweeps.values())]
    for start in range(0, len(pairs), PAIRS_AT_ONCE):
        chunk = pairs[start : start + PAIRS_AT_ONCE]
        parts = [
            _known(manifest, chunk, name, strengths) | _scores(sweep, metrics, start, len(chunk))
            for name, sweep in sweeps.items()
        ]
        frame = pd.concat([pd.DataFrame(part) for part in parts], ignore_index=True)
        yield frame.sort_values("pair", kind="stable", ignore_index=True).drop(columns="pair")


def _known(
    manifest: Manifest, pairs: list[tuple[int, int]], method: str, strengths: tuple[float, ...]
) -> dict[str, Any]:
    """What is known of a row besides its scores."""
    repeated = [
        (k, manifest.photographs[i], manifest.paintings[j]) for k, (i, j) in enumerate(pairs) for _ in strengths
    ]
    return {
        "pair": [k for k, _, _ in repeated],
        "content": [photo.name for _, photo, _ in repeated],
        "style": [style.name for _, _, style in repeated],
        "building": [photo.source.building for _, photo, _ in repeated],
        "movement": [style.source.group for _, _, style in repeated],
        "method": method,
        "strength": list(strengths) * len(pairs),
    }


def _scores(sweep: Sweep, metrics: list[str], start: int, count: int) -> dict[str, Any]:
    columns = sweep.scores
    missing = np.full(0, np.nan)
    found = {}
    for name in metrics:
        if name not in columns:
            found[name] = missing
        elif isinstance(columns, Columns):
            found[name] = columns.rows(name, start, start + count).ravel()
        else:
            found[name] = columns[name][start : start + count].ravel()
    size = max((len(values) for values in found.values()), default=0)
    return {name: values if len(values) else np.full(size, np.nan) for name, values in found.items()}


def _schema(frame: "pd.DataFrame") -> Any:
    """Named types: a first chunk without any known `building` must not decide that the column holds nothing."""
    import pyarrow as pa

    words = {"content", "style", "movement", "method"}
    kinds = {
        name: pa.string() if name in words else pa.bool_() if name == "building" else pa.float64() for name in frame
    }
    return pa.schema(list(kinds.items()))
