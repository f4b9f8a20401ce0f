"""Training a head, from folders to a model that serves."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core.errors import ModelRefused, UsageRefused
from core.images.decode import opener
from core.model.classifier import Classifier
from core.model.manifest import Kind, read_manifest
from core.model.network import Network
from core.model.promotion import promote
from core.training.data.inputs import TrainContext
from core.training.data.train_options import TrainOptions
from core.training.head.replay import read_replay, write_replay
from core.training.head.train_head import TrainedHead, check, find_label_errors, train_head

Fill = Callable[..., Path]
Train = Callable[..., TrainedHead]


@pytest.fixture
def context(head_models_dir: Path, console: Any) -> TrainContext:
    return TrainContext(head_models_dir, console)


@pytest.fixture
def train(context: TrainContext) -> Train:
    return lambda data, **options: train_head(TrainOptions(data, **options), context)


def test_a_head_is_trained_and_may_serve(tmp_path: Path, fill_folder: Fill, train: Train) -> None:
    """Photos like those that are known make a head that is no worse, whole in its folder."""
    data = fill_folder(tmp_path / "data", {"cats": 30, "dogs": 30, "other": 30}, first_seed=500)
    trained = train(data)
    assert trained.comparison is not None
    assert trained.comparison.is_no_worse, trained.comparison
    assert trained.manifest.kind is Kind.HEAD
    assert {path.name for path in trained.folder.iterdir()} >= {
        "manifest.json",
        "head.npz",
        "seen.npz",
        "report.html",
        "MODEL_CARD.md",
    }
    assert not list((trained.folder.parent / "unfinished").iterdir())
    photo = next((data / "cats").iterdir())
    assert Classifier(trained.folder).classify(opener(photo)).label == "cat"


def test_the_same_photos_make_the_same_head(
    tmp_path: Path, fill_folder: Fill, train: Train
) -> None:
    """Nothing in a training is left to chance."""
    data = fill_folder(tmp_path / "data", {"cats": 12, "dogs": 12}, first_seed=500)
    kernels = [
        np.load(train(data, output=tmp_path / name).folder / "head.npz")["kernel"]
        for name in ("one", "two")
    ]
    assert kernels[0] == pytest.approx(kernels[1])


def test_a_folder_of_its_own_is_added(tmp_path: Path, fill_folder: Fill, train: Train) -> None:
    """A class that the model before does not have joins its classes, which stay."""
    data = fill_folder(tmp_path / "data", {"cats": 20}, first_seed=500)
    rabbits = data / "rabbits"
    rabbits.mkdir()
    for seed in range(20):
        pixels = np.random.default_rng(seed).normal((230, 220, 40), 30, (60, 80, 3))
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(rabbits / f"r{seed}.png")
    trained = train(data)
    assert trained.manifest.labels == ("cat", "dog", "rabbits", "other", "both")
    seen = Classifier(trained.folder).classify(opener(rabbits / "r3.png"))
    assert seen.label == "rabbits"


def test_a_class_that_the_replay_set_knew_is_trained_on_again(
    tmp_path: Path, fill_folder: Fill, train: Train, head_models_dir: Path
) -> None:
    """Replay photos of its kind leave the fit, and are missing when the next head is compared."""
    network = Network(head_models_dir / "tiny" / "network")
    replay = read_replay(network)
    kinds = np.where(replay.labels == "other", "rabbit", "")
    kinds[::2] = ""
    write_replay(replace(replay, kinds=kinds), network)
    data = fill_folder(tmp_path / "data", {"cats": 12, "dogs": 12, "other": 12}, first_seed=500)
    (data / "other").rename(data / "rabbits")
    first = train(data)
    promote(first.folder.parent, first.manifest.version)
    second = train(data)
    assert first.comparison is not None
    assert second.comparison is not None
    assert second.comparison.filed[1].photos == first.comparison.filed[1].photos


def test_classes_can_be_replaced(
    tmp_path: Path, fill_folder: Fill, train: Train, console: Any
) -> None:
    """Dogs are of neither for who has no folder for them; that is said, and not promoted."""
    data = fill_folder(tmp_path / "data", {"cats": 20, "other": 20}, first_seed=500)
    trained = train(data, classes="replace")
    assert trained.manifest.labels == ("cat", "other")
    assert trained.comparison is not None
    assert not trained.comparison.is_no_worse
    assert "It leaves out both, dog" in console.lines[0]
    dog = fill_folder(tmp_path / "dogs", {"dogs": 1}, first_seed=900) / "dogs"
    assert Classifier(trained.folder).classify(opener(next(dog.iterdir()))).label == "other"


def test_wrong_labels_are_named_and_stop_it(
    tmp_path: Path, fill_folder: Fill, train: Train, context: TrainContext
) -> None:
    """One label in five wrong: they are listed, not learnt from, and nothing is promoted."""
    data = fill_folder(tmp_path / "data", {"cats": 30, "dogs": 30}, first_seed=500)
    wrong = sorted((data / "dogs").iterdir())[:6]
    for photo in wrong:
        shutil.move(photo, data / "cats" / photo.name)
    trained = train(data)
    named = {mistake.path.name for mistake in trained.label_errors}
    assert named <= {photo.name for photo in wrong}
    assert len(named) >= 5
    assert trained.comparison is not None
    assert not trained.comparison.is_no_worse
    for photo in (photo for photo in wrong if photo.name in named):
        seen = Classifier(trained.folder).classify(opener(data / "cats" / photo.name))
        assert seen.label == "dog"
    found = find_label_errors(TrainOptions(data), context)
    assert {mistake.path.name for mistake in found.mistakes} == named
    assert found.photos == 60
    assert found.folders == {"cat": data / "cats", "dog": data / "dogs"}


def test_a_second_training_is_compared_out_of_fold(
    tmp_path: Path, fill_folder: Fill, train: Train
) -> None:
    """What the head before learnt from does not flatter it: seen.npz has what others said."""
    data = fill_folder(tmp_path / "data", {"cats": 30, "dogs": 30}, first_seed=500)
    first = train(data)
    promote(first.folder.parent, first.manifest.version)
    seen = np.load(first.folder / "seen.npz")
    # as if heads that had not seen these photos had been helpless
    changed = {name: seen[name] for name in seen.files}
    changed["probabilities"] = np.full_like(changed["probabilities"], 0.25)
    np.savez(first.folder / "seen.npz", **changed)
    second = train(data)
    assert second.comparison is not None
    assert "the current model 0 (60 more, 0 fewer)" in second.comparison.findings[0].sentence


def test_test_photos_that_were_learnt_from_are_noticed(
    tmp_path: Path, fill_folder: Fill, train: Train, console: Any
) -> None:
    """Figures on photos that were learnt from are too good, and that is said."""
    data = fill_folder(tmp_path / "data", {"cats": 12, "dogs": 12}, first_seed=500)
    test = fill_folder(tmp_path / "test", {"cats": 3, "dogs": 3}, first_seed=510)
    train(data, test=test)
    assert any("4 of the 6 test photos were learnt from" in line for line in console.lines)


def test_few_photos_are_said_before_anything_is_computed(
    tmp_path: Path, fill_folder: Fill, train: Train, console: Any
) -> None:
    """Four photos of a class tell nothing: that comes first."""
    data = fill_folder(tmp_path / "data", {"cats": 4, "dogs": 12}, first_seed=500)
    trained = train(data)
    assert "fewer than 5 photos of cat" in console.lines[0]
    assert trained.comparison is not None
    assert not trained.comparison.is_no_worse


def test_the_model_goes_elsewhere_with_its_network(
    tmp_path: Path, fill_folder: Fill, train: Train
) -> None:
    """A model written to a folder works where no other model is."""
    data = fill_folder(tmp_path / "data", {"cats": 8, "dogs": 8}, first_seed=500)
    output = train(data, output=tmp_path / "model").folder
    elsewhere = tmp_path / "elsewhere" / "model"
    shutil.copytree(output, elsewhere)
    assert Classifier(elsewhere).classify(opener(next((data / "dogs").iterdir()))).label == "dog"


def test_the_network_is_kept_beside_the_models(
    tmp_path: Path, fill_folder: Fill, train: Train
) -> None:
    """A head outlives the model that it began with, and is refused without its network."""
    data = fill_folder(tmp_path / "data", {"cats": 8, "dogs": 8}, first_seed=500)
    trained = train(data)
    models_dir = trained.folder.parent
    shutil.rmtree(models_dir / "tiny")
    Classifier(trained.folder)
    shutil.rmtree(models_dir / "networks")
    with pytest.raises(ModelRefused, match="is not there"):
        Classifier(trained.folder)


def test_check_keeps_nothing(
    tmp_path: Path, fill_folder: Fill, console: Any, context: TrainContext
) -> None:
    """What there is to learn from is told, and the models folder is as before."""
    data = fill_folder(tmp_path / "data", {"cats": 8, "dogs": 8}, first_seed=500)
    check(TrainOptions(data), context)
    assert any(line.strip().startswith("cat: 8 photos") for line in console.lines)
    assert {path.name for path in context.models_dir.iterdir()} == {
        "tiny",
        "promoted",
        "unfinished",
    }


@pytest.mark.parametrize("kinds", [{"cats": 5}, {}])
def test_one_class_is_too_few(
    tmp_path: Path,
    fill_folder: Fill,
    train: Train,
    kinds: dict[str, int],
) -> None:
    """A class is told from another: one folder, or none, is refused."""
    (tmp_path / "data").mkdir()
    data = fill_folder(tmp_path / "data", kinds)
    with pytest.raises(UsageRefused, match="two class folders"):
        train(data)


def test_photos_that_cannot_be_read_are_named(
    tmp_path: Path, fill_folder: Fill, train: Train
) -> None:
    """Where none can be read there is nothing to learn from."""
    for folder in ("cats", "dogs"):
        (tmp_path / "data" / folder).mkdir(parents=True)
        (tmp_path / "data" / folder / "a.jpg").write_bytes(b"no photo")
    with pytest.raises(UsageRefused, match="can be read"):
        train(tmp_path / "data")


def test_a_head_for_another_network_is_refused(head_models_dir: Path) -> None:
    """A head whose channels are not the network's is refused with what to do."""
    folder = head_models_dir / "tiny"
    arrays = dict(np.load(folder / "head.npz"))
    np.savez(folder / "head.npz", kernel=arrays["kernel"][:-1], bias=arrays["bias"])
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    from core.model.manifest import record_file

    record = record_file(folder / "head.npz")
    replace(read_manifest(folder), files={"head.npz": record}).write(folder)
    assert manifest["kind"] == "head"
    with pytest.raises(ModelRefused, match="for a network of 23 channels"):
        Classifier(folder)
    (folder / "network" / "network.tflite").write_bytes(b"altered")
    with pytest.raises(ModelRefused, match="altered"):
        Classifier(folder)


def test_an_altered_replay_set_is_refused(
    tmp_path: Path,
    fill_folder: Fill,
    head_models_dir: Path,
    train: Train,
) -> None:
    """What every head learns from is checked like the network itself."""
    data = fill_folder(tmp_path / "data", {"cats": 8, "dogs": 8}, first_seed=500)
    replay = head_models_dir / "tiny" / "network" / "replay.npz"
    replay.write_bytes(replay.read_bytes()[:-10])
    with pytest.raises(ModelRefused, match="is damaged"):
        train(data)


def test_a_class_of_which_no_photo_can_be_read_is_refused(
    tmp_path: Path, fill_folder: Fill, train: Train
) -> None:
    """A folder of broken files must not become a class that knows nothing."""
    data = fill_folder(tmp_path / "data", {"cats": 8, "dogs": 8}, first_seed=500)
    (data / "tom").mkdir()
    (data / "tom" / "a.jpg").write_bytes(b"no photo")
    with pytest.raises(UsageRefused, match="no photo of the class 'tom' to learn from"):
        train(data)
