"""What measures: the extractor, the metrics that this machine can compute, and one pair's numbers from its pictures."""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from evaluation import lpips_metrics, style_metrics
from evaluation.content_metrics import Views
from evaluation.meters import Wanted, content_scores, shares_left, style_distances
from evaluation.pairs import Picture
from evaluation.settings import EvaluationSettings
from stylenet.images import Pixels, to_image
from stylenet.perception import Extractor, load_extractor
from stylenet.vgg import Vgg19

T = TypeVar("T")
Scores = dict[str, NDArray[np.float64]]
"""(N,) by metric name, for N pictures."""
SEEN_IN_MEMORY = 32
"""Descriptions of styles and photographs that are kept; one is about 1 MB."""
_MEASURING = (
    *("boundary_metrics", "content_metrics", "lpips_metrics", "style_metrics", "meters", "measuring", "methods", "nst"),
    *("pairs", "scoring", "foreign", "similarity"),
)
"""The files of this folder whose code makes the numbers, besides all of `runtime` and `stylenet`: a change in any of
them makes kept numbers stale."""
_LIBRARIES = ("torch", "numpy", "scipy", "scikit-image", "pillow", "pytorch-msssim", "lpips", "openvino")


@dataclass(frozen=True, slots=True)
class _Seen:
    """A photograph's own numbers, needed by everything painted from it."""

    content: dict[str, float]
    description: style_metrics.Description


@dataclass(frozen=True, slots=True)
class Instruments:
    """What measures.

    Args:
        extractor: image -> features by tap.
        kind: "vgg19" or "compact": what a policy may ask for.
        label: the same with where it came from; every report names it.
        wanted: which of the costly metrics are measured.
        axis: how the axis of equal style is made of the families.
    """

    extractor: style_metrics.Extractor
    kind: Literal["vgg19", "compact"]
    label: str
    wanted: Wanted
    axis: Literal["mean", "strict"] = "mean"
    _styles: OrderedDict[str, style_metrics.Description] = field(default_factory=OrderedDict)
    _photos: OrderedDict[str, _Seen] = field(default_factory=OrderedDict)
    _latest: OrderedDict[str, Views] = field(default_factory=OrderedDict)

    @staticmethod
    def load(settings: EvaluationSettings) -> "Instruments":
        """What this machine has and the settings allow."""
        loaded = load_extractor(settings.extractor)
        # a fifth faster on a processor, and the same numbers but for rounding; torch's types leave memory_format out
        loaded.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        with_lpips = settings.lpips and lpips_metrics.lpips_is_available(settings.lpips_backbone)
        kind: Literal["vgg19", "compact"] = "vgg19" if isinstance(loaded.module, Vgg19) else "compact"
        wanted = Wanted(ms_ssim=settings.ms_ssim, lpips=settings.lpips_backbone if with_lpips else None)
        return Instruments(loaded, kind, loaded.name, wanted, settings.style_axis)

    @property
    def key(self) -> str:
        """A digest of all that makes the numbers besides the pictures: our code, the weights, the libraries, the cores.

        The number of threads belongs to it: a sum taken in another order may differ in its last digit. The axis does
        not: it is made anew from the shares whenever a ledger is read.
        """
        known = {
            "code": _code_digest(),
            "extractor": _weights_digest(self.extractor) if isinstance(self.extractor, Extractor) else self.label,
            "wanted": [self.wanted.ms_ssim, self.wanted.lpips],
            "versions": [_version(name) for name in _LIBRARIES],
            "threads": torch.get_num_threads(),
        }
        return hashlib.sha256(json.dumps(known).encode()).hexdigest()

    def style(self, style: Picture) -> style_metrics.Description:
        """A style picture, seen once for the pictures that are held against it; the latest few are kept."""
        return _remember(self._styles, style.sha256, lambda: self._describe(style.pixels))

    def measure(self, pictures: list[Pixels], photo: Picture, style: Picture) -> Scores:
        """Every metric of N pictures of one pair."""
        return self.measure_sweeps({"": pictures}, photo, style)[""]

    def measure_sweeps(self, sweeps: dict[str, list[Pixels]], photo: Picture, style: Picture) -> dict[str, Scores]:
        """Every metric of several sweeps of one pair, in their order.

        The same picture twice is measured once, the photograph itself never again. Each sweep is measured in batches of
        its own, so that its numbers do not depend on what is measured after it.
        """
        own = self._photo(photo)
        target = self.style(style)
        distances = {name: values.numpy() for name, values in style_metrics.distances(own.description, target).items()}
        of_photo = {name: float(values[0]) for name, values in distances.items()}
        rows = {photo.pixels.tobytes(): own.content | of_photo}
        found: dict[str, Scores] = {}
        for name, pictures in sweeps.items():
            new = {key: picture for picture in pictures if (key := picture.tobytes()) not in rows}
            rows |= self._measure_new(new, photo, target)
            table = {
                metric: np.array([rows[p.tobytes()][metric] for p in pictures]) for metric in own.content | of_photo
            }
            found[name] = table | shares_left({each: table[each] for each in of_photo}, of_photo, self.axis)
        return found

    def _measure_new(
        self, new: dict[bytes, Pixels], photo: Picture, target: style_metrics.Description
    ) -> dict[bytes, dict[str, float]]:
        if not new:
            return {}
        images = torch.cat([to_image(picture) for picture in new.values()])
        found = content_scores(images, self._views(photo), self.wanted, photo.boundaries)
        found |= style_distances(images, target, self.extractor)
        return {key: {name: float(found[name][k]) for name in found} for k, key in enumerate(new)}

    def _photo(self, photo: Picture) -> _Seen:
        def look() -> _Seen:
            scores = content_scores(to_image(photo.pixels), self._views(photo), self.wanted, photo.boundaries)
            return _Seen({name: float(values[0]) for name, values in scores.items()}, self._describe(photo.pixels))

        return _remember(self._photos, _key_of(photo), look)

    def _views(self, photo: Picture) -> Views:
        """Of the photograph last met: pairs come photograph by photograph, and views take several times its memory."""
        return _remember(self._latest, _key_of(photo), lambda: Views(to_image(photo.pixels)), most=1)

    def _describe(self, pixels: Pixels) -> style_metrics.Description:
        return style_metrics.describe(to_image(pixels), self.extractor)


def _key_of(photo: Picture) -> str:
    return photo.sha256 + photo.boundaries_sha256


def _remember(kept: OrderedDict[str, T], key: str, make: Callable[[], T], most: int = SEEN_IN_MEMORY) -> T:
    """What is kept under `key`, made where it is not; of `most`, the one unused for longest goes."""
    if key not in kept:
        kept[key] = make()
        if len(kept) > most:
            kept.popitem(last=False)
    kept.move_to_end(key)
    return kept[key]


@cache
def _code_digest() -> str:
    here = Path(__file__).parent
    files = [here / f"{name}.py" for name in _MEASURING]
    files += [path for room in ("runtime", "stylenet") for path in sorted((here.parent / room).glob("*.py"))]
    blobs = [path.read_bytes() for path in files]
    return hashlib.sha256(b"\0".join(blobs)).hexdigest()


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "none"


def _weights_digest(extractor: Extractor) -> str:
    digest = hashlib.sha256(extractor.name.encode())
    for name, values in sorted(extractor.state_dict().items()):
        digest.update(name.encode() + values.cpu().numpy().tobytes())
    return digest.hexdigest()
