"""Whole training runs, unbroken and broken."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import pytest

from core.errors import CatdogError, UsageRefused
from core.model.classifier import Classifier
from core.model.manifest import Kind
from core.model.registry import promoted_version
from core.training.data.inputs import TrainContext
from core.training.data.train_options import TrainOptions
from core.training.evaluation.epochs import Epoch
from core.training.evaluation.measure import measure_test
from core.training.networks import from_scratch
from core.training.networks.export import judge, parity
from core.training.networks.fitting.checkpoints import Checkpoints
from core.training.networks.fitting.training_loop import fit
from core.training.networks.recipe import LIGHT, MILD, RECIPES, Recipe, Stage
from core.training.networks.train_network import TrainedNetwork, train_network
from core.training.networks.unfinished import newest_run

pytestmark = pytest.mark.keras

RECIPE = Recipe(
    widths=(4, 8),
    blocks=(1, 1),
    stages=(Stage(24, 2, MILD), Stage(32, 2, MILD)),
    batch_size=16,
    optimizer="adam",
)
ONE_EPOCH = replace(
    RECIPES["minimal"], widths=(4,), dense=8, stages=(Stage(32, 1, MILD),), batch_size=16
)


@pytest.fixture
def data(tmp_path: Path, fill_folder: Callable[..., Path]) -> Path:
    return fill_folder(tmp_path / "data", {"cats": 60, "dogs": 60})


Train = Callable[..., TrainedNetwork]


@pytest.fixture
def train(tmp_path: Path, console: Any) -> Train:
    context = TrainContext(tmp_path / "m", console)
    return lambda data, recipe, **options: train_network(
        TrainOptions(data, **options), recipe, context
    )


class Killed(BaseException):
    """Ends a run as a kill would: nothing in it is meant to catch this."""


def test_a_run_that_was_killed_goes_on_with_resume(
    data: Path, tmp_path: Path, train: Train, console: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends with the epochs and steps of an unbroken run, its history whole."""
    models = tmp_path / "m"

    def dying_fit(*arguments: Any, **options: Any) -> object:
        def on_epoch(epoch: Epoch) -> None:
            if epoch.number == 3:
                raise Killed

        return fit(*arguments, **{**options, "on_epoch": on_epoch})

    monkeypatch.setattr(from_scratch, "fit", dying_fit)
    with pytest.raises(Killed):
        train(data, RECIPE)
    monkeypatch.setattr(from_scratch, "fit", fit)
    (work,) = (models / "unfinished").iterdir()
    with pytest.raises(UsageRefused, match=r"other settings \(seed\)"):
        train(data, replace(RECIPE, seed=5), resume=True)
    with pytest.raises(UsageRefused, match=r"no unfinished run of vgg-small, but one of residual"):
        newest_run(models / "unfinished", "vgg-small")
    begun = newest_run(models / "unfinished")
    assert begun.recipe() == RECIPE
    words = str(begun)
    assert "3 epochs done" in words
    trained = train(data, RECIPE, resume=True)
    assert f"Going on with the run {words}." in console.lines
    history = trained.manifest.recipe["history"]
    assert [(epoch["number"], epoch["size"]) for epoch in history] == [
        (1, 24), (2, 24), (3, 32), (4, 32),
    ]  # fmt: skip
    assert not work.exists()
    assert Classifier(trained.folder).manifest.version == trained.folder.name


def test_temperature_and_thresholds_suit_held_out_sources(
    tmp_path: Path, train: Train, fill_folder: Callable[..., Path]
) -> None:
    """New photos are more like those: here all of them are dogs that were filed with the cats."""
    data = fill_folder(tmp_path / "data", {"cats": 60, "dogs": 90})
    lines = ["file,source"]
    for photo in sorted((data / "dogs").iterdir())[:30]:
        photo.rename(data / "cats" / photo.name)
        lines.append(f"cats/{photo.name},web")
    (data / "sources.csv").write_text("\n".join(lines))
    recipe = replace(ONE_EPOCH, widths=(8,), dense=16, stages=(Stage(32, 6, LIGHT),))
    with pytest.raises(UsageRefused, match="source 'olx'"):
        train(data, recipe, held_out_sources=("olx",))
    assert not (tmp_path / "m").exists()
    trained = train(
        data,
        recipe,
        held_out_sources=("web",),
    )
    manifest = trained.manifest
    assert manifest.data["left_out"] == {"cat": 30, "dog": 0}
    assert manifest.metrics["validation"]["accuracy"] > 0.9
    assert manifest.metrics["held-out sources"]["accuracy"] < 0.1
    assert manifest.temperature > 2, "so wrong that nothing may be said with confidence"
    assert manifest.metrics["held-out sources"]["coverage"] == 0, "and none of them is filed"
    figures = json.loads((trained.folder / "metrics.json").read_text())
    assert figures["sources"]["web"] == json.loads(json.dumps(manifest.metrics["held-out sources"]))


def test_a_trained_network_serves_by_itself_and_is_promoted_by_nobody(
    data: Path, tmp_path: Path, train: Train
) -> None:
    """What a person trains to learn how it works replaces no model, and is held against none."""
    trained = train(data, ONE_EPOCH)
    manifest = trained.manifest
    assert (manifest.kind, manifest.network) == (Kind.WHOLE, None)
    assert manifest.preprocessing == ONE_EPOCH.preprocessing
    assert manifest.outputs is not None
    assert {one.label for one in manifest.classes if one.threshold < 1} == {"cat", "dog"}
    assert promoted_version(tmp_path / "m") is None
    assert json.loads((trained.folder / "metrics.json").read_text())["comparison"] is None
    assert "Against the model that serves" not in (trained.folder / "report.html").read_text()


