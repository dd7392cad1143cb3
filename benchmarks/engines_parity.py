"""Both exported graphs and torch on random sizes: `python -m benchmarks.engines_parity pretrained/compact 200`.

The graphs are computed twice: by ONNX Runtime as they were exported, and by OpenVINO, which rewrites the painting graph
first. Photographs, styles and dials are random too. Prints the worst of all pictures.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from runtime.openvino_engine import OpenvinoRunner
from runtime.package import STYLE_ONNX_NAME, STYLIZE_ONNX_NAME, Package, open_package
from runtime.package_engine import PackageEngine
from runtime.painting import psnr_db
from runtime.runner import Batch, Floats, Order
from runtime.torch_engine import TorchRunner
from stylenet.codes import CODE_NAMES, StyleCode
from stylenet.dials import Dials
from stylenet.images import Pixels, to_images, to_pictures
from stylenet.pictures import MIN_SIDE_PX


@dataclass(frozen=True, kw_only=True, slots=True)
class Parity:
    """One engine against torch, the worst of all pictures.

    Args:
        engine: "onnxruntime" or "openvino".
        levels: the largest difference of any value of any picture, of 255; beyond: pictures with more than one.
        psnr_db: the lowest likeness; infinite where all are the same.
        code: the largest difference of any number of a style code, as a share of the largest number of its part.
    """

    engine: str
    levels: int
    beyond: int
    psnr_db: float
    code: float


class OnnxRuntimeRunner:
    """See `runtime.runner.Runner`: the graphs as they were exported, by an engine that did not see them being made."""

    name, precision, device = "onnxruntime", "float32", "cpu"

    def __init__(self, package: Package) -> None:
        import onnxruntime

        self.package = package
        self._style, self._stylize = (
            onnxruntime.InferenceSession(str(package.path(name)), providers=["CPUExecutionProvider"])
            for name in (STYLE_ONNX_NAME, STYLIZE_ONNX_NAME)
        )
        widths = {given.name: given.shape[1] for given in self._stylize.get_inputs() if len(given.shape) == 2}
        self.sizes = {name: widths[name] for name in CODE_NAMES}
        self.statistics_size = widths["statistics"]

    def encode(self, picture: Batch) -> tuple[Floats, Floats, Floats]:
        """See `Runner.encode`."""
        colour, texture, semantics = self._style.run(list(CODE_NAMES), {"style": to_images(picture).numpy()})
        return colour, texture, semantics

    def paint(self, pictures: Batch, order: Order) -> Batch:
        """See `Runner.paint`."""
        return to_pictures(torch.from_numpy(self._run("stylized", pictures, order)))

    def measure(self, pictures: Batch, order: Order) -> Floats:
        """See `Runner.measure`."""
        return self._run("measured", pictures, order)

    def close(self) -> None:
        """See `Runner.close`."""
        del self._style, self._stylize

    def _run(self, output: str, pictures: Batch, order: Order) -> Floats:
        made: Floats = self._stylize.run([output], {"image": to_images(pictures).numpy(), **order.feed()})[0]
        return made


def main(folder: str, count: int, *, most_px: int = 320) -> list[Parity]:
    """Photographs and styles of `count` random sizes each, sides from 16 to `most_px`."""
    package = open_package(folder)
    runners = OnnxRuntimeRunner(package), OpenvinoRunner(package, precision="float32")
    reference, *others = (PackageEngine(runner) for runner in (TorchRunner(package), *runners))
    random = np.random.default_rng(0)
    pairs: dict[str, list[tuple[Pixels, Pixels, float]]] = {other.name: [] for other in others}
    for _ in range(count):
        photograph, style = (_draw(random, most_px) for _ in range(2))
        dials = Dials(**dict(zip(_TURNED, random.uniform(0.1, 1, len(_TURNED)), strict=True)))
        code = reference.encode_style(style)
        expected = reference.stylize(photograph, code, dials)
        for other in others:
            painted = other.stylize(photograph, code, dials)
            pairs[other.name].append((expected, painted, _difference(code, other.encode_style(style))))
    return [_worst(name, made) for name, made in pairs.items()]


_TURNED = ("strength", "fidelity", "texture", "semantics")


def _draw(random: np.random.Generator, most_px: int) -> Pixels:
    """A picture of any size, of coloured squares of nine pixels."""
    height, width = random.integers(MIN_SIDE_PX, most_px, 2)
    coarse = random.integers(0, 256, (-(-height // 9), -(-width // 9), 3), dtype=np.uint8)
    return np.ascontiguousarray(np.kron(coarse, np.ones((9, 9, 1), np.uint8))[:height, :width])


def _difference(one: StyleCode, other: StyleCode) -> float:
    theirs = other.parts()
    return max(
        float(np.abs(part - theirs[name]).max() / max(np.abs(part).max(), 1e-6)) for name, part in one.parts().items()
    )


def _worst(engine: str, made: Sequence[tuple[Pixels, Pixels, float]]) -> Parity:
    levels = [int(np.abs(expected.astype(int) - painted).max()) for expected, painted, _ in made]
    return Parity(
        engine=engine,
        levels=max(levels),
        beyond=sum(level > 1 for level in levels),
        psnr_db=min(psnr_db(expected, painted) for expected, painted, _ in made),
        code=max(code for *_, code in made),
    )


if __name__ == "__main__":
    for one in main(sys.argv[1], int(sys.argv[2])):
        print(
            f"{one.engine}: largest difference {one.levels} of 255 levels; {one.beyond} of {sys.argv[2]} pictures "
            f"differ by more than one level; lowest likeness {one.psnr_db:.1f} dB; style codes by {one.code:.1e} of "
            "their largest number at most"
        )
