"""train and evaluate as commands."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from core.model.manifest import read_manifest
from core.model.registry import promoted_version
from core.training import extra
from tests.command_line import objects, run


def test_evaluate_measures_labelled_folders(
    tmp_path: Path, tiny_model: Path, fill_folder: object
) -> None:
    data = fill_folder(tmp_path / "labelled", {"cats": 6, "dogs": 5, "other": 4}, 800)  # type: ignore[operator]
    (data / "cats" / "bad.jpg").write_bytes(b"\xff\xd8\xff")
    result = run("evaluate", data, "--json", "--model", tiny_model)
    assert result.exit_code == 0
    (figures,) = objects(result)
    assert set(figures) == {
        "model", "data", "accuracy", "pet_accuracy", "per_class", "confusion", "verdicts", "ece",
        "loss",
        "thresholds", "coverage", "filed_rightly", "filed_precision", "false_filing_rate",
        "intervals", "sources", "kinds", "curve", "model_bytes", "milliseconds",
    }  # fmt: skip
    assert figures["thresholds"] == {"cat": 0.6, "dog": 0.6, "other": 0.6}
    assert set(figures["curve"][0]) == {
        "threshold", "coverage", "filed_precision", "false_filing_rate",
    }  # fmt: skip
    assert sum(figures["verdicts"]["other"].values()) == 4
    raised = ("evaluate", data, "--json", "--model", tiny_model, "--threshold", "0.7")
    (higher,) = objects(run(*raised))
    assert higher["thresholds"] == {"cat": 0.7, "dog": 0.7, "other": 0.7}
    (lower,) = objects(run(*raised[:-1], "0.1"))
    assert lower["thresholds"] == figures["thresholds"]
    assert lower["coverage"] == figures["coverage"]
    low, high = figures["intervals"]["accuracy"]
    assert low < figures["accuracy"] <= high + 1e-9
    assert (figures["sources"], figures["kinds"]) == ({}, {}), "nothing tells of any"
    assert figures["data"]["files"] == 16
    assert figures["data"]["skipped"] == 1
    assert figures["accuracy"] >= 0.9
    assert set(figures["per_class"]["cat"]) == {"precision", "recall", "f1", "support"}
    assert sum(figures["confusion"]["dog"].values()) == 5
    plain = run("evaluate", data, "--model", tiny_model)
    assert "told apart" in plain.stdout
    assert "points lost" not in plain.stdout
    assert plain.stderr.count("bad.jpg") == 1


def test_evaluate_writes_a_page_and_sheets_with_all_that_it_found(
    tmp_path: Path, tiny_model: Path, fill_folder: object
) -> None:
    data = fill_folder(tmp_path / "labelled", {"cats": 6, "dogs": 5, "other": 4}, 800)  # type: ignore[operator]
    rows = [
        *(f"other/{photo.name},web,<b>wild-cat\n" for photo in (data / "other").iterdir()),
        *(f"cats/{photo.name},kaggle,\n" for photo in (data / "cats").iterdir()),
    ]
    (data / "sources.csv").write_text("".join(["file,source,kind\n", *rows]))
    (data / "cats" / "cats-800.jpg").rename(data / "dogs" / "no-dog-1.jpg")
    page, sheets = tmp_path / "page.html", tmp_path / "sheets"
    arguments = ("evaluate", data, "--model", tiny_model, "--html", page, "--mistakes", sheets)
    result = run(*arguments, "--variations")
    assert result.exit_code == 0, result.stderr
    for text in (
        "points lost", "photos of two at once: left alone", "<b>wild-cat", "upside down", "kaggle",
    ):  # fmt: skip
        assert text in result.stdout
    html = page.read_text(encoding="utf-8")
    assert "&lt;b&gt;wild-cat" in html
    assert "<b>wild-cat" not in html
    assert html.count("<svg") == 2
    assert html.count("data:image/jpeg;base64,") == 1
    assert not re.search(r"""(src|href)=["'](?!data:|#)""", html), "it needs nothing else"
    assert [path.name for path in sheets.iterdir()] == ["mistakes-1.jpg"]
    again = run(*arguments)
    assert again.exit_code == 2
    assert "sheets is not empty" in again.stderr
    photo = data / "dogs" / "no-dog-1.jpg"
    over = run("evaluate", data, "--model", tiny_model, "--html", photo)
    assert over.exit_code == 2
    assert "must end in .html" in over.stderr
    assert photo.read_bytes()[:2] == b"\xff\xd8"


