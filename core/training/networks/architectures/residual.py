"""The default network: residual blocks with squeeze-and-excitation."""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers

from core.training.networks.architectures.outputs import ACTIVATION, LOGITS, RESCALING

_STEM_WIDTH = 32
_BATCH_NORM_MOMENTUM = 0.95  # Keras's 0.99 lags behind on runs of a few thousand steps


def residual(
    size: int | None,
    outputs: int,
    widths: Sequence[int] = (48, 96, 192),
    blocks: Sequence[int] = (1, 2, 3),
) -> keras.Model:
    """Build the network, by default of 2.2 M parameters, in Keras's functional style.

    It follows He et al., "Deep Residual Learning for Image Recognition", 2016, and Hu et al.,
    "Squeeze-and-Excitation Networks", 2018. The image is halved only four times, and most blocks
    stand at the end, where they are wide.

    `size` is the image's side in pixels, None for any; `outputs` is the number of classes, or 1
    for two classes told apart by one sigmoid. The stem halves the image, and so does the first of
    each number of residual `blocks`, which are as wide as `widths` says.

    Returns: a network as `architectures.build` gives it; the activation's h and w are a 16th of
    the size by default.
    """
    image = keras.Input((size, size, 3), dtype="uint8", name="image")
    x = layers.Rescaling(1 / 127.5, offset=-1, name=RESCALING)(image)
    x = _convolution(x, min(_STEM_WIDTH, widths[0]), stride=2)
    for index, (width, number) in enumerate(zip(widths, blocks, strict=True)):
        for block in range(number):
            # the first width's are large images, where weighing channels costs most
            x = _residual_block(x, width, stride=1 if block else 2, excite=index > 0)
    head = layers.Dense(outputs, name="head")
    pooled = layers.Dropout(0.1)(layers.GlobalAveragePooling2D()(x))
    return keras.Model(image, {LOGITS: head(pooled), ACTIVATION: head(x)}, name="catdog")


def _convolution(
    x: keras.KerasTensor, width: int, *, kernel: int = 3, stride: int = 1, activate: bool = True
) -> keras.KerasTensor:
    x = layers.Conv2D(
        width,
        kernel,
        strides=stride,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
    )(x)
    x = layers.BatchNormalization(momentum=_BATCH_NORM_MOMENTUM)(x)
    return layers.ReLU()(x) if activate else x


def _residual_block(
    x: keras.KerasTensor, width: int, *, stride: int, excite: bool
) -> keras.KerasTensor:
    y = _convolution(x, width, stride=stride)
    y = _convolution(y, width, activate=False)
    if excite:
        y = _squeeze_and_excite(y, width)
    if stride > 1:
        x = layers.AveragePooling2D(stride, padding="same")(x)
    if x.shape[-1] != width:
        x = _convolution(x, width, kernel=1, activate=False)
    return layers.ReLU()(layers.Add()([x, y]))


def _squeeze_and_excite(x: keras.KerasTensor, width: int) -> keras.KerasTensor:
    weights = layers.GlobalAveragePooling2D(keepdims=True)(x)
    weights = layers.Conv2D(max(8, width // 8), 1, activation="relu")(weights)
    weights = layers.Conv2D(width, 1, activation="sigmoid")(weights)
    return layers.Multiply()([x, weights])
