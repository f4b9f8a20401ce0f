"""The quicker layers compute what Keras's own do, and learn as they do."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from core.training.networks.architectures import for_training
from core.training.networks.architectures.residual import residual
from core.training.networks.fitting.tensorflow_speed import (
    FusedBatchNormalization,
    has_bfloat16,
    with_fused_normalization,
)

pytestmark = pytest.mark.keras


def test_only_processors_with_instructions_for_bfloat16_compute_in_it() -> None:
    """Others can, too, by hand: 17 times slower than in 32 bits."""
    assert has_bfloat16("flags\t: fpu sse4_2 avx2 avx512f avx512_bf16 amx_tile\n")
    assert has_bfloat16("flags\t: fpu sse4_2 avx2 amx_bf16\n")
    assert not has_bfloat16("flags\t: fpu sse4_2 avx2 fma avx512f\n")
    assert not has_bfloat16("")


def test_fused_normalization_gives_what_keras_gives() -> None:
    random = np.random.default_rng(0)
    images = random.normal(3.0, 2.0, (16, 8, 8, 4)).astype(np.float32)
    own = keras.layers.BatchNormalization(momentum=0.5)
    fused = FusedBatchNormalization(momentum=0.5)
    for training in (True, True, False):
        expected = keras.ops.convert_to_numpy(own(images, training=training))
        found = keras.ops.convert_to_numpy(fused(images, training=training))
        assert found == pytest.approx(expected, abs=5e-3)
    for weight, expected in zip(fused.get_weights(), own.get_weights(), strict=True):
        # of 1,024 places: the kernel divides by one less for the moving variance
        assert weight == pytest.approx(expected, rel=2e-3, abs=1e-5)


def test_a_network_with_fused_normalization_takes_the_weights_of_one_without() -> None:
    network = for_training(residual(None, 3, (8, 16), (1, 1)))
    fused = with_fused_normalization(network)
    assert any(type(layer) is FusedBatchNormalization for layer in fused.layers)
    fused.set_weights(network.get_weights())
    photos = np.random.default_rng(0).integers(0, 255, (2, 32, 32, 3), dtype=np.uint8)
    expected = keras.ops.convert_to_numpy(network(photos, training=False))
    found = keras.ops.convert_to_numpy(fused(photos, training=False))
    assert found == pytest.approx(expected, abs=1e-4)
