"""Muon for convolutions."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from core.training.networks.fitting.optimizer import ConvolutionMuon

pytestmark = pytest.mark.keras


def test_a_kernel_is_moved_in_all_directions_alike() -> None:
    """However lopsided its gradient: that is what Muon is."""
    random = np.random.default_rng(0)
    kernel = keras.Variable(np.zeros((3, 3, 8, 16), dtype=np.float32))
    lopsided = random.normal(size=(72, 16)) * np.geomspace(1.0, 0.05, 16)
    optimizer = ConvolutionMuon(0.01, weight_decay=0.0, adam_weight_decay=0.0)
    optimizer.apply([lopsided.reshape(kernel.shape).astype(np.float32)], [kernel])
    moved = np.linalg.svd(keras.ops.convert_to_numpy(kernel).reshape(72, 16), compute_uv=False)
    assert moved.max() < 2 * moved.min()
    # as large as AdamW's steps: a fifth of the learning rate, squares averaged
    assert np.sqrt((moved**2).sum() / (72 * 16)) == pytest.approx(0.2 * 0.01, rel=0.3)


def test_what_is_no_kernel_is_moved_as_adamw_does() -> None:
    gradient = np.array([1.0, -2.0, 0.5], dtype=np.float32)
    moved = []
    for optimizer in (
        ConvolutionMuon(0.01, weight_decay=0.1, adam_weight_decay=0.1),
        keras.optimizers.AdamW(0.01, weight_decay=0.1),
    ):
        bias = keras.Variable(np.ones(3, dtype=np.float32))
        optimizer.apply([gradient], [bias])
        moved.append(keras.ops.convert_to_numpy(bias))
    assert moved[0] == pytest.approx(moved[1], abs=1e-6)
