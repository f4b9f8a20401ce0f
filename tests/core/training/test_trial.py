"""Training compares its model with the one that serves, and promotes it only if it is no worse."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from catdog import main
from core.promotion import promote

pytestmark = pytest.mark.long


@pytest.fixture
def models(tmp_path: Path, tiny_model: Path) -> Path:
    """A folder of models in which the tiny one serves, as if its photos were not these people's."""
    shutil.copytree(tiny_model, tmp_path / "models" / "tiny")
    (tmp_path / "models" / "tiny" / "learnt.txt").unlink()
    promote(tmp_path / "models", "tiny")
    return tmp_path / "models"


def train(models: Path, data: Path, *more: str, state: Path | None = None) -> Result:
    before = ["--models-dir", str(models), *(["--state-dir", str(state)] if state else [])]
    return CliRunner().invoke(main, [*before, "train", str(data), *more])


def serves(models: Path) -> str:
    return (models / "promoted").read_text().strip()


def test_a_model_that_is_no_worse_serves_and_one_that_is_worse_does_not(
    models: Path, tmp_path: Path, fill_folder: Callable[..., Path]
) -> None:
    """Few photos are held out: it is trained three times more. The next time they are known."""
    data = fill_folder(tmp_path / "data", {"cats": 60, "dogs": 60, "other": 60}, 3000)
    good = train(models, data)
    assert good.exit_code == 0, good.output
    assert "the training is repeated 3 times" in good.stdout
    assert "Part 3 of 3" in good.stdout
    assert "McNemar's test" in good.stdout
    version = serves(models)
    assert f"{version} serves now, in the place of tiny" in good.stdout
    page = (models / version / "report.html").read_text()
    assert "Against the model that serves" in page
    assert "It is no worse than" in page
    comparison = json.loads((models / version / "metrics.json").read_text())["comparison"]
    assert len(comparison["findings"]) == 4

    again = train(models, data)
    assert serves(models) == version
    assert "too few to tell" in again.stdout
    assert f"{version[:10]}" in again.stdout
    assert "goes on serving" in again.stdout

    more = fill_folder(tmp_path / "more", {"cats": 60, "dogs": 60, "other": 60}, 5000)
    bad = train(models, more, "--architecture", "minimal", "--image-size", "32", "--epochs", "1",
                "--learning-rate", "1e-6")  # fmt: skip
    assert bad.exit_code == 0, bad.output
    assert serves(models) == version
    assert "  - Of " in bad.stdout
    forced = train(models, more, "--architecture", "minimal", "--image-size", "32", "--epochs",
                   "1", "--learning-rate", "1e-6", "--force")  # fmt: skip
    assert serves(models) != version, forced.output


def test_cats_and_dogs_alone_cannot_tell_whether_what_is_neither_is_left_alone(
    models: Path, tmp_path: Path, fill_folder: Callable[..., Path]
) -> None:
    """Unless sorting has left photos that the current model takes for neither."""
    data = fill_folder(tmp_path / "data", {"cats": 60, "dogs": 60}, 3000)
    refused = train(models, data)
    assert refused.exit_code == 0
    assert "  - Whether it still leaves alone what is neither cannot be told" in refused.stdout
    assert serves(models) == "tiny"
    inbox = fill_folder(tmp_path / "inbox", {"other": 40}, 7000) / "other"
    state = tmp_path / "own-state"
    sort = CliRunner().invoke(
        main,
        ["--state-dir", str(state), "--models-dir", str(models), "sort", str(inbox), "--into",
         str(tmp_path / "sorted"), "--others", "move"],
    )  # fmt: skip
    assert sort.exit_code == 0, sort.output
    told = train(models, data, state=state)
    assert "that the current model takes for neither it would file 0." in told.stdout
    assert serves(models) != "tiny"


def test_a_model_of_other_classes_serves_only_if_a_person_says_so(
    models: Path, tmp_path: Path, fill_folder: Callable[..., Path]
) -> None:
    data = fill_folder(tmp_path / "data", {"cats": 60, "dogs": 60})
    (data / "dogs").rename(data / "hamsters")
    refused = train(models, data, "--epochs", "2")
    assert serves(models) == "tiny"
    assert "It has the classes cat, hamsters; the current" in refused.stdout
    train(models, data, "--epochs", "2", "--promote")
    assert serves(models) != "tiny"


def test_what_cannot_go_together_is_refused(models: Path, tmp_path: Path) -> None:
    for wrong in (
        ["--force", "--no-promote"],
        ["--finish"],
        ["--from", "current", "--architecture", "minimal"],
        ["--from", "current", "--image-size", "64"],
    ):
        assert train(models, tmp_path, *wrong).exit_code == 2
