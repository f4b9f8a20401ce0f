"""The model that comes with catdog: a head, and the network that heads are made for."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from click.testing import CliRunner

from catdog import main
from core.images.decode import open_image, opener
from core.model.classifier import Classifier
from core.model.head import HEAD, read_head
from core.model.manifest import MANIFEST, MODEL_CARD, Kind, read_checked, read_manifest
from core.model.network import (
    NETWORK,
    NETWORK_KERAS,
    NETWORK_LITERT,
    REPLAY,
    Network,
    read_network_info,
)
from core.model.preprocessing import preprocess
from core.model.probabilities import probabilities_from_logits
from core.model.registry import DEFAULT_MODEL, OWN_NETWORK
from core.model.verdict import class_indices
from core.training.data.learnt_photos import SEEN, read_seen
from core.training.head.replay import read_replay

LARGEST_SERVED = 6e6  # bytes, of network and head
LARGEST = 20e6  # bytes, of all files: each copy of the repository has them
_BATCH = 50

Probabilities = npt.NDArray[np.float64]


def test_its_files_are_there_and_no_others() -> None:
    found = {
        path.relative_to(DEFAULT_MODEL).as_posix(): path.stat().st_size
        for path in DEFAULT_MODEL.rglob("*")
        if path.is_file()
    }
    network = (NETWORK, NETWORK_LITERT, NETWORK_KERAS, REPLAY)
    assert set(found) == {
        MANIFEST, HEAD, SEEN, MODEL_CARD, *(f"{OWN_NETWORK}/{name}" for name in network),
    }  # fmt: skip
    assert sum(found.values()) <= LARGEST
    assert Classifier(DEFAULT_MODEL).bytes <= LARGEST_SERVED


def test_its_files_are_those_that_it_names() -> None:
    """The head by its manifest, which names the network, too, and what lies beside that."""
    manifest = read_manifest(DEFAULT_MODEL)
    assert manifest.kind is Kind.HEAD
    assert manifest.labels == ("cat", "dog", "other", "both")
    assert read_checked(DEFAULT_MODEL, manifest, HEAD)
    folder = DEFAULT_MODEL / OWN_NETWORK
    info = read_network_info(folder)
    assert manifest.network == info.sha256
    assert set(info.files) == {NETWORK_KERAS, REPLAY}
    for name, sha256 in ((NETWORK_LITERT, info.sha256), *info.files.items()):
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == sha256, name


def test_its_card_says_what_its_manifest_says() -> None:
    manifest = read_manifest(DEFAULT_MODEL)
    card = (DEFAULT_MODEL / MODEL_CARD).read_text(encoding="utf-8")
    assert manifest.version in card
    assert manifest.metrics
    for part, figures in manifest.metrics.items():
        assert part in card
        assert f"{figures['accuracy']:.1%}" in card
    for one in manifest.classes:
        assert f"{one.label} {one.threshold:g}" in card


def test_what_later_trainings_begin_with_fits_it() -> None:
    """A head of a person's own learns beside its replay set, and stays near its heads."""
    manifest = read_manifest(DEFAULT_MODEL)
    info = read_network_info(DEFAULT_MODEL / OWN_NETWORK)
    replay = read_replay(Network(DEFAULT_MODEL / OWN_NETWORK))
    assert set(replay.labels) == set(manifest.labels)
    seen = read_seen(DEFAULT_MODEL)
    assert seen.held_out.shape == (replay.held_out.sum(), len(manifest.classes))
    assert {head.kernel.shape for head in seen.heads} == {(info.channels, len(manifest.classes))}
    assert manifest.data["replay_held_out"] == replay.held_out.sum()


@pytest.mark.keras
def test_what_is_served_says_what_keras_says(
    tmp_path: Path, fill_folder: Callable[..., Path]
) -> None:
    """Of 200 pictures, in 8 bits and in floats."""
    paths = sorted(
        fill_folder(tmp_path / "data", {"cats": 67, "dogs": 67, "other": 66}).rglob("*.jpg")
    )
    assert len(paths) == 200
    served, expected = probabilities_of_both(paths)
    assert (served.argmax(axis=1) == expected.argmax(axis=1)).mean() >= 0.99


@pytest.mark.keras
@pytest.mark.long
def test_it_says_of_photographs_what_keras_says(shared_photos: Path) -> None:
    """Eight bits cost no more than the card says, and have nothing filed as something else."""
    paths = sorted(path for path in shared_photos.rglob("*.jpg"))
    assert len(paths) == 2_315
    served, expected = probabilities_of_both(paths)
    classes = read_manifest(DEFAULT_MODEL).classes
    folders = [one.folder for one in classes]
    targets = np.array([folders.index(path.parent.name) for path in paths])
    assert (served.argmax(axis=1) == expected.argmax(axis=1)).mean() >= 0.99
    right, right_before = ((of.argmax(axis=1) == targets).mean() for of in (served, expected))
    assert right >= right_before - 0.005
    said, said_before = (class_indices(of, classes) for of in (served, expected))
    assert (said == said_before).mean() >= 0.97
    sure = (said >= 0) & (said_before >= 0)
    assert (said == said_before)[sure].mean() >= 0.999


def probabilities_of_both(paths: Sequence[Path]) -> tuple[Probabilities, Probabilities]:
    """As served, and by the network of network.keras in floats with the same head."""
    import keras

    classifier = Classifier(DEFAULT_MODEL)
    network = Network(DEFAULT_MODEL / OWN_NETWORK)
    manifest, how = classifier.manifest, network.info.preprocessing
    head = read_head(DEFAULT_MODEL, channels=network.info.channels, classes=len(manifest.classes))
    in_floats = keras.models.load_model(network.folder / NETWORK_KERAS, compile=False)
    served = [classifier.classify(opener(path)) for path in paths]
    logits = []
    for first in range(0, len(paths), _BATCH):
        batch = [
            preprocess(open_image(path, min_side=how.decoded_side), how)
            for path in paths[first : first + _BATCH]
        ]
        feature_maps = keras.ops.convert_to_numpy(in_floats(np.stack(batch), training=False))
        logits.append(head.logits(feature_maps.mean(axis=(1, 2))))
    return (
        np.array([list(prediction.probabilities.values()) for prediction in served]),
        probabilities_from_logits(np.concatenate(logits), manifest.temperature),
    )


def measured(folder: Path) -> dict[str, Any]:
    result = CliRunner().invoke(main, ["evaluate", str(folder), "--json"])
    assert result.exit_code == 0, result.output
    figures: dict[str, Any] = json.loads(result.stdout)
    return figures


@pytest.mark.long
def test_its_figures_on_the_test_photographs(shared_photos: Path, tmp_path: Path) -> None:
    """Good enough, and those that its manifest states."""
    everything = measured(shared_photos)
    assert everything["data"]["files"] == 2_315
    assert everything["filed_precision"] >= 0.995
    for kind in ("cats", "dogs"):
        (tmp_path / "kaggle" / kind).mkdir(parents=True)
        for photo in (shared_photos / kind).glob("kaggle-*"):
            shutil.copy(photo, tmp_path / "kaggle" / kind)
    kaggle = measured(tmp_path / "kaggle")
    assert kaggle["data"]["files"] == 1000
    assert kaggle["pet_accuracy"] >= 0.99
    stated = read_manifest(DEFAULT_MODEL).metrics["test"]
    for share in ("accuracy", "pet_accuracy", "coverage", "filed_rightly", "filed_precision",
                  "false_filing_rate", "ece"):  # fmt: skip
        assert everything[share] == pytest.approx(stated[share], abs=0.002), share
