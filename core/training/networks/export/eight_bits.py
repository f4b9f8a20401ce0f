"""From a network in floats to a LiteRT file in 8 bits."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import redirect_stdout

import keras
import numpy as np

from core.errors import ExtraMissing
from core.model.preprocessing import Pixels
from core.runtime.quiet import quiet_native_stderr


def to_8_bits(network: keras.Model, photos: Pixels) -> bytes:
    """Convert a network for images of one size: weights and everything between layers in int8.

    It is Google's converter that does it, with the ranges that `photos` show, which are uint8 of
    shape `(n, size, size, 3)`. The input is uint8, the output int8. Raises ExtraMissing where
    Keras runs on another backend than TensorFlow.
    """
    if keras.backend.backend() != "tensorflow":
        raise ExtraMissing(
            "Only TensorFlow converts a network for serving. Run the command again with "
            "KERAS_BACKEND=tensorflow and --resume."
        )
    import tensorflow as tf

    def representative() -> Iterator[list[Pixels]]:
        for photo in photos:
            yield [photo[np.newaxis]]

    converter = tf.lite.TFLiteConverter.from_keras_model(network)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = representative
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.uint8
    converter.inference_output_type = tf.int8
    # the converter logs every weight on both
    with quiet_native_stderr(), redirect_stdout(io.StringIO()):
        content: bytes = converter.convert()
    return content
