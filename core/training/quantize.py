"""Large convolutions in 8 bits: processors multiply bytes several times as fast as floats."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from ai_edge_litert.tools import flatbuffer_utils

from core.preprocessing import Pixels
from core.quiet import quiet_native_stderr

Floats = npt.NDArray[np.float64]

# smaller ones, and those of 1 x 1, save no time that can be measured, and cost accuracy
FEWEST_WEIGHTS = 8_192
_MOST_INPUTS = 4_096  # to one place: their second moments are as many, squared
_PLACES = 400  # of each photo and kernel
_DAMPING = 0.01  # of the mean square of the inputs, as in the paper
_BLOCK = 64  # columns after which the others hear of what is left over


@dataclass(frozen=True, slots=True)
class _Convolution:
    """One whose weights are to be stored in 8 bits, as it stands in the graph."""

    operator: Any
    weights: Any  # the operator that makes 32 bits of their 16
    bias: Any  # the same
    window: tuple[int, int]
    stride: tuple[int, int]
    padded: bool
    inputs: int  # to one place


def quantize(
    content: bytes, photos: Pixels, *, fewest_weights: int = FEWEST_WEIGHTS
) -> bytes | None:
    """Store the weights of large convolutions in 8 bits, one scale for each output channel.

    `content` is a LiteRT model with weights in 16 bits. Convolutions with weights in 8 bits have
    their inputs rounded to 8 bits, too, when the model runs, by the range of each photo. Weights
    are not rounded to the nearest, but one after the other, so that what is lost with one is made
    up for by the next ones, in the outputs on `photos` (GPTQ: https://arxiv.org/abs/2210.17323),
    which are uint8 of shape `(n, size, size, 3)`; without any, to the nearest after all. Returns
    None where no kernel is large enough.
    """
    model = flatbuffer_utils.read_model_from_bytearray(content)
    graph = model.subgraphs[0]
    convolutions = _large_convolutions(model, fewest_weights)
    if not convolutions:
        return None
    all_moments = _second_moments(content, convolutions, photos)
    for convolution, moments in zip(convolutions, all_moments, strict=True):
        weights = _narrow(model, convolution.weights)
        rounded, scales = rounded_weights(weights.reshape(len(weights), -1), moments)
        quantization = schema.QuantizationParametersT()
        quantization.scale = scales.tolist()
        quantization.zeroPoint = [0] * len(scales)
        quantization.quantizedDimension = 0
        _put(model, convolution.weights, rounded, schema.TensorType.INT8, quantization)
        bias = _narrow(model, convolution.bias).astype(np.float32)  # or XNNPACK refuses the model
        _put(model, convolution.bias, bias, schema.TensorType.FLOAT32)
        convolution.operator.inputs[1] = convolution.weights.inputs[0]
        convolution.operator.inputs[2] = convolution.bias.inputs[0]
        graph.operators.remove(convolution.weights)
        graph.operators.remove(convolution.bias)
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def rounded_weights(
    weights: npt.NDArray[np.floating[Any]], moments: Floats
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
    """Round weights of shape `(outputs, inputs)`, given the second moments of the inputs.

    Returns: the weights, -127 to 127, and the scale of each output.
    """
    order = np.argsort(-moments.diagonal())  # what matters most first, while all others can give
    left = weights[:, order].astype(np.float64)
    largest = np.abs(left).max(axis=1)
    scales = np.where(largest > 0, largest, 1.0) / 127
    damped = moments[np.ix_(order, order)]
    damped[np.diag_indices_from(damped)] += _DAMPING * moments.diagonal().mean() + 1e-12
    spread = np.linalg.cholesky(np.linalg.inv(damped)).T
    rounded = np.zeros_like(left)
    for begin in range(0, len(order), _BLOCK):
        block = slice(begin, begin + _BLOCK)
        lost = np.zeros_like(left[:, block])
        for column in range(begin, min(begin + _BLOCK, len(order))):
            rounded[:, column] = np.clip(np.rint(left[:, column] / scales), -127, 127)
            gap = left[:, column] - rounded[:, column] * scales
            lost[:, column - begin] = gap / spread[column, column]
            rest = slice(column + 1, begin + _BLOCK)
            left[:, rest] -= np.outer(lost[:, column - begin], spread[column, rest])
        left[:, begin + _BLOCK :] -= lost @ spread[block, begin + _BLOCK :]
    back = np.empty_like(rounded, dtype=np.int8)
    back[:, order] = rounded
    return back, scales.astype(np.float32)


def _large_convolutions(model: Any, fewest_weights: int) -> list[_Convolution]:
    graph = model.subgraphs[0]
    kinds = [
        flatbuffer_utils.get_builtin_code_from_operator_code(code) for code in model.operatorCodes
    ]
    widenings = {
        operator.outputs[0]: operator
        for operator in graph.operators
        if kinds[operator.opcodeIndex] == schema.BuiltinOperator.DEQUANTIZE
    }
    uses = Counter(tensor for operator in graph.operators for tensor in operator.inputs)
    found: list[_Convolution] = []
    for operator in graph.operators:
        if kinds[operator.opcodeIndex] != schema.BuiltinOperator.CONV_2D:
            continue
        weights, bias = (widenings.get(tensor) for tensor in operator.inputs[1:3])
        if (
            weights is None
            or bias is None
            or any(uses[tensor] > 1 for tensor in operator.inputs[1:3])
        ):
            continue
        _, height, width, channels = shape = graph.tensors[weights.inputs[0]].shape
        how = operator.builtinOptions
        if (
            np.prod(shape) >= fewest_weights
            and height * width > 1
            and height * width * channels <= _MOST_INPUTS
            and (how.dilationHFactor, how.dilationWFactor) == (1, 1)
        ):
            found.append(
                _Convolution(
                    operator,
                    weights,
                    bias,
                    window=(int(height), int(width)),
                    stride=(how.strideH, how.strideW),
                    padded=how.padding == schema.Padding.SAME,
                    inputs=int(height * width * channels),
                )
            )
    return found


def _narrow(model: Any, widening: Any) -> npt.NDArray[np.float16]:
    """Read what an operator makes 32 bits of."""
    tensor = model.subgraphs[0].tensors[widening.inputs[0]]
    return np.frombuffer(bytes(model.buffers[tensor.buffer].data), np.float16).reshape(tensor.shape)


def _put(
    model: Any, widening: Any, numbers: npt.NDArray[Any], kind: int, quantization: Any = None
) -> None:
    """Store something else in its place."""
    tensor = model.subgraphs[0].tensors[widening.inputs[0]]
    tensor.type, tensor.quantization = kind, quantization
    model.buffers[tensor.buffer].data = np.frombuffer(numbers.tobytes(), np.uint8)


def _second_moments(
    content: bytes, convolutions: list[_Convolution], photos: Pixels
) -> list[Floats]:
    """Run the model on photos, and take the mean products of each convolution's inputs."""
    with quiet_native_stderr():
        interpreter = Interpreter(
            model_content=content,
            num_threads=2,
            experimental_preserve_all_tensors=True,
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        )
        interpreter.allocate_tensors()
    image = interpreter.get_input_details()[0]["index"]
    random = np.random.default_rng(0)
    sums = [np.zeros((one.inputs, one.inputs)) for one in convolutions]
    places = [0] * len(convolutions)
    for photo in photos:
        interpreter.set_tensor(image, photo[np.newaxis])
        interpreter.invoke()
        for index, convolution in enumerate(convolutions):
            seen = _seen(interpreter.get_tensor(convolution.operator.inputs[0])[0], convolution)
            some = seen[random.permutation(len(seen))[:_PLACES]]
            sums[index] += some.T @ some
            places[index] += len(some)
    return [total / max(n, 1) for total, n in zip(sums, places, strict=True)]


def _seen(inputs: npt.NDArray[np.float32], convolution: _Convolution) -> npt.NDArray[np.float32]:
    """Lay out what the kernel is multiplied with: a row for each place, as its weights lie."""
    if convolution.padded:
        around = [
            _padding(side, window, stride)
            for side, window, stride in zip(
                inputs.shape, convolution.window, convolution.stride, strict=False
            )
        ]
        inputs = np.pad(inputs, (*around, (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(inputs, convolution.window, axis=(0, 1))
    down, across = convolution.stride
    windows = windows[::down, ::across].transpose(0, 1, 3, 4, 2)
    return windows.reshape(-1, convolution.inputs)


def _padding(side: int, window: int, stride: int) -> tuple[int, int]:
    """As TensorFlow's SAME: the odd one after."""
    missing = max((-(-side // stride) - 1) * stride + window - side, 0)
    return missing // 2, missing - missing // 2
