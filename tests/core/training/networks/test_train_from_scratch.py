"""Whole training runs, unbroken and broken."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import keras
import pytest

from core.errors import CatdogError, UsageRefused
from core.model.classifier import Classifier
from core.model.manifest import Kind
from core.model.registry import promoted_version
from core.training.evaluation.epochs import Epoch
from core.training.evaluation.measure import evaluate
from core.training.networks.export import judge, parity
from core.training.networks.fitting import progress
from core.training.networks.fitting.checkpoints import Keeper
from core.training.networks.fitting.training_loop import fit
from core.training.networks.recipe import MILD, Recipe, Stage, recipe_from
from core.training.networks.train_from_scratch import train
from core.training.networks.unfinished import newest_run

RECIPE = Recipe(
    widths=(8, 16, 32),
    blocks=(1, 1, 1),
    stages=(Stage(24, 2, MILD), Stage(32, 2, MILD)),
    batch_size=16,
)


@pytest.fixture
def data(tmp_path: Path, fill_folder: object) -> Path:
    return fill_folder(tmp_path / "data", {"cats": 60, "dogs": 60})  # type: ignore[operator, no-any-return]


class Killed(BaseException):
    """Ends a run as a kill would: nothing in it is meant to catch this."""


def test_a_run_that_was_killed_goes_on_with_resume(
    data: Path, tmp_path: Path, told: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends with the epochs and steps of an unbroken run, its history whole."""
    models = tmp_path / "models"

    def dying_fit(*arguments: object, **options: object) -> object:
        def on_epoch(epoch: Epoch) -> None:
            if epoch.number == 3:
                raise Killed

        return fit(*arguments, **{**options, "on_epoch": on_epoch})  # type: ignore[arg-type]

    monkeypatch.setattr(progress, "fit", dying_fit)
    with pytest.raises(Killed):
        train(data, RECIPE, models_dir=models, console=told)  # type: ignore[arg-type]
    monkeypatch.setattr(progress, "fit", fit)
    (work,) = (models / "unfinished").iterdir()
    with pytest.raises(UsageRefused, match=r"other settings \(seed\)"):
        train(data, replace(RECIPE, seed=5), models_dir=models, console=told, resume=True)  # type: ignore[arg-type]
    with pytest.raises(UsageRefused, match=r"no unfinished run of vgg-small, but one of residual"):
        newest_run(models / "unfinished", "vgg-small")
    begun = newest_run(models / "unfinished")
    assert recipe_from(begun.settings) == RECIPE
    words = str(begun)
    assert "3 epochs done" in words
    trained = train(data, RECIPE, models_dir=models, console=told, resume=True)  # type: ignore[arg-type]
    assert f"Going on with the run {words}." in told.lines  # type: ignore[attr-defined]
    history = trained.manifest.recipe["history"]
    assert [(epoch["number"], epoch["size"]) for epoch in history] == [
        (1, 24), (2, 24), (3, 32), (4, 32),
    ]  # fmt: skip
    assert not work.exists()
    assert Classifier(trained.folder).manifest.version == trained.folder.name


def test_temperature_and_thresholds_suit_held_out_sources(
    tmp_path: Path, told: object, fill_folder: object
) -> None:
    """New photos are more like those: here all of them are dogs that were filed with the cats."""
    data = fill_folder(tmp_path / "data", {"cats": 60, "dogs": 90})  # type: ignore[operator]
    lines = ["file,source"]
    for photo in sorted((data / "dogs").iterdir())[:30]:
        photo.rename(data / "cats" / photo.name)
        lines.append(f"cats/{photo.name},web")
    (data / "sources.csv").write_text("\n".join(lines))
    recipe = replace(RECIPE, stages=(Stage(32, 6, MILD),))
    with pytest.raises(UsageRefused, match="source 'olx'"):
        train(data, recipe, models_dir=tmp_path / "m", console=told, leave_out=["olx"])  # type: ignore[arg-type]
    assert not (tmp_path / "m").exists()
    trained = train(
        data,
        recipe,
        models_dir=tmp_path / "m",
        console=told,  # type: ignore[arg-type]
        leave_out=["web"],
    )
    manifest = trained.manifest
    assert manifest.data["left_out"] == {"cat": 30, "dog": 0}
    assert manifest.metrics["validation"]["accuracy"] > 0.9
    assert manifest.metrics["held-out sources"]["accuracy"] < 0.1
    assert manifest.temperature > 2, "so wrong that nothing may be said with confidence"
    assert manifest.metrics["held-out sources"]["coverage"] == 0, "and none of them is filed"
    figures = json.loads((trained.folder / "metrics.json").read_text())
    assert figures["sources"]["web"] == json.loads(json.dumps(manifest.metrics["held-out sources"]))


def test_a_table_elsewhere_names_the_sources(data: Path, tmp_path: Path, told: object) -> None:
    table = tmp_path / "mine.csv"
    names = [path.name for path in sorted((data / "dogs").iterdir())[:12]]
    table.write_text("file,source\n" + "".join(f"dogs/{name},phone\n" for name in names))
    recipe = replace(RECIPE, stages=(Stage(24, 1, MILD),))
    trained = train(
        data,
        recipe,
        models_dir=tmp_path / "m",
        console=told,  # type: ignore[arg-type]
        sources=table,
        leave_out=["phone"],
    )
    assert trained.manifest.data["left_out"] == {"cat": 0, "dog": 12}