def test_nothing_in_the_test_folder_is_opened_before_the_last_measurement(
    data: Path,
    tmp_path: Path,
    train: Train,
    fill_folder: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """So it cannot have chosen anything."""
    test = fill_folder(tmp_path / "kept-back", {"cats": 5, "dogs": 5}, 700)
    opened: list[str] = []
    before: list[str] = []

    def listen(event: str, arguments: tuple[object, ...]) -> None:
        if event == "open" and "kept-back" in str(arguments[0]):
            opened.append(Path(str(arguments[0])).name)

    def measure(*arguments: Any, **options: Any) -> object:
        before.extend(opened)
        return measure_test(*arguments, **options)

    sys.addaudithook(listen)
    monkeypatch.setattr(judge, "measure_test", measure)
    train(data, ONE_EPOCH, test=test)
    assert before == []
    assert set(opened) == {path.name for path in test.rglob("*.jpg")}, "or this test is deaf"


@pytest.mark.long
def test_two_classes_end_in_one_sigmoid(data: Path, train: Train) -> None:
    recipe = replace(RECIPE, stages=(Stage(32, 6, MILD),))
    trained = train(data, recipe, test=data)
    network = keras.models.load_model(trained.folder / "model.keras")
    assert network.output["logits"].shape == (None, 1)
    assert trained.manifest.labels == ("cat", "dog")
    assert trained.manifest.metrics["test"]["accuracy"] > 0.9
    card = (trained.folder / "MODEL_CARD.md").read_text()
    assert "It has no class for what is neither" in card
    report = (trained.folder / "report.html").read_text()
    for text in ("<svg", "test, 120 photos", "What to try:", "catdog models promote", "stage 1"):
        assert text in report.replace("Test,", "test,"), text
    assert not re.search(r"""(src|href)=["'](?!data:|#)""", report), "it needs nothing else"
    assert sorted(path.name for path in (trained.folder / "plots").iterdir()) == [
        "accuracy.png", "confusion.png", "coverage.png", "loss.png", "precision-recall.png",
        "reliability.png", "roc.png",
    ]  # fmt: skip
    figures = json.loads((trained.folder / "metrics.json").read_text())
    assert figures["metrics"] == json.loads(json.dumps(trained.manifest.metrics))
    assert len(figures["history"]) == 6
    assert f"{trained.manifest.metrics['test']['accuracy']:.1%}" in card


def test_resume_refuses_other_photos_and_nothing_to_resume(
    data: Path, tmp_path: Path, train: Train
) -> None:
    with pytest.raises(UsageRefused, match="no unfinished run"):
        train(data, RECIPE, resume=True)
    work = tmp_path / "m" / "unfinished" / "20260101T000000"
    work.mkdir(parents=True)
    (work / "run.json").write_text(json.dumps({"recipe": {}, "fingerprint": "another"}))
    with pytest.raises(UsageRefused, match="photos are not those"):
        train(data, RECIPE, resume=True)
    assert work.exists()


def test_what_cannot_be_trained_is_refused_at_once_and_leaves_nothing(
    data: Path, tmp_path: Path, train: Train, fill_folder: Callable[..., Path]
) -> None:
    other = fill_folder(tmp_path / "test", {"cats": 2, "other": 2})
    with pytest.raises(UsageRefused, match="not learnt here"):
        train(data, RECIPE, test=other)
    for photo in (data / "dogs").iterdir():
        photo.write_bytes(b"")
    with pytest.raises(UsageRefused, match="no photo of the class"):
        train(data, RECIPE)
    assert list((tmp_path / "m" / "unfinished").iterdir()) == []


def test_an_output_folder_with_something_in_it_is_refused(data: Path, train: Train) -> None:
    with pytest.raises(UsageRefused, match="not empty"):
        train(data, RECIPE, output=data)


def test_an_export_that_differs_from_the_network_is_refused(
    data: Path, tmp_path: Path, train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parity, "_LARGEST_GAP", {16: -1.0, 32: -1.0})
    with pytest.raises(CatdogError, match="differ from Keras's"):
        train(data, ONE_EPOCH)
    assert [path.name for path in (tmp_path / "m").iterdir()] == ["unfinished"]


@pytest.mark.parametrize(
    ("losses", "stalled"),
    [
        ([0.9, 0.1], False),  # the first stage's, at another size
        ([0.9, 0.1, 0.8, 0.7, 0.6], False),
        ([0.9, 0.1, 0.8, 0.7, 0.75], False),
        ([0.9, 0.1, 0.8, 0.7, 0.75, 0.71], True),
        ([0.9, 0.1, 0.8, 0.7, 0.75, 0.65], False),
    ],
)
def test_a_run_stalls_after_some_epochs_of_its_last_stage_without_a_lower_loss(
    losses: list[float], stalled: bool, tmp_path: Path
) -> None:
    recipe = replace(RECIPE, stages=(Stage(24, 2, MILD), Stage(32, 9, MILD)), patience=2)
    history = [Epoch(n, 32, 0.0, 0.0, loss, 0.0, 0.0) for n, loss in enumerate(losses, 1)]
    assert Checkpoints(tmp_path, recipe, history, held_out=100).has_stalled() is stalled


@pytest.mark.long
def test_a_run_that_diverges_says_so(data: Path, train: Train) -> None:
    wild = replace(RECIPE, stages=(Stage(16, 2, MILD),), learning_rate=1e30, warmup_epochs=0.0)
    with pytest.raises(CatdogError, match="learning rate"):
        train(data, wild)
