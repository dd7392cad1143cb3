"""Explicit INT8 in ONNX: QuantizeLinear and DequantizeLinear around chosen convolutions, everything else untouched.

Activations: one scale per tensor, no zero point; weights: one scale per output channel, stored as int8. TensorRT takes
nothing else, and OpenVINO computes it with the processor's 8-bit dot products.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from runtime.errors import EngineUnavailable
from runtime.package import INT8_NAME, Package

LEVELS = 127  # -127..127: symmetric, so that no zero point is needed


def quantise_weights(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(O, I, h, w) float -> the same as int8, and (O,) float32 scales."""
    peak = np.abs(weights).reshape(len(weights), -1).max(axis=1)
    scales = np.maximum(peak / LEVELS, 1e-9).astype(np.float32)
    levels = np.clip(np.rint(weights / scales[:, None, None, None]), -LEVELS, LEVELS)
    return levels.astype(np.int8), scales


def write_qdq(graph: bytes, scales: Mapping[str, float]) -> bytes:
    """A painting graph with some of its convolutions in INT8.

    Args:
        graph: what `export_stylize` wrote.
        scales: by the convolution's module name (`decoder.merge1`), the scale of its input.

    Raises:
        KeyError: no convolution of that name is in the graph.
    """
    import onnx
    from onnx import numpy_helper

    model = onnx.load_from_string(graph)
    by_name = {node.name: node for node in model.graph.node if node.op_type == "Conv"}
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    makers = {name: node for node in model.graph.node for name in node.output}
    before: dict[str, list[Any]] = {}
    for module, scale in scales.items():
        convolution = by_name[_node_name(module)]
        # Borders are reflected in 8 bits too: the quantiser then fuses with whatever came before.
        padding = makers.get(convolution.input[0])
        entry = padding if padding is not None and padding.op_type == "Pad" else convolution
        dtype = numpy_helper.to_array(weights[convolution.input[1]]).dtype  # float16 where the graph's convolutions are
        before[entry.name] = _quantise_input(model, entry, module, scale, dtype)
        before.setdefault(convolution.name, []).append(_quantise_kernel(model, convolution, module, weights))
    nodes = [one for node in model.graph.node for one in (*before.get(node.name, ()), node)]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    _drop_unused(model)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def read_scales(graph: bytes) -> dict[str, float]:
    """What `write_qdq` was given: by module name, the scale of every input in 8 bits."""
    import onnx
    from onnx import numpy_helper

    constants = {tensor.name: tensor for tensor in onnx.load_from_string(graph).graph.initializer}
    modules = [name.removesuffix(".zero") for name in constants if name.endswith(".zero")]
    return {module: float(numpy_helper.to_array(constants[f"{module}.scale"])) for module in modules}


def int8_path(package: Package) -> Path:
    """The package's INT8 graph.

    Raises:
        EngineUnavailable: it has none.
    """
    if INT8_NAME not in package.manifest.files:
        raise EngineUnavailable(
            f"{package.folder} has no {INT8_NAME}: none was made, or it failed its check; "
            "`pentimento export --int8` tries, any other precision does without"
        )
    return package.path(INT8_NAME)


def _node_name(module: str) -> str:
    """As the exporter writes it: a place in a list stays behind a full stop."""
    return "/network/" + re.sub(r"/(\d+)", r".\1", module.replace(".", "/")) + "/Conv"


def _quantise_input(model: Any, entry: Any, module: str, scale: float, dtype: np.dtype) -> list[Any]:
    from onnx import helper, numpy_helper

    model.graph.initializer.extend(
        [
            numpy_helper.from_array(np.asarray(scale, dtype), f"{module}.scale"),
            numpy_helper.from_array(np.asarray(0, np.int8), f"{module}.zero"),
        ]
    )
    source, entry.input[0] = entry.input[0], f"{module}.dequantised"
    constants = [f"{module}.scale", f"{module}.zero"]
    return [
        helper.make_node(
            "QuantizeLinear", [source, *constants], [f"{module}.quantised"], name=f"{module}.QuantizeLinear"
        ),
        helper.make_node(
            "DequantizeLinear",
            [f"{module}.quantised", *constants],
            [f"{module}.dequantised"],
            name=f"{module}.DequantizeLinear",
        ),
    ]


def _quantise_kernel(model: Any, convolution: Any, module: str, weights: Mapping[str, Any]) -> Any:
    from onnx import helper, numpy_helper

    kernel = numpy_helper.to_array(weights[convolution.input[1]])
    levels, scales = quantise_weights(kernel.astype(np.float32))
    names = [f"{module}.kernel.levels", f"{module}.kernel.scales", f"{module}.kernel.zeros"]
    arrays = (levels, scales.astype(kernel.dtype), np.zeros(len(levels), np.int8))
    model.graph.initializer.extend(numpy_helper.from_array(a, n) for a, n in zip(arrays, names, strict=True))
    convolution.input[1] = f"{module}.kernel"
    return helper.make_node(
        "DequantizeLinear", names, [f"{module}.kernel"], name=f"{module}.kernel.DequantizeLinear", axis=0
    )


def _drop_unused(model: Any) -> None:
    used = {name for node in model.graph.node for name in node.input}
    kept = [tensor for tensor in model.graph.initializer if tensor.name in used]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