def test_evaluate_refuses_classes_that_the_model_does_not_have(
    tmp_path: Path, tiny_model: Path, fill_folder: object
) -> None:
    data = fill_folder(tmp_path / "labelled", {"cats": 2, "dogs": 2}, 800)  # type: ignore[operator]
    (data / "dogs").rename(data / "wolves")
    result = run("evaluate", data, "--model", tiny_model)
    assert result.exit_code == 2
    assert "not wolves" in result.stderr


def without_packages(folder: Path, *names: str) -> dict[str, str]:
    """Make the environment of a Python in which these packages cannot be imported."""
    lines = [f"sys.modules[{name!r}] = None" for name in names]
    (folder / "sitecustomize.py").write_text("\n".join(["import sys", *lines]))
    return {**os.environ, "PYTHONPATH": str(folder)}


@pytest.mark.parametrize(
    ("arguments", "extra_named"),
    [
        (["train", "FOLDER"], "train"),
        (["train", "FOLDER", "--network", "minimal"], "keras"),
        (["train", "FOLDER", "--network", "efficientnet-lite0"], "keras"),
        (["train", "--list-networks"], "keras"),
        (["evaluate", "FOLDER"], "train"),
    ],
)
def test_without_an_extra_a_line_says_what_to_install(
    tmp_path: Path, arguments: list[str], extra_named: str
) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "catdog", *(a.replace("FOLDER", str(tmp_path)) for a in arguments)],
        env=without_packages(tmp_path, "tensorflow", "keras", "sklearn", "scipy"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 4
    assert result.stderr.count("\n") == 1
    assert f"pip install '.[{extra_named}]'" in result.stderr


def test_heads_are_trained_and_measured_without_keras(
    tmp_path: Path, head_models_dir: Path, fill_folder: object
) -> None:
    """That extra is for networks alone."""
    data = fill_folder(tmp_path / "data", {"cats": 6, "dogs": 6}, 500)  # type: ignore[operator]
    for arguments in (["train", str(data), "--no-promote"], ["evaluate", str(data)]):
        result = subprocess.run(
            [sys.executable, "-m", "catdog", "--models-dir", str(head_models_dir), *arguments],
            env=without_packages(tmp_path, "tensorflow", "keras"),
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stderr


def test_a_missing_package_that_is_no_extra_is_a_bug_and_shows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "core.training.networks.train_network", None)
    with pytest.raises(ModuleNotFoundError):
        extra.load_training_packages("train", "core.training.networks.train_network")


def version_in(models: Path) -> str:
    """Name the version beside the tiny model's."""
    (version,) = (path.parent.name for path in models.glob("20*/manifest.json"))
    return version


def test_train_has_a_head_serve_that_is_no_worse(
    tmp_path: Path, photo: Path, head_models_dir: Path, fill_folder: object
) -> None:
    """It says why; and promoting is taken back as any."""
    data = fill_folder(tmp_path / "data", {"cats": 30, "dogs": 30, "other": 30}, 500)  # type: ignore[operator]
    before = read_manifest(head_models_dir / "tiny").version
    assert run("--models-dir", head_models_dir, "models", "promote", "tiny").exit_code == 0
    result = run("--models-dir", head_models_dir, "train", data)
    assert result.exit_code == 0, result.output
    version = version_in(head_models_dir)
    report = (head_models_dir / version / "report.html").read_text(encoding="utf-8")
    assert report.index("It serves from now on") < report.index("Before and after")
    assert f"Against {before}, which serves, on photos from which neither learnt:" in result.stdout
    assert "  + " in result.stdout
    assert "  - " not in result.stdout
    assert f"{version} serves now, in the place of tiny." in result.stdout
    assert "Your photos: " in result.stdout
    assert "(90 of 90)" in result.stdout
    (answer,) = objects(run("--models-dir", head_models_dir, "predict", photo, "--json"))
    assert answer["model"] == version
    assert run("--models-dir", head_models_dir, "models", "rollback").exit_code == 0
    assert promoted_version(head_models_dir) == "tiny"


def test_train_makes_a_head_that_serves_only_who_asks_for_it(
    tmp_path: Path, photo: Path, head_models_dir: Path, fill_folder: object
) -> None:
    data = fill_folder(tmp_path / "data", {"cats": 30, "dogs": 30}, 500)  # type: ignore[operator]
    result = run("--models-dir", head_models_dir, "train", data, "--no-promote")
    assert result.exit_code == 0, result.output
    assert "Against" not in result.stdout
    assert promoted_version(head_models_dir) == "tiny"
    version = version_in(head_models_dir)
    assert f"--model {version}, or everywhere with `catdog models promote" in result.stdout
    asked = ("predict", photo, "--json", "--model")
    (answer,) = objects(run("--models-dir", head_models_dir, *asked, version))
    assert list(answer["probabilities"]) == ["cat", "dog", "other", "both"]
    output = tmp_path / "mine"
    result = run("--models-dir", head_models_dir, "train", data, "--output", output)
    assert f"CATDOG_MODEL={output}" in result.stdout
    assert promoted_version(head_models_dir) == "tiny"
    (answer,) = objects(run(*asked, output))  # where no other model is
    assert answer["label"] == "cat"
    again = run("--models-dir", head_models_dir, "train", data, "--output", output)
    assert again.exit_code == 2
    assert "not empty" in again.stderr


def test_a_head_without_a_class_serves_only_with_promote(
    tmp_path: Path, head_models_dir: Path, fill_folder: object
) -> None:
    data = fill_folder(tmp_path / "data", {"cats": 20, "other": 20}, 500)  # type: ignore[operator]
    arguments = ("--models-dir", head_models_dir, "train", data, "--classes", "replace")
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    assert "It will not serve by itself. It leaves out both, dog" in result.stdout
    assert "goes on serving" in result.stdout
    report = (head_models_dir / version_in(head_models_dir) / "report.html").read_text("utf-8")
    assert "It does not serve:" in report
    assert report.index("It leaves out both, dog") < report.index("Before and after")
    assert "or --promote the next time" in result.stdout
    assert promoted_version(head_models_dir) == "tiny"
    assert "serves now, in the place of tiny." in run(*arguments, "--promote").stdout
    assert promoted_version(head_models_dir) != "tiny"


def test_a_head_from_too_few_photos_serves_only_with_promote(
    tmp_path: Path, head_models_dir: Path, fill_folder: object
) -> None:
    data = fill_folder(tmp_path / "data", {"cats": 4, "dogs": 20}, 500)  # type: ignore[operator]
    arguments = ("--models-dir", head_models_dir, "train", data)
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    assert "fewer than 5 photos of cat" in result.stdout
    assert "or --promote the next time" in result.stdout
    assert promoted_version(head_models_dir) == "tiny"
    assert "serves now, in the place of tiny." in run(*arguments, "--promote").stdout


def test_the_same_head_trained_again_is_a_version_of_its_own(
    tmp_path: Path, head_models_dir: Path, fill_folder: object
) -> None:
    """Whoever changes only an option has the very same head on the very same day."""
    data = fill_folder(tmp_path / "data", {"cats": 8, "dogs": 8}, 500)  # type: ignore[operator]
    for _ in range(3):
        result = run("--models-dir", head_models_dir, "train", data, "--no-promote")
        assert result.exit_code == 0, result.output
    first = min(path.parent.name for path in head_models_dir.glob("20*/manifest.json"))
    for version in (first, f"{first}-2", f"{first}-3"):
        assert read_manifest(head_models_dir / version).version == version


@pytest.mark.keras
def test_train_checks_without_training(
    tmp_path: Path, head_models_dir: Path, fill_folder: object
) -> None:
    data = fill_folder(tmp_path / "data", {"cats": 60, "dogs": 60}, 500)  # type: ignore[operator]
    (data / "cats" / "bad.jpg").write_bytes(b"\xff\xd8\xff")
    for network, said in (
        ((), "cat: 60 photos, and "),
        (("--network", "minimal", "--set", "size=32"), "Training would take about"),
    ):
        result = run("--models-dir", head_models_dir, "train", data, "--check", *network)
        assert result.exit_code == 0, result.output
        assert said in result.stdout
        assert "Nothing was kept." in result.stdout
        assert "bad.jpg" in result.stdout
    assert not list(head_models_dir.glob("20*"))


@pytest.mark.parametrize(
    "options",
    [
        ["--epochs", "1"],
        ["--set", "dropout=0.3"],
        ["--epochs", "1", "--resume"],
    ],
)
def test_options_of_a_network_are_refused_without_one(options: list[str], tmp_path: Path) -> None:
    """Or somebody would think that they had changed something."""
    result = run("train", tmp_path, *options)
    assert result.exit_code == 2
    assert options[0] in result.stderr
    assert "only a whole network is trained so" in result.stderr


@pytest.mark.keras
@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--network", "minimal", "--find-label-errors"], "for heads alone"),
        (["--network", "minimal", "--classes", "replace"], "for heads alone"),
        (["--network", "minimal", "--promote"], "for heads alone"),
        (["--network", "minimal", "--epochs", "1.5"], "a whole number for minimal"),
        (["--network", "minimal", "--finish"], "give --resume, too"),
        (["--network", "alexnet"], "Invalid value for '--network'"),
        (["--network", "minimal", "--set", "dropuot=1"], "no such setting"),
        (["--network", "efficientnet-lite0", "--set", "patience=2"], "no such setting"),
        (["--network", "minimal", "--set", "size=8"], "it is 32 to 512"),
        (["--network", "minimal", "--set", "optimizer=lion"], "it is muon or adamw or"),
        (["--network", "minimal", "--image-size", "64"], "No such option"),
        (["--network", "efficientnet-lite0", "--check"], "--check and --finish are not for"),
        (["--network", "efficientnet-lite0", "--resume", "--finish"], "--check and --finish"),
        (["--finish"], "give --resume, too"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    options: list[str], why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is read or computed."""
    models = tmp_path / "models"
    result = run("--models-dir", models, "train", tmp_path, *options)
    assert result.exit_code == 2
    assert why in " ".join(result.stderr.split())
    assert not models.exists()


@pytest.mark.keras
def test_train_makes_a_network_that_predict_takes(
    tmp_path: Path, photo: Path, fill_folder: object
) -> None:
    data = fill_folder(tmp_path / "data", {"cats": 60, "dogs": 60})  # type: ignore[operator]
    models = tmp_path / "models"
    result = run(
        "--models-dir", models, "train", data, "--network", "residual", "--epochs", "1",
        "--set", "seed=3", "--set", "size=48", "--set", "widths=8,16", "--set", "blocks=1,1",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    version = version_in(models)
    assert f"--model {version}" in result.stdout
    assert f"`catdog models promote {version}`" in result.stdout
    assert promoted_version(models) is None, "it was not held against the one that serves"
    assert "Epoch 1 of 1 at 48 px" in result.stdout
    assert list((models / "unfinished").iterdir()) == []
    (answer,) = objects(run("--models-dir", models, "predict", photo, "--json", "--model", version))
    assert set(answer["probabilities"]) == {"cat", "dog"}


@pytest.mark.filterwarnings("error:The structure of")
@pytest.mark.keras
def test_train_takes_other_networks_and_settings(
    tmp_path: Path, fill_folder: object, photo: Path
) -> None:
    data = fill_folder(tmp_path / "labelled", {"cats": 60, "dogs": 60})  # type: ignore[operator]
    names = [path.name for path in sorted((data / "cats").iterdir())[:9]]
    (data / "sources.csv").write_text(
        "file,source\n" + "".join(f"cats/{name},web\n" for name in names)
    )
    model = tmp_path / "minimal"
    result = run(
        "train", data, "--output", model, "--network", "minimal", "--set", "size=32",
        "--epochs", 6, "--set", "optimizer=rmsprop", "--set", "learning-rate=0.002",
        "--set", "batch_size=16", "--set", "augment=none", "--set", "hold_out=web",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    manifest = json.loads((model / "manifest.json").read_text())
    recipe = manifest["recipe"]
    assert (recipe["network"], recipe["optimizer"]) == ("minimal", "rmsprop")
    assert (recipe["learning_rate"], recipe["batch_size"]) == (0.002, 16)
    assert [(stage["size"], stage["epochs"]) for stage in recipe["stages"]] == [(32, 6)]
    assert recipe["stages"][0]["augmentation"]["flip"] is False
    assert manifest["data"]["left_out"] == {"cat": 9, "dog": 0}
    assert "Held-out sources: " in result.stdout
    assert "cat" in run("predict", photo, "--model", model).stdout
    without = run("predict", photo, "--model", model, "--heatmap", tmp_path / "out.png")
    assert without.exit_code == 2
    assert "has no map" in without.stderr


@pytest.mark.keras
def test_train_lists_its_networks() -> None:
    result = run("train", "--list-networks")
    assert result.exit_code == 0
    names = [line.partition(":")[0] for line in result.stdout.splitlines()]
    assert names == [
        "efficientnet-lite0",
        "efficientnet-lite1",
        "efficientnet-lite2",
        "residual",
        "sequential-bn",
        "vgg-small",
        "minimal",
    ]
    assert "2.2 M parameters" in result.stdout
    assert result.stdout.count("multiply-adds") == 7
    offered = run("train", "--help").stdout
    assert all(name in offered for name in names)


def test_train_lists_labels_that_look_wrong_and_makes_no_model(
    tmp_path: Path, fill_folder: object, head_models_dir: Path
) -> None:
    """Three cats were put among the dogs; the files stay as they are."""
    data = fill_folder(tmp_path / "labelled", {"cats": 60, "dogs": 60, "other": 60}, 500)  # type: ignore[operator]
    for number in (507, 523, 541):
        (data / "cats" / f"cats-{number:03}.jpg").rename(data / "dogs" / f"tom-{number}.jpg")
    before = {path: path.read_bytes() for path in data.rglob("*.jpg")}
    models = {path for path in head_models_dir.rglob("*") if path.is_file()}
    sheets = tmp_path / "sheets"
    result = run(
        "--models-dir", head_models_dir, "train", data, "--find-label-errors", "--output", sheets
    )
    assert result.exit_code == 0, result.stderr
    shown = [line for line in result.stdout.splitlines() if " says " in line]
    assert {Path(line.partition(" says ")[0]).name for line in shown} >= {
        "tom-507.jpg", "tom-523.jpg", "tom-541.jpg",
    }  # fmt: skip
    assert len(shown) < 10
    assert "says dog; taken for cat (" in "\n".join(shown)
    assert f"{len(shown)} of 180 labels look wrong" in result.stdout
    page = (sheets / "label-errors.html").read_text(encoding="utf-8")
    assert page.count('<img src="data:image/jpeg') == len(shown)
    assert f"mv -n {data}/dogs/tom-507.jpg {data}/cats/" in page
    assert {path: path.read_bytes() for path in data.rglob("*.jpg")} == before
    assert {path for path in head_models_dir.rglob("*") if path.is_file()} == models
