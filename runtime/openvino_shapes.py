"""Sizes and statistics of the painting graph without the passes over its features that OpenVINO would make for them."""

from typing import Any

import numpy as np

_UNCHANGED = ("Relu", "PRelu", "FakeQuantize", "Convert", "Clamp", "Sigmoid")
_SUMS = ("Add", "Multiply", "Subtract")


def size_from_photograph(graph: Any) -> int:
    """Work every feature's size out from the photograph's.

    Asking a convolution for its size is using it twice, and then OpenVINO adds bias and activation in a pass of their
    own (65 ms instead of 70 for the shipped weights at 512x512).

    Args:
        graph: an `openvino.Model`, changed in place.

    Returns:
        How many questions were answered from the photograph.
    """
    from openvino import opset13 as ops

    questions = [op for op in graph.get_ops() if op.get_type_name() == "ShapeOf"]
    photograph = graph.input("image").get_node()
    whole = ops.shape_of(photograph, "i64")
    known = {photograph.get_friendly_name(): ops.gather(whole, _numbers(2, 3), _number(0))}
    answered = 0
    for question in questions:
        features = question.input_value(0)
        shape = features.get_partial_shape()
        if features.get_node().get_type_name() == "Parameter" or shape.rank.is_dynamic or len(shape) != 4:
            continue
        sides = _sides(features.get_node(), known)
        if sides is None or shape[1].is_dynamic:
            continue
        batch = ops.gather(whole, _numbers(0), _number(0))
        answer = ops.concat([batch, _numbers(shape[1].get_length()), sides], 0)
        if question.get_output_element_type(0) != answer.get_output_element_type(0):
            answer = ops.convert(answer, question.get_output_element_type(0))
        question.output(0).replace(answer.output(0))
        answered += 1
    graph.validate_nodes_and_infer_types()
    return answered


def enlarge_to_size(graph: Any) -> int:
    """Double to the wanted size at once, instead of doubling and cutting: the same for the nearest neighbour, which of
    n places gives the (2n - 1)-th or 2n-th by halving and rounding down.

    Args:
        graph: an `openvino.Model`, changed in place.

    Returns:
        How many were rewritten.
    """
    from openvino import opset13 as ops

    rewritten = 0
    for doubled in [op for op in graph.get_ops() if op.get_type_name() == "Interpolate"]:
        cut, ends = doubled, []
        while len(_users(cut)) == 1 and _users(cut)[0].get_type_name() == "Slice":
            cut = _users(cut)[0]
            ends.append(cut.input_value(2))
        if doubled.get_attributes()["mode"] != "nearest" or len(ends) != 2:
            continue
        sizes = ops.concat(ends, 0)
        to_size: dict[str, Any] = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        enlarged = ops.interpolate(
            doubled.input_value(0), sizes, "nearest", "sizes", [0, 0], [0, 0], axes=_numbers(2, 3), **to_size
        )
        enlarged.set_friendly_name(doubled.get_friendly_name())
        cut.output(0).replace(enlarged.output(0))
        rewritten += 1
    graph.validate_nodes_and_infer_types()
    return rewritten


def square_while_summing(graph: Any) -> int:
    """Variances as sums of squares, so that the squares are never written down.

    The mean is taken off first, as before: of features that hardly vary, the mean of the squares less the square of the
    mean would be rounding alone in bfloat16.

    Args:
        graph: an `openvino.Model`, changed in place.

    Returns:
        How many variances were rewritten.
    """
    from openvino import opset13 as ops

    rewritten = 0
    for mean in [op for op in graph.get_ops() if op.get_type_name() == "ReduceMean"]:
        square = mean.input_value(0).get_node()
        centred = square.input_value(0).get_node() if square.get_input_size() else square
        if square.get_type_name() not in ("Multiply", "Power") or centred.get_type_name() != "Subtract":
            continue
        sides = ops.gather(ops.shape_of(centred.input_value(0), "i64"), _numbers(2, 3), _number(0))
        places = ops.convert(ops.reduce_prod(sides, _numbers(0), True), np.float32)
        length = ops.reduce_l2(centred.output(0), mean.input_value(1), True)
        variance = ops.divide(ops.multiply(length, length), places)
        mean.output(0).replace(variance.output(0))
        rewritten += 1
    graph.validate_nodes_and_infer_types()
    return rewritten


def _sides(node: Any, known: dict[str, Any]) -> Any:
    """Height and width as a node of two numbers; None where they do not come from the photograph by plain steps."""
    name = node.get_friendly_name()
    if name not in known:
        known[name] = None
        known[name] = _work_out(node, known)
    return known[name]


def _work_out(node: Any, known: dict[str, Any]) -> Any:
    from openvino import opset13 as ops

    kind = node.get_type_name()
    if kind in _SUMS:
        whole = [part.get_node() for part in node.input_values() if _is_a_picture(part.get_partial_shape())]
        return next((sides for part in whole if (sides := _sides(part, known)) is not None), None)
    if (
        kind not in (*_UNCHANGED, "Pad", "Convolution")
        or (sides := _sides(node.input_value(0).get_node(), known)) is None
    ):
        return None
    if kind == "Pad":
        return ops.add(
            sides, ops.add(*(ops.gather(node.input_value(end), _numbers(2, 3), _number(0)) for end in (1, 2)))
        )
    if kind == "Convolution":
        given, kernel = node.get_attributes(), node.input_value(1).get_partial_shape()
        gained = [
            a + b - kernel[i + 2].get_length()
            for i, (a, b) in enumerate(zip(given["pads_begin"], given["pads_end"], strict=True))
        ]
        return ops.add(ops.divide(ops.add(sides, _numbers(*gained)), _numbers(*given["strides"])), _numbers(1, 1))
    return sides


def _is_a_picture(shape: Any) -> bool:
    return shape.rank.is_static and len(shape) == 4 and shape[2].is_dynamic


def _numbers(*values: int) -> Any:
    from openvino import opset13 as ops

    return ops.constant(np.array(values, np.int64))


def _number(value: int) -> Any:
    from openvino import opset13 as ops

    return ops.constant(np.int64(value))


def _users(node: Any) -> list[Any]:
    return [target.get_node() for target in node.output(0).get_target_inputs()]
