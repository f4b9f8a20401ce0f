"""The command line as a whole: exit codes, settings, and what it imports."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from catdog import COMMANDS, main
from core.training.extra import EXTRA_PACKAGES
from tests.command_line import objects, run
from tests.conftest import Draw


@pytest.fixture
def photo(tmp_path: Path, draw: Draw) -> Path:
    path = tmp_path / "tom.jpg"
    draw("cats", 700).save(path)
    return path


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
    assert set(commands) == {*COMMANDS, "doctor"}
    for prefix, command, arguments in [
        ("CATDOG", main, ["--help"]),
        *((f"CATDOG_{name}", found, [name, "--help"]) for name, found in commands.items()),
    ]:
        assert command is not None
        text = " ".join(run(*arguments).stdout.split())
        for option in command.params:
            if option.param_type_name == "option" and option.name not in ("help", "version"):
                own = f"{prefix}_{option.name}".upper().replace("-", "_")
                assert str(option.envvar or own) in text, option.name


def modules_loaded_by(*arguments: object, **environment: str) -> set[str]:
    """Run a command in a Python of its own. Returns the modules that it imported."""
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
def test_a_command_without_photos_loads_neither_numpy_nor_pillow(arguments: list[str]) -> None:
    assert not {"numpy", "PIL"} & modules_loaded_by(*arguments)


def test_a_command_that_is_asked_for_is_the_only_one_that_is_imported() -> None:
    loaded = modules_loaded_by("history", "--help")
    commands = set(COMMANDS.values())
    modules = {place.partition(":")[0] for place in commands}
    assert loaded & modules == {"sorter.commands.past_runs"}


@pytest.mark.parametrize("arguments", [["--help"], ["predict", "PHOTO"], ["sort", "FOLDER"]])
def test_tensorflow_is_never_loaded_for_serving(
    arguments: list[str], photo: Path, tiny_model: Path
) -> None:
    places = {"PHOTO": str(photo), "FOLDER": str(photo.parent)}
    loaded = modules_loaded_by(*(places.get(a, a) for a in arguments), CATDOG_MODEL=str(tiny_model))
    assert not {"tensorflow", "keras", "sklearn", "scipy"} & loaded


def test_ctrl_c_ends_with_130(monkeypatch: pytest.MonkeyPatch, photo: Path) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("core.model.registry.find_model", interrupt)
    result = run("predict", photo)
    assert result.exit_code == 130
    assert "Interrupted." in result.stderr


def test_without_the_extras_all_but_training_and_archive_can_be_imported() -> None:
    """What a base install cannot run must not stand in the way of what it can."""
    hidden = [*sorted(EXTRA_PACKAGES), "pyarrow", "fsspec", "ray"]
    code = (
        "import importlib, pkgutil, sys\n"
        f"sys.modules.update(dict.fromkeys({hidden}))\n"
        "import bot, core, sorter\n"
        "for package in (bot, core, sorter):\n"
        "    for one in pkgutil.walk_packages(package.__path__, package.__name__ + '.'):\n"
        "        if not one.name.startswith(('core.training.', 'core.archive.on_ray.')):\n"
        "            importlib.import_module(one.name)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("asked", ["--help", "--version", "sort --help"])
def test_help_that_cannot_be_written_is_one_line(asked: str) -> None:
    command = f"set -o pipefail; {sys.executable} -m catdog {asked}"
    full = subprocess.run(["bash", "-c", f"{command} > /dev/full"], capture_output=True, text=True)
    (line,) = full.stderr.splitlines()
    assert (full.returncode, line.startswith("Error: standard output cannot")) == (1, True)
    enough = subprocess.run(["bash", "-c", f"{command} | true"], capture_output=True, text=True)
    assert (enough.returncode, enough.stderr) == (0, "")
