"""A package gets an INT8 graph: calibrated on real pictures, mixed by a sensitivity sweep, shipped only if it passes.

First and last layers and everything that is no plain convolution (modulation, attention, statistics, fusion) stay in
float. Of the rest the sweep puts each alone into INT8 and orders them by the harm; the most harmful ones stay in float,
as many as it takes.
"""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from runtime.errors import EngineUnavailable, QuantisationRefused
from runtime.networks import Network, load_network
from runtime.openvino_engine import OpenvinoRunner
from runtime.package import INT8_NAME, STYLIZE_ONNX_NAME, Package, write_package
from runtime.package_engine import PackageEngine
from runtime.painting import psnr_db
from runtime.qdq import LEVELS, quantise_weights, write_qdq
from stylenet.codes import StyleCode
from stylenet.dials import Dials
from stylenet.images import Pixels, to_image, to_pixels

LIKENESS_DB = 38.0
SSIM_ROOM = 0.005
_SEARCH_DB = 42.0  # what the simulation must reach, so that other pictures than the calibration's reach LIKENESS_DB
_KEPT = ("content_encoder.level1", "content_encoder.conv1_1", "decoder.paint", "paint")
_PLAIN = ("content_encoder.", "decoder.", "level", "up", "paint")
_SAMPLES = 4096  # numbers per convolution and pair: enough for a scale, few enough for memory


@dataclass(frozen=True, slots=True)
class Pair:
    """One photograph in one style, for calibration or checking."""

    photograph: Pixels
    style: Pixels


@dataclass(frozen=True, kw_only=True, slots=True)
class Int8Check:
    """What INT8 costs, on pairs that calibration has not seen.

    Args:
        psnr_db: lowest likeness to float32 of any pair. mean_psnr_db: the mean.
        ssim_change: by how much the mean SSIM between painting and photograph moves.
        quantised, kept: how many convolutions are in INT8, and in float.
        engine_psnr_db, engine_ssim_change: the same two on OpenVINO's own INT8, which decide as well; None where it
            is not installed.
    """

    psnr_db: float
    mean_psnr_db: float
    ssim_change: float
    quantised: int
    kept: int
    engine_psnr_db: float | None = None
    engine_ssim_change: float | None = None

    @property
    def passed(self) -> bool:
        """Whether the graph may ship. NaN is a no."""
        likeness = [one for one in (self.psnr_db, self.engine_psnr_db) if one is not None]
        changes = [one for one in (self.ssim_change, self.engine_ssim_change) if one is not None]
        return all(one >= LIKENESS_DB for one in likeness) and all(one <= SSIM_ROOM for one in changes)

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self) | {"passed": self.passed}


def quantise_package(
    package: Package, folder: str | os.PathLike[str], calibration: Sequence[Pair], held_out: Sequence[Pair]
) -> tuple[Package, Int8Check]:
    """The package with an INT8 graph beside its own.

    Args:
        package: verified.
        folder: where the new package shall lie; may be the package's own.
        calibration: pairs that scales and the choice of layers come from.
        held_out: other pairs, for the check.

    Raises:
        QuantisationRefused: the graph fails its check; the message holds the figures.
    """
    network = load_network(package)
    scales, kept = choose(network, calibration)
    if not scales:
        raise QuantisationRefused(f"{package.folder}: no convolution can be in INT8 at {_SEARCH_DB:.0f} dB")
    graph = write_qdq(package.path(STYLIZE_ONNX_NAME).read_bytes(), scales)
    check = check_int8(network, scales, held_out, kept=kept)
    with tempfile.TemporaryDirectory() as aside:
        check = check_engine(check, with_graph(package, Path(aside) / "int8", graph), network, held_out)
    if not check.passed:
        raise QuantisationRefused(f"{package.folder}: {_refusal(check)}; it is not shipped: use bfloat16")
    return with_graph(package, folder, graph), check


def _refusal(check: Int8Check) -> str:
    engine = ""
    if check.engine_psnr_db is not None:
        engine = f", on OpenVINO by {check.engine_psnr_db:.1f} dB and {check.engine_ssim_change:.4f}"
    return (
        f"INT8 differs by {check.psnr_db:.1f} dB (needed {LIKENESS_DB:.0f}) and moves SSIM by {check.ssim_change:.4f} "
        f"(allowed {SSIM_ROOM}){engine}"
    )


def choose(network: Network, pairs: Sequence[Pair]) -> tuple[dict[str, float], int]:
    """Scales of the convolutions that go into INT8, and how many stay in float."""
    scales = calibrate(network, pairs)
    expected = [paint(network, pair) for pair in pairs]

    def likeness(chosen: Mapping[str, float]) -> float:
        with simulated(network, chosen):
            return min(psnr_db(paint(network, pair), want) for pair, want in zip(pairs, expected, strict=True))

    harmless_first = sorted(scales, key=lambda name: -likeness({name: scales[name]}))
    low, high = 0, len(harmless_first)  # the first `low` together are good enough
    while low < high:
        middle = (low + high + 1) // 2
        if likeness({name: scales[name] for name in harmless_first[:middle]}) >= _SEARCH_DB:
            low = middle
        else:
            high = middle - 1
    return {name: scales[name] for name in harmless_first[:low]}, len(list(_convolutions(network))) - low


