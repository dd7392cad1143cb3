"""The MLflow model: this very file is copied into every version and run there ("models from code", no pickles).

So it imports nothing of `registry`; `runtime` and `stylenet` travel beside it. Only MLflow loads it; see `flavor.py`.
"""

import threading
from typing import Any

import mlflow
import pandas as pd
from mlflow.pyfunc.model import PythonModel, PythonModelContext


class Painter(PythonModel):
    """Rows of (image, style, dials) to painted pictures, through the same engine as everything else."""

    def load_context(self, context: PythonModelContext) -> None:  # mlflow looks at the argument's name
        """Open the package that lies among the model's artifacts, digests and golden picture checked."""
        from runtime.loading import load_engine

        self._engine = load_engine(context.artifacts["package"])
        self._lock = threading.Lock()  # an engine paints one picture at a time; MLflow's server calls from many threads

    def predict(
        self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        """One painted PNG for each row.

        Args:
            context: not used after loading.
            model_input: columns `image` and `style` (a picture file's bytes each) and, where wanted, `strength`,
                `fidelity`, `texture`, `semantics` (0..1) and `keep_color` (yes or no). An absent or empty dial is at
                its default.
            params: none.

        Returns:
            One column, `stylized`: PNG bytes of exactly the image's size.

        Raises:
            ValueError: a picture that cannot be read or a dial out of range; the row is named.
        """
        codes: dict[bytes, Any] = {}
        painted = []
        for number, row in enumerate(model_input.to_dict(orient="records")):
            try:
                with self._lock:
                    painted.append(self._paint(row, codes))
            except ValueError as error:
                raise ValueError(f"row {number}: {error}") from error
        return pd.DataFrame({"stylized": painted}, index=model_input.index)

    def _paint(self, row: dict[Any, Any], codes: dict[bytes, Any]) -> bytes:
        from stylenet.dials import DIAL_NAMES, Dials
        from stylenet.pictures import encode_picture, read_picture

        pixels, style = read_picture(row["image"]), row["style"]
        if style not in codes:
            codes[style] = self._engine.encode_style(read_picture(style))
        numbers = {name: float(row[name]) for name in DIAL_NAMES if not pd.isna(row.get(name))}
        keep_color = row.get("keep_color")
        dials = Dials(**numbers, keep_color=False if pd.isna(keep_color) else bool(keep_color))
        return encode_picture(self._engine.stylize(pixels, codes[style], dials))


mlflow.models.set_model(Painter())
