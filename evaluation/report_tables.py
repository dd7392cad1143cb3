"""comparisons and curves as tables, each as CSV and as parquet: what the report holds, for pandas."""

import io
from pathlib import Path
from typing import TYPE_CHECKING

from evaluation.scores import Comparison, Report
from stylenet.pictures import write_bytes

if TYPE_CHECKING:
    import pandas as pd

ESTIMATES = ("candidate", "reference", "difference", "ratio", "recovered", "wins")
PARTS = ("value", "error", "low", "high")


def comparison_table(report: Report) -> "pd.DataFrame":
    """One row for each reference, place, slice and metric; four columns (value, error, low, high) for each estimate."""
    import pandas as pd

    rows = [
        {"against": against, "at": at, "slice": name, "metric": metric, **_cells(cell)}
        for against, places in sorted(report.comparisons.items())
        for at, slices in places.items()
        for name, table in slices.items()
        for metric, cell in table.items()
    ]
    return pd.DataFrame(rows)


def curve_table(report: Report) -> "pd.DataFrame":
    """One row for each method and strength: the mean of every metric."""
    import pandas as pd

    rows = [
        {"method": method, "strength": point.strength, **point.scores}
        for method, points in sorted(report.curves.items())
        for point in points
    ]
    return pd.DataFrame(rows)


def write_tables(report: Report, out: Path) -> None:
    """Write comparisons.{csv,parquet} and curves.{csv,parquet}."""
    for name, table in (("comparisons", comparison_table(report)), ("curves", curve_table(report))):
        text, blob = io.StringIO(), io.BytesIO()
        table.to_csv(text, index=False, float_format="%.6g")
        table.to_parquet(blob, index=False)
        write_bytes(text.getvalue().encode(), out / f"{name}.csv")
        write_bytes(blob.getvalue(), out / f"{name}.parquet")


def _cells(cell: Comparison) -> dict[str, float | int]:
    estimates = {f"{name}_{part}": getattr(getattr(cell, name), part) for name in ESTIMATES for part in PARTS}
    return {**estimates, "pairs": cell.pairs, "photographs": cell.photographs}