def calibrate(network: Network, pairs: Sequence[Pair]) -> dict[str, float]:
    """The scale of every convolution's input that loses least (mean squared error) on these pairs."""
    seen: dict[str, list[Tensor]] = {}

    def remember(name: str) -> Any:
        def hook(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            flat = inputs[0].flatten()
            step = max(1, flat.numel() // _SAMPLES)
            seen.setdefault(name, []).append(torch.cat([flat[::step], flat.abs().max()[None]]))

        return hook

    handles = [module.register_forward_pre_hook(remember(name)) for name, module in _candidates(network)]
    codes = [encode(network, pair.style) for pair in pairs]
    seen.clear()  # what the style encoder saw is not what the painting graph sees
    for pair, code in zip(pairs, codes, strict=True):
        paint(network, pair, code)
    for handle in handles:
        handle.remove()
    return {name: _best_scale(torch.cat(values)) for name, values in seen.items()}


@contextmanager
def simulated(network: Network, scales: Mapping[str, float]) -> Iterator[None]:
    """The network as INT8 would compute it: inputs and weights of the named convolutions on their grids."""
    modules = dict(network.named_modules())
    kept = {name: modules[name].weight.data.clone() for name in scales}
    handles = []
    for name, scale in scales.items():
        levels, steps = quantise_weights(kept[name].numpy())
        modules[name].weight.data = torch.from_numpy(levels * steps[:, None, None, None])
        handles.append(modules[name].register_forward_pre_hook(_rounding(scale)))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
        for name, weights in kept.items():
            modules[name].weight.data = weights


def check_int8(network: Network, scales: Mapping[str, float], pairs: Sequence[Pair], *, kept: int) -> Int8Check:
    """What the simulation says about pairs that calibration has not seen."""
    wanted, got = [], []
    for pair in pairs:
        code = encode(network, pair.style)
        wanted.append(paint(network, pair, code))
        with simulated(network, scales):
            got.append(paint(network, pair, code))
    likeness, change = _compare(pairs, wanted, got)
    return Int8Check(
        psnr_db=min(likeness),
        mean_psnr_db=float(np.mean(likeness)),
        ssim_change=change,
        quantised=len(scales),
        kept=kept,
    )


def check_engine(check: Int8Check, package: Package, network: Network, pairs: Sequence[Pair]) -> Int8Check:
    """The check with what OpenVINO's own INT8 paints; as it is where OpenVINO is not installed.

    An engine may compute a right graph wrongly: OpenVINO 2026.4 painted at 22 dB what the simulation gave 44.
    """
    try:
        engine = PackageEngine(OpenvinoRunner(package, precision="int8"))
    except EngineUnavailable:
        return check
    wanted, got = [], []
    for pair in pairs:
        code = encode(network, pair.style)
        wanted.append(paint(network, pair, code))
        got.append(engine.stylize(pair.photograph, StyleCode(*(part[0].numpy() for part in code))))
    engine.close()
    likeness, change = _compare(pairs, wanted, got)
    return replace(check, engine_psnr_db=min(likeness), engine_ssim_change=change)


def _compare(pairs: Sequence[Pair], wanted: Sequence[Pixels], got: Sequence[Pixels]) -> tuple[list[float], float]:
    """Likeness of each pair, and by how much the mean SSIM between painting and photograph moves."""
    from skimage.metrics import structural_similarity

    changes = []
    for pair, *paintings in zip(pairs, wanted, got, strict=True):
        ssims = [structural_similarity(one, pair.photograph, channel_axis=2) for one in paintings]
        changes.append(ssims[0] - ssims[1])
    return [psnr_db(one, other) for one, other in zip(got, wanted, strict=True)], abs(float(np.mean(changes)))


@torch.inference_mode()
def paint(network: Network, pair: Pair, code: tuple[Tensor, ...] | None = None) -> Pixels:
    """The pair's painting at the default dials."""
    code = code or encode(network, pair.style)
    return to_pixels(network(to_image(pair.photograph), *code, torch.tensor([Dials().numbers()])))


@torch.inference_mode()
def encode(network: Network, style: Pixels) -> tuple[Tensor, ...]:
    return network.encode_style(to_image(style))


def _convolutions(network: Network) -> Iterator[tuple[str, nn.Conv2d]]:
    """Those that the painting graph holds as plain convolutions."""
    for name, module in network.named_modules():
        plain = name.startswith(_PLAIN) and ".modulate." not in name and ".spread" not in name
        if plain and isinstance(module, nn.Conv2d):
            yield name, module


def _candidates(network: Network) -> Iterator[tuple[str, nn.Conv2d]]:
    return ((name, module) for name, module in _convolutions(network) if name not in _KEPT)


def _rounding(scale: float) -> Any:
    def hook(_: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return ((inputs[0] / scale).round().clamp(-LEVELS - 1, LEVELS) * scale, *inputs[1:])

    return hook


def _best_scale(values: Tensor) -> float:
    peak = float(values.abs().max()) or 1e-6
    candidates = [peak * share / LEVELS for share in np.linspace(0.3, 1.0, 36)]
    errors = [float(((values / s).round().clamp(-LEVELS - 1, LEVELS) * s - values).square().mean()) for s in candidates]
    return candidates[int(np.argmin(errors))]


def with_graph(package: Package, folder: str | os.PathLike[str], graph: bytes) -> Package:
    """The package with this as its INT8 graph."""
    manifest = package.manifest
    files = {name: package.path(name).read_bytes() for name in manifest.files}
    return write_package(
        folder,
        files={**files, INT8_NAME: graph},
        name=manifest.name,
        variant=manifest.variant,
        config=manifest.config,
        git_commit=manifest.git_commit,
        data_digest=manifest.data_digest,
        parents=manifest.parents,
    )
