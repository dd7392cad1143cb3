"""Every method paints every pair at every strength, and every picture is measured: the slow part, and the only one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from evaluation import content_metrics, style_metrics
from evaluation.meters import CONTENT_METRICS, HIGHER_IS_BETTER, content_scores, shares_left, style_distances
from evaluation.methods import Painter, null_sweeps
from evaluation.nst import paint_nst
from evaluation.pairs import Manifest, Picture
from evaluation.scores import ADAIN, MetricInfo
from evaluation.settings import EvaluationSettings
from evaluation.style_metrics import DEEP_SIDE_PX
from evaluation.sweeps import Sweep
from stylenet.images import Pixels, to_image
from stylenet.perception import load_extractor
from stylenet.vgg import Vgg19

Scores = dict[str, NDArray[np.float64]]
"""(N,) by metric name, for N pictures."""
Step = Callable[[str], None]
"""Called before each step with what is being done."""


@dataclass(frozen=True, slots=True)
class Instruments:
    """What measures.

    Args:
        extractor: image -> features by tap.
        kind: "vgg19" or "compact": what a policy may ask for.
        label: the same with where it came from; every report names it.
        with_ms_ssim: whether MS-SSIM is measured, where the side allows it.
        with_lpips: whether LPIPS is measured.
    """

    extractor: style_metrics.Extractor
    kind: Literal["vgg19", "compact"]
    label: str
    with_ms_ssim: bool
    with_lpips: bool

    @staticmethod
    def load(settings: EvaluationSettings) -> "Instruments":
        """What this machine has and the settings allow."""
        loaded = load_extractor(settings.extractor)
        with_lpips = settings.lpips and content_metrics.lpips_is_available()
        kind: Literal["vgg19", "compact"] = "vgg19" if isinstance(loaded.module, Vgg19) else "compact"
        return Instruments(loaded, kind, loaded.name, settings.ms_ssim, with_lpips)

    def describe(self, pixels: Pixels) -> style_metrics.Description:
        """A style picture, seen once for all the pictures that are held against it."""
        return style_metrics.describe(to_image(pixels), self.extractor)

    def measure(self, pictures: list[Pixels], photo: Pixels, style: style_metrics.Description) -> Scores:
        """Every metric of N pictures of one pair. The same picture twice is measured once."""
        unique = {picture.tobytes(): picture for picture in [photo, *pictures]}  # the photo first: shares need it
        place = {key: index for index, key in enumerate(unique)}
        images = torch.cat([to_image(picture) for picture in unique.values()])
        scores = content_scores(images, to_image(photo), with_ms_ssim=self.with_ms_ssim, with_lpips=self.with_lpips)
        distances = {name: values[:, 0] for name, values in style_distances(images, [style], self.extractor).items()}
        own = {name: float(values[0]) for name, values in distances.items()}
        scores |= distances | shares_left(distances, own)
        rows = [place[picture.tobytes()] for picture in pictures]
        return {name: values[rows] for name, values in scores.items()}

    def metrics(self, measured: list[str]) -> tuple[MetricInfo, ...]:
        """What every column means; one that was not measured says why."""
        missing = {
            "lpips": content_metrics.lpips_missing(),
            "ms_ssim": f"not measured: left out, or a side is below {content_metrics.MS_SSIM_SIDE_PX} px",
        }
        content = [
            MetricInfo(
                name=name,
                kind="content",
                higher_is_better=HIGHER_IS_BETTER[name],
                how=content_metrics.HOW[name] if name in measured else missing.get(name, "not measured"),
                measured=name in measured,
            )
            for name in CONTENT_METRICS
        ]
        seen_by = f"; features of {self.label}, short side at most {DEEP_SIDE_PX} px"
        deep = {"gram": seen_by, "deep_stats": seen_by}
        style = [
            MetricInfo(
                name=name, kind="style", higher_is_better=False, how=style_metrics.HOW[name] + deep.get(name, "")
            )
            for name in style_metrics.FAMILIES
        ]
        shares = [
            MetricInfo(
                name=f"{name}_left", kind="style", higher_is_better=False, how=f"{name}, as a share of the photo's own"
            )
            for name in style_metrics.FAMILIES
        ]
        axis = MetricInfo(
            name="style_left",
            kind="style",
            higher_is_better=False,
            how=f"mean of the shares left by {', '.join(style_metrics.FAMILIES)}: the axis of equal style",
        )
        return (*content, *style, *shares, axis)


def sweep_all(
    manifest: Manifest, painters: list[Painter], instruments: Instruments, strengths: tuple[float, ...], step: Step
) -> dict[str, Sweep]:
    """Paint and measure every pair with every painter and null method: (P, S) scores by method.

    One photograph with one painting at a time, so memory does not grow with the pictures, only with the numbers.
    """
    styles = [instruments.describe(style.pixels) for style in manifest.paintings]
    rows: dict[str, list[Scores]] = {}
    for i, j in manifest.pairs():
        photo, style = manifest.photographs[i], manifest.paintings[j]
        step(f"{photo.name} as {style.name}")
        pictures = paint_pair(photo, style, painters, strengths)
        scores = instruments.measure([each for sweep in pictures.values() for each in sweep], photo.pixels, styles[j])
        for place, name in enumerate(pictures):
            part = slice(place * len(strengths), (place + 1) * len(strengths))
            rows.setdefault(name, []).append({metric: values[part] for metric, values in scores.items()})
    return {name: Sweep(_stack(each)) for name, each in rows.items()}


def paint_pair(
    photo: Picture, style: Picture, painters: list[Painter], strengths: tuple[float, ...]
) -> dict[str, list[Pixels]]:
    """Everybody's pictures of one pair, by method, one for each strength."""
    pictures = {painter.name: painter.sweep(photo.pixels, style, strengths) for painter in painters}
    return pictures | null_sweeps(photo.pixels, style.pixels, pictures[ADAIN][-1], strengths)


def run_nst(
    manifest: Manifest, instruments: Instruments, settings: EvaluationSettings, step: Step
) -> dict[tuple[int, int], tuple[Pixels, Scores]]:
    """Gatys NST on a few pairs, each of another photograph and another painting: picture and scores by pair."""
    found = {}
    for i, j in nst_pairs(manifest, settings.nst_pairs):
        photo, style = manifest.photographs[i], manifest.paintings[j]
        step(f"NST: {photo.name} as {style.name}")
        picture = paint_nst(photo.pixels, style.pixels, instruments.extractor, steps=settings.nst_steps)
        scores = instruments.measure([picture], photo.pixels, instruments.describe(style.pixels))
        found[i, j] = (picture, scores)
    return found


def nst_pairs(manifest: Manifest, count: int) -> list[tuple[int, int]]:
    """The first pairs along the diagonal of photographs and paintings."""
    m, n = len(manifest.photographs), len(manifest.paintings)
    diagonal = [(k % m, (k + k // m) % n) for k in range(m * n)]
    return list(dict.fromkeys(diagonal))[:count]


def _stack(rows: list[Scores]) -> dict[str, NDArray[np.float64]]:
    """(P, S) by metric. A metric that some pair lacks (MS-SSIM of a narrow picture) is left out for all."""
    shared = [name for name in rows[0] if all(name in row for row in rows)]
    return {name: np.stack([row[name] for row in rows]) for name in shared}
