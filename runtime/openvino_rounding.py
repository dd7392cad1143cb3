"""Explicit Q/DQ as OpenVINO computes it right and fast: which roundings to 8 bits it sees, and in what form."""

from typing import Any

import numpy as np

_WORTH_CHANNELS = 64  # from here on a 3x3 product in 8 bits saves more than any rounding in a pass of its own costs


def join_rounding(graph: Any) -> int:
    """Write each quantiser and its dequantiser as one rounding of real numbers, from which OpenVINO makes 8-bit code.

    As two they come out wrong in OpenVINO 2026.4 where a picture's features go elsewhere too: the first numbers are
    then cut off to whole ones without having been scaled (22 dB instead of 44 with the shipped weights).

    Args:
        graph: an `openvino.Model` read from explicit Q/DQ, changed in place.

    Returns:
        How many were joined.
    """
    from openvino import opset13 as ops

    joined = 0
    for quantiser in [op for op in graph.get_ops() if op.get_type_name() == "FakeQuantize"]:
        low, high = quantiser.input_value(1), quantiser.input_value(2)
        rounded = ops.fake_quantize(
            quantiser.input_value(0), low, high, low, high, quantiser.get_attributes()["levels"]
        )
        dequantised = quantiser
        while dequantised.get_type_name() != "Multiply":  # two conversions and, where there is one, a zero point
            dequantised = next(iter(dequantised.output(0).get_target_inputs())).get_node()
        rounded.set_friendly_name(dequantised.get_friendly_name())
        dequantised.output(0).replace(rounded.output(0))
        joined += 1
    return joined


def round_where_free(graph: Any) -> int:
    """Leave in float what is rounded dearly: where the rounding cannot ride on the convolution before it.

    It cannot where those numbers go elsewhere too, and where they are a sum with something made for this picture:
    grain, modulation. Measured with the shipped weights at 512x512: no slower, and 52 dB instead of 43.

    Args:
        graph: an `openvino.Model` whose rounding is joined, changed in place.

    Returns:
        How many convolutions were brought back to float.
    """
    from openvino import opset13 as ops

    freed = 0
    for rounded in [op for op in graph.get_ops() if op.get_type_name() == "FakeQuantize"]:
        convolution = rounded
        while convolution.get_type_name() != "Convolution":  # reflected borders lie between them
            convolution = _users(convolution)[0]
        if _is_free(rounded.input_value(0).get_node()) or _is_worth_a_pass(convolution):
            continue
        kernel = convolution.input_value(1).get_node()
        levels, steps = (_constant(kernel.input_value(place)) for place in (0, 1))
        kernel.output(0).replace(ops.constant(levels.astype(np.float32) * steps.reshape(-1, 1, 1, 1)).output(0))
        rounded.output(0).replace(rounded.input_value(0))
        freed += 1
    return freed


def _is_free(source: Any) -> bool:
    if len([user for user in _users(source) if user.get_type_name() != "ShapeOf"]) > 1:
        return False
    parts = [part.get_node().get_type_name() for part in source.input_values()]
    return source.get_type_name() != "Add" or "Constant" in parts


def _is_worth_a_pass(convolution: Any) -> bool:
    kernel = convolution.input_value(1).get_partial_shape()
    strides = list(convolution.get_attributes()["strides"])
    return kernel[1].get_length() >= _WORTH_CHANNELS and kernel[2].get_length() == 3 and strides == [1, 1]


def _constant(output: Any) -> np.ndarray:
    node = output.get_node()
    while node.get_type_name() != "Constant":  # conversions and changes of shape
        node = node.input_value(0).get_node()
    return np.asarray(node.get_data())


def _users(node: Any) -> list[Any]:
    return [target.get_node() for target in node.output(0).get_target_inputs()]
