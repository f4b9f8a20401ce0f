"""predict, evaluate and train as commands."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from catdog import main
from core.training import extra


def run(*arguments: object, **environment: str) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments], env=environment)


def objects(result: Result) -> list[dict[str, object]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture
def photo(tmp_path: Path, draw: object) -> Path:
    path = tmp_path / "tom.jpg"
    draw("cats", 700).save(path)  # type: ignore[operator]
    return path


def test_predict_says_what_it_sees(photo: Path, tiny_model: Path) -> None:
    result = run("predict", photo, "--model", tiny_model, "--threshold", "0.4")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"{photo}: cat, ")


def test_predict_gives_json(photo: Path, tiny_model: Path) -> None:
    (answer,) = objects(run("predict", photo, "--json", "--model", tiny_model))
    assert set(answer) == {"path", "label", "confidence", "probabilities", "decision", "model"}
    assert answer["path"] == str(photo)
    assert answer["label"] == "cat"
    assert list(answer["probabilities"]) == ["cat", "dog", "other"]  # type: ignore[call-overload]
    assert answer["model"] == tiny_model.name
    (unsure,) = objects(run("predict", photo, "--json", "--model", tiny_model, "--threshold", "1"))
    assert unsure["decision"] == "unsure"


def test_predict_paints_what_it_looked_at(photo: Path, tiny_model: Path, tmp_path: Path) -> None:
    """Into a new file alone: what is there may be a photo."""
    out = tmp_path / "seen.png"
    result = run("predict", photo, "--heatmap", out, "--model", tiny_model)
    assert result.exit_code == 0
    assert "cat" in result.stdout
    with Image.open(out) as painted, Image.open(photo) as plain:
        assert (painted.format, painted.size) == ("PNG", plain.size)
        assert painted.tobytes() != plain.convert("RGB").tobytes()
    before = photo.read_bytes()
    for taken in (out, photo):
        refused = run("predict", photo, "--heatmap", taken, "--model", tiny_model)
        assert refused.exit_code == 2
        assert "is there already" in refused.stderr
    assert photo.read_bytes() == before
    for wrong, reason in (
        ((photo, photo, "--heatmap", tmp_path / "new.png"), "takes one photo"),
        ((photo, "--heatmap", tmp_path / "new.txt"), "must end in one of"),
        ((photo, "--heatmap", tmp_path / "gone" / "new.png"), "cannot be written: No such"),
    ):
        refused = run("predict", *wrong, "--model", tiny_model)
        assert refused.exit_code == 2
        assert reason in refused.stderr
    assert not (tmp_path / "new.png").exists()


def test_a_bad_file_is_told_and_the_others_go_on(photo: Path, tiny_model: Path) -> None:
    (photo.parent / "a.jpg").write_bytes(b"\xff\xd8\xff\xe0 cut")
    (photo.parent / "film.mov").write_bytes(b"x")
    result = run(
        "predict", photo.parent, photo.parent / "gone.jpg", "--json", "--model", tiny_model
    )
    bad, good, gone = objects(result)
    assert result.exit_code == 1
    assert bad["error"]["code"] == "truncated"  # type: ignore[index]
    assert good["label"] == "cat"
    assert gone["error"]["code"] == "vanished"  # type: ignore[index]
    plain = run("predict", photo.parent, "--model", tiny_model)
    assert plain.exit_code == 1
    assert "a.jpg ends early or is damaged" in plain.stderr
    assert "tom.jpg: cat" in plain.stdout


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="file names are Unicode there")
def test_names_that_are_not_utf8_survive_json(
    tmp_path: Path, tiny_model: Path, photo: Path
) -> None:
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/odd\xff\n.jpg"))
    photo.rename(odd)
    (answer,) = objects(run("predict", tmp_path, "--json", "--model", tiny_model))
    assert Path(str(answer["path"])) == odd
    assert run("predict", tmp_path, "--model", tiny_model).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["predict"], 2),
        (["predict", "x.jpg", "--threshold", "2"], 2),
        (["predict", "x.jpg", "--model", "no-such-model"], 3),
        (["sort", "no-such-folder"], 2),
        (["evaluate", "no-such-folder"], 2),
        (["train", "no-such-folder"], 2),
        (["bot"], 2),
        (["nonsense"], 2),
    ],
)
def test_exit_codes_of_refusals(
    arguments: list[str], code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)
    assert result.exit_code == code
    assert "Traceback" not in result.output


def test_settings_come_from_env_and_the_environment_wins(
    photo: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(photo.parent)
    Path(".env").write_text(f"CATDOG_MODEL={tiny_model}\nCATDOG_THRESHOLD=1\n")
    (answer,) = objects(run("predict", photo, "--json"))
    assert answer["decision"] == "unsure"
    (answer,) = objects(run("predict", photo, "--json", CATDOG_THRESHOLD="0"))
    assert answer["decision"] == "cat"
    (answer,) = objects(run("predict", photo, CATDOG_PREDICT_JSON="1", CATDOG_THRESHOLD="0"))
    assert answer["decision"] == "cat"


def test_env_is_read_from_the_current_folder_or_as_named_only(
    photo: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (photo.parent / ".env").write_text("CATDOG_THRESHOLD=1\n")
    below = photo.parent / "below"
    below.mkdir()
    monkeypatch.chdir(below)
    (answer,) = objects(run("predict", photo, "--json", "--model", tiny_model))
    assert answer["decision"] == "cat"
    (answer,) = objects(
        run("--env-file", photo.parent / ".env", "predict", photo, "--json", "--model", tiny_model)
    )
    assert answer["decision"] == "unsure"


def test_every_option_names_its_variable() -> None:
    """--help and --version aside, which are no settings."""
    context = click.Context(main)
    commands = {name: main.get_command(context, name) for name in main.list_commands(context)}
    assert len(commands) == 12
    for prefix, command, arguments in [
        ("CATDOG", main, ["--help"]),
        *((f"CATDOG_{name}", found, [name, "--help"]) for name, found in commands.items()),
    ]:
        assert command is not None
        text = " ".join(run(*arguments).stdout.split())
        for option in command.params:
            if option.param_type_name == "option" and option.name not in ("help", "version"):
                own = f"{prefix}_{option.name}".upper()
                assert (option.envvar or own) in text, option.name


def test_evaluate_measures_labelled_folders(
    tmp_path: Path, tiny_model: Path, fill_folder: object
) -> None:
    data = fill_folder(tmp_path / "labelled", {"cats": 6, "dogs": 5, "other": 4}, 800)  # type: ignore[operator]
    (data / "cats" / "bad.jpg").write_bytes(b"\xff\xd8\xff")
    result = run("evaluate", data, "--json", "--model", tiny_model)
    assert result.exit_code == 0
    (figures,) = objects(result)
    assert set(figures) == {
        "model", "data", "accuracy", "told_apart", "per_class", "confusion", "ece", "threshold",
        "coverage", "filed_right", "filed_precision", "neither_filed", "intervals", "sources",
        "kinds", "thresholds", "model_bytes", "milliseconds",
    }  # fmt: skip
    low, high = figures["intervals"]["accuracy"]  # type: ignore[index]
    assert low < figures["accuracy"] <= high + 1e-9
    assert figures["sources"]["cats"]["photos"] == 6  # type: ignore[index]
    assert figures["kinds"] == {}, "the photos' names tell of none"
    assert figures["data"]["files"] == 16  # type: ignore[index]
    assert figures["data"]["skipped"] == 1  # type: ignore[index]
    assert figures["accuracy"] >= 0.9  # type: ignore[operator]
    assert set(figures["per_class"]["cat"]) == {"precision", "recall", "f1", "support"}  # type: ignore[index]
    assert sum(figures["confusion"]["dog"].values()) == 5  # type: ignore[index]
    plain = run("evaluate", data, "--model", tiny_model)
    assert "told apart" in plain.stdout
    assert "points lost" not in plain.stdout
    assert plain.stderr.count("bad.jpg") == 1


def test_evaluate_writes_a_page_and_sheets_with_all_that_it_found(
    tmp_path: Path, tiny_model: Path, fill_folder: object
) -> None:
    data = fill_folder(tmp_path / "labelled", {"cats": 6, "dogs": 5, "other": 4}, 800)  # type: ignore[operator]
    for number, photo in enumerate(sorted((data / "other").iterdir())):
        photo.rename(photo.with_name(f"web-<b>wild-cat-{number}.jpg"))
    (data / "cats" / "cats-800.jpg").rename(data / "dogs" / "no-dog-1.jpg")
    page, sheets = tmp_path / "page.html", tmp_path / "sheets"
    arguments = ("evaluate", data, "--model", tiny_model, "--html", page, "--mistakes", sheets)
    result = run(*arguments, "--variations")
    assert result.exit_code == 0, result.stderr
    for text in ("points lost", "photos of two at once: unsure", "<b>wild-cat", "upside down"):
        assert text in result.stdout
    html = page.read_text(encoding="utf-8")
    assert "&lt;b&gt;wild-cat" in html
    assert "<b>" not in html
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


def test_without_the_extra_train_says_in_one_line_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Python in which TensorFlow and Keras cannot be imported."""
    blocked = tmp_path / "sitecustomize.py"
    blocked.write_text(
        "import sys\n"
        "for name in ('tensorflow', 'keras', 'sklearn', 'scipy'):\n"
        "    sys.modules[name] = None\n"
    )
    for command in ("train", "evaluate"):
        result = subprocess.run(
            [sys.executable, "-m", "catdog", command, str(tmp_path)],
            env={**os.environ, "PYTHONPATH": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 4
        assert result.stderr.count("\n") == 1
        assert "pip install '.[train]'" in result.stderr


def test_a_missing_package_that_is_no_extra_is_a_bug_and_shows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "core.training.run", None)
    with pytest.raises(ModuleNotFoundError):
        extra.load_training_packages("train", "core.training.run")


def modules_loaded_by(*arguments: object, **environment: str) -> set[str]:
    """Run a command in a Python of its own, and name what it imported."""
    script = (
        "import sys\n"
        "from catdog import main\n"
        "try:\n"
        "    main()\n"
        "finally:\n"
        "    print('loaded:', *sys.modules, file=sys.stderr)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    loaded = set(result.stderr.rpartition("loaded:")[2].split())
    assert "click" in loaded
    return loaded


@pytest.mark.parametrize("arguments", [["--help"], ["sort", "--help"], ["history"]])
def test_what_sees_no_photo_loads_neither_numpy_nor_pillow(arguments: list[str]) -> None:
    assert not {"numpy", "PIL"} & modules_loaded_by(*arguments)


def test_a_command_that_is_asked_for_is_the_only_one_that_is_imported() -> None:
    loaded = modules_loaded_by("history", "--help")
    assert [name for name in loaded if name.endswith("cli")] == ["sorter.journal.cli"]


@pytest.mark.parametrize("arguments", [["--help"], ["predict", "PHOTO"], ["sort", "FOLDER"]])
def test_tensorflow_is_never_loaded_for_serving(
    arguments: list[str], photo: Path, tiny_model: Path
) -> None:
    places = {"PHOTO": str(photo), "FOLDER": str(photo.parent)}
    loaded = modules_loaded_by(*(places.get(a, a) for a in arguments), CATDOG_MODEL=str(tiny_model))
    assert not {"tensorflow", "keras", "sklearn", "scipy"} & loaded


def test_train_makes_a_version_that_predict_takes(
    tmp_path: Path, photo: Path, fill_folder: object
) -> None:
    data = fill_folder(tmp_path / "data", {"cats": 60, "dogs": 60})  # type: ignore[operator]
    models = tmp_path / "models"
    result = run(
        "--models-dir", models, "train", data, "--from", "scratch", "--epochs", "1",
        "--seed", "3", "--no-promote")  # fmt: skip
    assert result.exit_code == 0, result.output
    (version,) = (path.name for path in models.iterdir() if path.name != "unfinished")
    assert f"--model {version}" in result.stdout
    assert "Epoch 1 of 1 at 144 px" in result.stdout
    assert list((models / "unfinished").iterdir()) == []
    (answer,) = objects(run("--models-dir", models, "predict", photo, "--json", "--model", version))
    assert set(answer["probabilities"]) == {"cat", "dog"}  # type: ignore[call-overload]


def test_train_takes_other_networks_and_settings(
    tmp_path: Path, fill_folder: object, photo: Path
) -> None:
    data = fill_folder(tmp_path / "labelled", {"cats": 60, "dogs": 60})  # type: ignore[operator]
    model = tmp_path / "minimal"
    result = run(
        "train", data, "--output", model, "--architecture", "minimal", "--image-size", 32,
        "--epochs", 6, "--optimizer", "rmsprop", "--learning-rate", 0.002, "--batch-size", 16,
        "--augment", "none",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    recipe = json.loads((model / "manifest.json").read_text())["recipe"]
    assert (recipe["architecture"], recipe["optimizer"]) == ("minimal", "rmsprop")
    assert (recipe["learning_rate"], recipe["batch_size"]) == (0.002, 16)
    assert [(stage["size"], stage["epochs"]) for stage in recipe["stages"]] == [(32, 6)]
    assert recipe["stages"][0]["augmentation"]["flip"] is False
    assert "cat" in run("predict", photo, "--model", model).stdout
    without = run("predict", photo, "--model", model, "--heatmap", tmp_path / "out.png")
    assert without.exit_code == 2
    assert "has no map" in without.stderr


def test_train_lists_its_networks() -> None:
    result = run("train", "--list-architectures")
    assert result.exit_code == 0
    names = [line.partition(":")[0] for line in result.stdout.splitlines()]
    assert names == [
        "default",
        "sequential-bn",
        "vgg-small",
        "minimal",
    ]
    assert "2.2 M parameters" in result.stdout
    assert result.stdout.count("multiply-adds") == 4


@pytest.mark.long
def test_train_lists_labels_that_look_wrong_and_makes_no_model(
    tmp_path: Path, fill_folder: object, tiny_recipe: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three cats were put among the dogs; the files stay as they are."""
    data = fill_folder(tmp_path / "labelled", {"cats": 60, "dogs": 60, "other": 60})  # type: ignore[operator]
    for number in (7, 23, 41):
        (data / "cats" / f"cats-{number:03}.jpg").rename(data / "dogs" / f"tom-{number}.jpg")
    before = {path: path.read_bytes() for path in data.rglob("*.jpg")}
    monkeypatch.setattr("core.training.recipe.LABEL_FAULTS", tiny_recipe())  # type: ignore[operator]
    sheets = tmp_path / "sheets"
    result = run("train", data, "--find-label-faults", "--output", sheets)
    assert result.exit_code == 0, result.stderr
    told = [line for line in result.stdout.splitlines() if " says " in line]
    assert {Path(line.partition(" says ")[0]).name for line in told} >= {
        "tom-7.jpg", "tom-23.jpg", "tom-41.jpg",
    }  # fmt: skip
    assert len(told) < 10
    assert "says dog; taken for cat (" in "\n".join(told)
    assert f"{len(told)} of 180 labels look wrong" in result.stdout
    assert [path.name for path in sheets.iterdir()] == ["mistakes-1.jpg"]
    assert {path: path.read_bytes() for path in data.rglob("*.jpg")} == before
    models = Path(os.environ["CATDOG_MODELS_DIR"])
    assert [path for path in models.rglob("*") if path.is_file()] == []


def test_ctrl_c_ends_with_130(monkeypatch: pytest.MonkeyPatch, photo: Path) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("core.model_store.find_model", interrupt)
    result = run("predict", photo)
    assert result.exit_code == 130
    assert "Interrupted." in result.stderr
