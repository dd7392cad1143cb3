"""pairs.csv: every score of every picture, one row each, for whoever wants to compute something else (pandas)."""

import io
from pathlib import Path

from evaluation.pairs import Manifest
from evaluation.sweeps import Sweep
from stylenet.pictures import write_bytes

PAIRS_NAME = "pairs.csv"


def write_pairs_table(out: Path, manifest: Manifest, sweeps: dict[str, Sweep], strengths: tuple[float, ...]) -> None:
    """One row for each pair, method and strength; a score that is NaN is an empty cell."""
    import pandas as pd

    frames = []
    for row, (i, j) in enumerate(manifest.pairs()):
        photo, style = manifest.photographs[i], manifest.paintings[j]
        for method, sweep in sweeps.items():
            frame = pd.DataFrame({name: values[row] for name, values in sweep.scores.items()})
            known = {
                "content": photo.name,
                "style": style.name,
                "building": photo.source.building,
                "movement": style.source.group,
                "method": method,
            }
            for place, (name, value) in enumerate(known.items()):
                frame.insert(place, name, value)
            frame.insert(len(known), "strength", strengths)
            frames.append(frame)
    buffer = io.StringIO()
    pd.concat(frames, ignore_index=True).to_csv(buffer, index=False, float_format="%.6g")
    write_bytes(buffer.getvalue().encode(), out / PAIRS_NAME)
