"""The painting graph as OpenVINO computes it fastest. What it computes stays the same.

An attention over places is a product of matrices in the ONNX graph, so that every picture of a batch may have its own
keys. OpenVINO turns the features' layout around for each such product; for one picture it is a 1x1 convolution whose
weights are an input, and the layout stays.
"""

from typing import Any

_PLANAR_CHANNELS = 3  # colours are kept plane by plane anyway


def keep_output(graph: Any, output: str) -> Any:
    """The graph with one of its outputs: what leads to the others alone is never computed."""
    import openvino

    return openvino.Model([graph.output(output)], graph.get_parameters())


def convolve_places(graph: Any) -> int:
    """Write products over places as convolutions: for batches of one.

    Args:
        graph: an `openvino.Model`, changed in place.

    Returns:
        How many products were rewritten.
    """
    from openvino import opset13 as ops

    rewritten = 0
    for product in [op for op in graph.get_ops() if op.get_type_name() == "MatMul"]:
        flattened = product.input_value(1).get_node()
        if not _is_over_places(product, flattened):
            continue
        features = flattened.input_value(0)
        depth, channels = (product.input_value(0).get_partial_shape()[axis].get_length() for axis in (1, 2))
        kernel = ops.reshape(product.input_value(0), [depth, channels, 1, 1], special_zero=False)
        convolved = ops.convolution(features, kernel, [1, 1], [0, 0], [0, 0], [1, 1])
        convolved.set_friendly_name(product.get_friendly_name())
        for unflattened in list(product.output(0).get_target_inputs()):
            unflattened.get_node().output(0).replace(convolved.output(0))
        rewritten += 1
    graph.validate_nodes_and_infer_types()
    return rewritten


def _is_over_places(product: Any, flattened: Any) -> bool:
    """(N, D, C) times features (N, C, H, W) flattened to (N, C, HW), and unfolded again by whoever uses it."""
    if flattened.get_type_name() != "Reshape" or product.get_attributes().get("transpose_b"):
        return False
    features, weights = flattened.input_value(0).get_partial_shape(), product.input_value(0).get_partial_shape()
    if features.rank.get_length() != 4 or weights.rank.get_length() != 3:
        return False
    if weights[1].is_dynamic or weights[2].is_dynamic or weights[2].get_length() <= _PLANAR_CHANNELS:
        return False
    users = [user.get_node() for user in product.output(0).get_target_inputs()]
    return all(
        user.get_type_name() == "Reshape" and user.output(0).get_partial_shape().rank.get_length() == 4
        for user in users
    )
