"""What makes TensorFlow train faster on CPUs; other backends do without."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf


def compute_convolutions_in_bfloat16() -> None:
    """Compute convolutions in bfloat16 from now on, if the processor has instructions for it.

    For the whole process, and for graphs alone. Networks computed layer by layer, and exported
    ones, are as before. Without the instructions a step would take 17 times as long.
    """
    if not has_bfloat16(_processor()):
        return
    tf.config.optimizer.set_experimental_options({"auto_mixed_precision_onednn_bfloat16": True})


def has_bfloat16(processor: str) -> bool:
    """Return whether a text like Linux's `/proc/cpuinfo` lists instructions for bfloat16."""
    return re.search(r"\b(avx512_bf16|amx_bf16)\b", processor) is not None


def _processor() -> str:
    try:
        return Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:  # on other systems nobody says
        return ""


@keras.saving.register_keras_serializable("catdog")
class FusedBatchNormalization(keras.layers.BatchNormalization):  # type: ignore[misc]  # no types
    """Batch normalization in one kernel, where Keras's own goes through memory a dozen times.

    Its weights are those of `keras.layers.BatchNormalization`, which serves.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if not training:
            return super().call(inputs, training=training, mask=mask)
        outputs, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            inputs, self.gamma.value, self.beta.value, epsilon=self.epsilon, is_training=True
        )
        for moving, now in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + now * (1.0 - self.momentum))
        return outputs


def with_fused_normalization(model: keras.Model) -> keras.Model:
    """Build a network anew, its weights as fresh, with batch normalization in one kernel."""

    def cloned(layer: keras.Layer) -> keras.Layer:
        if type(layer) is keras.layers.BatchNormalization:
            return FusedBatchNormalization.from_config(layer.get_config())
        return layer.__class__.from_config(layer.get_config())

    return keras.models.clone_model(model, clone_function=cloned)