def test_a_trained_network_serves_by_itself_and_is_promoted_by_nobody(
    data: Path, tmp_path: Path, told: object
) -> None:
    """What a person trains to learn how it works replaces no model, and is held against none."""
    recipe = replace(RECIPE, stages=(Stage(24, 1, MILD),))
    trained = train(data, recipe, models_dir=tmp_path / "m", console=told)  # type: ignore[arg-type]
    manifest = trained.manifest
    assert (manifest.kind, manifest.network) == (Kind.WHOLE, None)
    assert manifest.preprocessing == recipe.preprocessing
    assert manifest.outputs is not None
    assert {one.label for one in manifest.classes if one.threshold < 1} == {"cat", "dog"}
    assert promoted_version(tmp_path / "m") is None
    assert json.loads((trained.folder / "metrics.json").read_text())["comparison"] is None
    assert "Against the model that serves" not in (trained.folder / "report.html").read_text()


def test_nothing_in_the_test_folder_is_opened_before_the_last_measurement(
    data: Path, tmp_path: Path, told: object, fill_folder: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So it cannot have chosen anything."""
    test = fill_folder(tmp_path / "kept-back", {"cats": 5, "dogs": 5}, 700)  # type: ignore[operator]
    opened: list[str] = []
    before: list[str] = []

    def listen(event: str, arguments: tuple[object, ...]) -> None:
        if event == "open" and "kept-back" in str(arguments[0]):
            opened.append(Path(str(arguments[0])).name)

    def measure(*arguments: object, **options: object) -> object:
        before.extend(opened)
        return evaluate(*arguments, **options)  # type: ignore[arg-type]

    sys.addaudithook(listen)
    monkeypatch.setattr(judge, "evaluate", measure)
    recipe = replace(RECIPE, stages=(Stage(24, 1, MILD),))
    train(data, recipe, models_dir=tmp_path / "m", console=told, test=test)  # type: ignore[arg-type]
    assert before == []
    assert set(opened) == {path.name for path in test.rglob("*.jpg")}, "or this test is deaf"


@pytest.mark.long
def test_two_classes_end_in_one_sigmoid(data: Path, tmp_path: Path, told: object) -> None:
    recipe = replace(RECIPE, stages=(Stage(32, 6, MILD),))
    trained = train(data, recipe, models_dir=tmp_path, console=told, test=data)  # type: ignore[arg-type]
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
    data: Path, tmp_path: Path, told: object
) -> None:
    with pytest.raises(UsageRefused, match="no unfinished run"):
        train(data, RECIPE, models_dir=tmp_path / "m", console=told, resume=True)  # type: ignore[arg-type]
    work = tmp_path / "m" / "unfinished" / "20260101T000000"
    work.mkdir(parents=True)
    (work / "run.json").write_text(json.dumps({"recipe": {}, "fingerprint": "another"}))
    with pytest.raises(UsageRefused, match="photos are not those"):
        train(data, RECIPE, models_dir=tmp_path / "m", console=told, resume=True)  # type: ignore[arg-type]
    assert work.exists()


def test_what_cannot_be_trained_is_refused_at_once_and_leaves_nothing(
    data: Path, tmp_path: Path, told: object, fill_folder: object
) -> None:
    other = fill_folder(tmp_path / "test", {"cats": 2, "other": 2})  # type: ignore[operator]
    with pytest.raises(UsageRefused, match="does not have"):
        train(data, RECIPE, models_dir=tmp_path / "m", console=told, test=other)  # type: ignore[arg-type]
    for photo in (data / "dogs").iterdir():
        photo.write_bytes(b"")
    with pytest.raises(UsageRefused, match="no photo of the class"):
        train(data, RECIPE, models_dir=tmp_path / "m", console=told)  # type: ignore[arg-type]
    assert list((tmp_path / "m" / "unfinished").iterdir()) == []


def test_an_output_folder_with_something_in_it_is_refused(
    data: Path, tmp_path: Path, told: object
) -> None:
    with pytest.raises(UsageRefused, match="not empty"):
        train(data, RECIPE, models_dir=tmp_path, console=told, output=data)  # type: ignore[arg-type]


def test_an_export_that_differs_from_the_network_is_refused(
    data: Path, tmp_path: Path, told: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parity, "_LARGEST_GAP", {16: -1.0, 32: -1.0})
    recipe = replace(RECIPE, stages=(Stage(16, 1, MILD),))
    with pytest.raises(CatdogError, match="differ from Keras's"):
        train(data, recipe, models_dir=tmp_path / "m", console=told)  # type: ignore[arg-type]
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
    assert Keeper(tmp_path, recipe, history, lambda epoch: None, 100).has_stalled() is stalled


@pytest.mark.long
def test_a_run_that_diverges_says_so(data: Path, tmp_path: Path, told: object) -> None:
    wild = replace(RECIPE, stages=(Stage(16, 2, MILD),), learning_rate=1e30, warmup_epochs=0.0)
    with pytest.raises(CatdogError, match="learning rate"):
        train(data, wild, models_dir=tmp_path / "m", console=told)  # type: ignore[arg-type]
