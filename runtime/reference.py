"""AdaIN on VGG-19 up to relu4_1 with its mirrored decoder (Huang & Belongie 2017): the cost that speed is held against.

Its weights are random: time depends on shapes alone, and what it paints is never looked at.
"""

import io
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from runtime.export import OPSET
from runtime.openvino_core import openvino_core
from runtime.qdq import LEVELS, write_qdq
from stylenet.images import Pixels, to_image, to_pixels
from stylenet.statistics import mean_std

_ENCODER = (64, 64, "down", 128, 128, "down", 256, 256, 256, 256, "down", 512)
_DECODER = (256, "up", 256, 256, 256, 128, "up", 128, 64, "up", 64, 3)


class ReferenceAdaIN(nn.Module):
    """image (N, 3, H, W), style statistics (N, 1024) -> (N, 3, H, W). Sides in multiples of 8."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, width = _layers(_ENCODER, 3)
        self.decoder, _ = _layers(_DECODER, width)

    def forward(self, image: Tensor, style: Tensor) -> Tensor:
        features = functional.relu(_run(self.encoder, _ENCODER, image))
        mean, std = mean_std(features)
        style_mean, style_std = style.reshape(-1, 2, features.shape[1], 1, 1).unbind(1)
        return _run(self.decoder, _DECODER, (features - mean) / std * style_std + style_mean)


def torch_reference(network: ReferenceAdaIN) -> Callable[[Pixels], Pixels]:
    """Paints with torch in float32."""
    style = torch.ones(1, 1024)

    @torch.inference_mode()
    def paint(pixels: Pixels) -> Pixels:
        return to_pixels(network(to_image(pixels), style))

    return paint


def openvino_reference(
    network: ReferenceAdaIN, precision: str, *, threads: int | None, calibration: Pixels
) -> Callable[[Pixels], Pixels]:
    """Paints with OpenVINO in "float32", "bfloat16" or "int8" (every convolution but the first and the last)."""
    graph = _export(network)
    if precision == "int8":
        graph = write_qdq(graph, _peaks(network, calibration))
    settings: dict[str, Any] = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32" if precision == "float32" else "bf16",
    }
    if threads is not None:
        settings["INFERENCE_NUM_THREADS"] = threads
    core = openvino_core()
    if "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        settings["INFERENCE_PRECISION_HINT"] = "f32"
    request = core.compile_model(core.read_model(graph), "CPU", settings).create_infer_request()
    style = np.ones((1, 1024), np.float32)

    def paint(pixels: Pixels) -> Pixels:
        request.infer({"image": to_image(pixels).numpy(), "style": style}, share_inputs=True)
        return to_pixels(torch.from_numpy(request.get_tensor("stylized").data))

    return paint


def make_reference() -> ReferenceAdaIN:
    """The network with random weights, the same ones every time."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return ReferenceAdaIN().eval().requires_grad_(False)


def _layers(plan: tuple[int | str, ...], channels: int) -> tuple[nn.ModuleList, int]:
    layers = nn.ModuleList()
    for width in plan:
        if isinstance(width, int):
            layers.append(nn.Conv2d(channels, width, 3, padding=1, padding_mode="reflect"))
            channels = width
    return layers, channels


def _run(layers: nn.ModuleList, plan: tuple[int | str, ...], x: Tensor) -> Tensor:
    remaining = iter(layers)
    for place, step in enumerate(plan):
        if step == "down":
            x = functional.max_pool2d(x, 2)
        elif step == "up":
            x = functional.interpolate(x, scale_factor=2.0, mode="nearest")
        else:
            x = next(remaining)(x)
            x = x if place == len(plan) - 1 else functional.relu(x)
    return x


class _Named(nn.Module):
    """Puts the network under the name that `write_qdq` looks for."""

    def __init__(self, network: ReferenceAdaIN) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor, style: Tensor) -> Tensor:
        painted: Tensor = self.network(image, style)
        return painted


def _export(network: ReferenceAdaIN) -> bytes:
    buffer = io.BytesIO()
    axes = {"image": {2: "height", 3: "width"}, "stylized": {2: "height", 3: "width"}}
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _Named(network),
            (torch.zeros(1, 3, 64, 72), torch.ones(1, 1024)),
            buffer,  # type: ignore[arg-type]  # as in runtime.export
            input_names=["image", "style"],
            output_names=["stylized"],
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,
        )
    return buffer.getvalue()


def _peaks(network: ReferenceAdaIN, picture: Pixels) -> dict[str, float]:
    """Scales from one picture's peaks: the weights are random, so that likeness means nothing here."""
    scales: dict[str, float] = {}
    inner = [
        (f"{part}.{place}", layer)
        for part in ("encoder", "decoder")
        for place, layer in enumerate(getattr(network, part))
        if (part, place) not in (("encoder", 0), ("decoder", len(network.decoder) - 1))
    ]

    def remember(name: str) -> Any:
        def hook(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            scales[name] = float(inputs[0].abs().max()) / LEVELS or 1.0

        return hook

    handles = [layer.register_forward_pre_hook(remember(name)) for name, layer in inner]
    torch_reference(network)(picture)
    for handle in handles:
        handle.remove()
    return scales
