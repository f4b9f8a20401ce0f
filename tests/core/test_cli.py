"""predict, evaluate and train as commands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from catdog import main
from core import cli


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
    for prefix, command, arguments in [
        ("CATDOG", main, ["--help"]),
        *((f"CATDOG_{name}", main.commands[name], [name, "--help"]) for name in main.commands),
    ]:
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
        "coverage", "filed_precision", "neither_filed",
    }  # fmt: skip
    assert figures["data"]["files"] == 16  # type: ignore[index]
    assert figures["data"]["skipped"] == 1  # type: ignore[index]
    assert figures["accuracy"] >= 0.9  # type: ignore[operator]
    assert set(figures["per_class"]["cat"]) == {"precision", "recall", "f1", "support"}  # type: ignore[index]
    assert sum(figures["confusion"]["dog"].values()) == 5  # type: ignore[index]
    plain = run("evaluate", data, "--model", tiny_model)
    assert "told apart" in plain.stdout
    assert plain.stderr.count("bad.jpg") == 1


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
        cli._load_training_packages("train", "core.training.run")


@pytest.mark.parametrize("arguments", [["--help"], ["predict", "PHOTO"], ["sort", "FOLDER"]])
def test_tensorflow_is_never_loaded_for_serving(
    arguments: list[str], photo: Path, tiny_model: Path
) -> None:
    places = {"PHOTO": str(photo), "FOLDER": str(photo.parent)}
    script = (
        "import sys\n"
        "from catdog import main\n"
        "try:\n"
        "    main()\n"
        "finally:\n"
        "    loaded = {'tensorflow', 'keras', 'sklearn', 'scipy'} & set(sys.modules)\n"
        "    assert not loaded, loaded\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", script, *(places.get(a, a) for a in arguments)],
        env={**os.environ, "CATDOG_MODEL": str(tiny_model)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr


def test_train_makes_a_version_that_predict_takes(
    tmp_path: Path, photo: Path, fill_folder: object
) -> None:
    data = fill_folder(tmp_path / "data", {"cats": 60, "dogs": 60})  # type: ignore[operator]
    models = tmp_path / "models"
    result = run("--models-dir", models, "train", data, "--epochs", "1", "--seed", "3")
    assert result.exit_code == 0, result.output
    (version,) = (path.name for path in models.iterdir() if path.name != "unfinished")
    assert f"--model {version}" in result.stdout
    assert "Epoch 1 of 1 at 128 px" in result.stdout
    assert list((models / "unfinished").iterdir()) == []
    (answer,) = objects(run("--models-dir", models, "predict", photo, "--json", "--model", version))
    assert set(answer["probabilities"]) == {"cat", "dog"}  # type: ignore[call-overload]


def test_ctrl_c_ends_with_130(monkeypatch: pytest.MonkeyPatch, photo: Path) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("core.model_store.find_model", interrupt)
    result = run("predict", photo)
    assert result.exit_code == 130
    assert "Interrupted." in result.stderr
