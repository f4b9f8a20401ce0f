"""The heatmap is that of the class, from 0 to 1, and lies over the photo where the class is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core.model.classifier import Classifier
from core.model.heatmap import class_map, overlay

Draw = Callable[..., Any]


def test_the_map_is_the_class_less_the_others() -> None:
    """A place where all logits are high says nothing about the class."""
    activation = np.zeros((2, 2, 3), np.float32)
    activation[0, 0] = (9, 9, 9)
    activation[1, 1] = (4, 0, 0)
    activation[0, 1] = (0, 4, 0)
    heat = class_map(activation, 0)
    assert heat.dtype == np.float32
    assert heat[1, 1] == 1
    assert heat[0, 1] == 0
    assert heat[0, 0] == pytest.approx(heat[1, 0])


def test_with_one_sigmoid_the_first_class_is_the_other_way_round() -> None:
    activation = np.array([[[-3.0], [5.0]]], np.float32)
    np.testing.assert_array_equal(class_map(activation, 1), [[0, 1]])
    np.testing.assert_array_equal(class_map(activation, 0), [[1, 0]])


def test_a_map_without_differences_is_empty() -> None:
    assert not class_map(np.full((4, 4, 3), 2, np.float32), 1).any()


def test_the_overlay_is_brightest_where_the_map_is() -> None:
    heat = np.zeros((4, 4), np.float32)
    heat[0, 3] = 1
    painted = np.asarray(overlay(Image.new("RGB", (80, 40), (90, 90, 90)), heat)).astype(int)
    assert painted.shape == (40, 80, 3)
    brightness = painted.sum(axis=-1)
    row, column = np.unravel_index(brightness.argmax(), brightness.shape)
    assert row < 10
    assert column >= 60
    assert brightness[-1, 0] < 3 * 90  # darker than the photo


def test_explaining_predicts_as_classifying_does_and_finds_the_cat(
    classifier: Classifier, draw: Draw
) -> None:
    scene = draw("cats", 1, (96, 96))
    scene.paste(draw("other", 1, (40, 40)), (56, 56))
    prediction, heat = classifier.explain(lambda _: scene)
    assert prediction == classifier.classify(lambda _: scene)
    assert prediction.label == "cat"
    assert heat is not None
    half = len(heat) // 2
    assert heat[:half, :half].mean() > heat[half:, half:].mean()
