"""A network becomes two ONNX graphs: style picture -> code, and image + code + dials -> image. Any size, any batch."""

import copy
import io
import logging
import warnings

import torch
from torch import Tensor, nn

from runtime.networks import Network
from stylenet.ledger import Ledger
from stylenet.network import STEP_PX

OPSET = 18
HALF_OPSET = 19  # from here on, QuantizeLinear takes float16
HALVED = ("content_encoder.", "decoder.", "fusion.", "level", "up", "paint")
STYLE_OUTPUTS = ("colour", "texture", "semantics")
STYLIZE_INPUTS = ("image", "colour", "texture", "semantics", "dials", "statistics", "hold", "offset")
STYLIZE_OUTPUTS = ("stylized", "measured")
EXAMPLE_SIDES = (72, 88)  # neither square nor a power of two, so that no size is frozen by accident


class _StyleGraph(nn.Module):
    """`encode_style` as a module: what the exporter takes."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, style: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return self.network.encode_style(style)


class _StylizeGraph(nn.Module):
    """The forward pass with its ledger in the open: what is held goes in, what is measured comes out."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(
        self,
        image: Tensor,
        colour: Tensor,
        texture: Tensor,
        semantics: Tensor,
        dials: Tensor,
        statistics: Tensor,
        hold: Tensor,
        offset: Tensor,
    ) -> tuple[Tensor, Tensor]:
        ledger = Ledger(statistics, hold)
        stylized = self.network(image, colour, texture, semantics, dials, ledger, offset)
        return stylized, ledger.measured


def export_style(network: Network) -> bytes:
    """The style graph: `style` (N, 3, H, W) -> `colour` (N, 12), `texture` (N, T), `semantics` (N, S)."""
    example = torch.zeros(2, 3, *EXAMPLE_SIDES)
    axes = {"style": {0: "batch", 2: "height", 3: "width"}} | {name: {0: "batch"} for name in STYLE_OUTPUTS}
    return _export(_StyleGraph(network), (example,), ["style"], list(STYLE_OUTPUTS), axes)


def export_stylize(network: Network, *, half: bool = False) -> bytes:
    """The painting graph.

    With `half` its convolutions compute in float16, for engines that take every type as it is written (TensorRT from
    version 11); statistics, colours and the fusion stay in float32, and so do inputs and outputs.

    Inputs: `image` (N, 3, H, W) -1..1, the code, `dials` (N, 5), and what tiles and videos need: `statistics` (N, S)
    with `hold` (N, 1), see `Ledger`, and `offset` (2,) int64, see `Grain`; zeros for a picture of its own.
    Outputs: `stylized` (N, 3, H, W) -1..1, `measured` (N, S).
    """
    if half:
        network = with_half_convolutions(network)
    image = torch.zeros(2, 3, *EXAMPLE_SIDES)
    dials = torch.full((2, 5), 0.5)
    ledger = Ledger()
    with torch.no_grad():
        code = network.encode_style(image)
        network(image, *code, dials, ledger)
    example = (image, *code, dials, ledger.measured, torch.full((2, 1), 0.5), torch.tensor([STEP_PX, 2 * STEP_PX]))
    axes = {name: {0: "batch"} for name in (*STYLIZE_INPUTS, *STYLIZE_OUTPUTS) if name != "offset"}
    axes["image"] = axes["stylized"] = {0: "batch", 2: "height", 3: "width"}
    return _export(_StylizeGraph(network), example, list(STYLIZE_INPUTS), list(STYLIZE_OUTPUTS), axes, half=half)


def with_half_convolutions(network: Network, dtype: torch.dtype = torch.float16) -> Network:
    """A copy whose convolutions take and give a 16-bit type; everything between them finds its own type."""
    copied = copy.deepcopy(network)
    for name, module in copied.named_modules():
        # Of queries and grain only the weights are used, in products with vectors that stay in float32.
        if isinstance(module, nn.Conv2d) and name.startswith(HALVED) and not name.endswith((".query", ".spread")):
            module.to(dtype)
            module.register_forward_pre_hook(lambda _, inputs: (inputs[0].to(dtype),))
    return copied


def _export(
    module: nn.Module,
    example: tuple[Tensor, ...],
    inputs: list[str],
    outputs: list[str],
    axes: dict[str, dict[int, str]],
    *,
    half: bool = False,
) -> bytes:
    module = module.eval()
    buffer = io.BytesIO()
    with warnings.catch_warnings(), torch.no_grad():
        # The TorchScript exporter is deprecated, but writes plain operators with free sizes; its successor is untried.
        warnings.simplefilter("ignore")
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        torch.onnx.export(
            module,
            example,
            buffer,  # type: ignore[arg-type]  # a file object is taken, whatever the annotation says
            input_names=inputs,
            output_names=outputs,
            dynamic_axes=axes,
            opset_version=HALF_OPSET if half else OPSET,
            dynamo=False,
        )
    return buffer.getvalue()
