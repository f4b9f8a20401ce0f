"""docs/learning.md, walked through by its own commands, and its plain Keras run as it stands."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from catdog import main
from core.model.manifest import read_manifest
from core.training.data.inputs import TrainContext
from core.training.data.train_options import TrainOptions
from core.training.networks.recipe import LIGHT, RECIPES, Stage
from core.training.networks.train_network import train_network
from tests.drawn_animals import draw_animal, draw_folder

pytestmark = pytest.mark.keras

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "learning.md"


def test_ten_lines_of_plain_keras_ask_a_network(
    tmp_path: Path, console: Any, fill_folder: Callable[..., Path], draw: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """As they stand on the page; and the summary names the layer that rescales."""
    data = fill_folder(tmp_path / "data", {"cats": 60, "dogs": 60})
    recipe = replace(RECIPES["minimal"], stages=(Stage(32, 8, LIGHT),), batch_size=16)
    context = TrainContext(tmp_path / "models", console)
    trained = train_network(TrainOptions(data), recipe, context)
    monkeypatch.chdir(trained.folder)
    first, second = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    said = {}
    for kind in ("cats", "dogs"):
        draw(kind, 999).save("tom.jpg")
        names: dict[str, Any] = {}
        exec(first, names)  # the page's own code
        said[kind] = names["dog"]
        exec(second, names)
    assert said["cats"] < 0.3
    assert said["dogs"] > 0.7
    assert "rescaling_from_0_to_255" in capsys.readouterr().out
    assert "0 to 255" in (trained.folder / "MODEL_CARD.md").read_text("utf-8")


COMMANDS = [
    "train labelled --network minimal",
    "train labelled --network sequential-bn --set optimizer=rmsprop --set learning_rate=1e-4",
    "train labelled --network vgg-small",
    "train labelled --network residual",
    "train split --network minimal",
    "explain tom.jpg --model bn --photos labelled",
    "train labelled --network sequential-bn --set rotation=20 --set flip=yes",
    "train ten --network vgg-small",
    "train few --network sequential-bn --set augment=none --set dropout=0",
    "train few --network sequential-bn --set augment=strong --set dropout=0.5",
]
EPOCHS = {"few": 12}  # else 2: enough to see that it runs


@pytest.mark.long
def test_every_command_does_what_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As they stand on the page, with fewer epochs and smaller images."""
    draw_folder(tmp_path / "labelled", {"cats": 40, "dogs": 40})
    draw_folder(tmp_path / "few", {"cats": 150, "dogs": 150}, first=1000)
    for part, first in (("train", 2000), ("validation", 3000), ("test", 4000)):
        draw_folder(tmp_path / "split" / part, {"cats": 24, "dogs": 24}, first=first)
    for number in range(10):
        made = draw_folder(tmp_path / "drawn", {"cats": 60}, first=5000 + 100 * number)
        (tmp_path / "ten").mkdir(exist_ok=True)
        (made / "cats").rename(tmp_path / "ten" / f"pet{number}")
    draw_animal("cats", 9).save(tmp_path / "tom.jpg")
    monkeypatch.chdir(tmp_path)

    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    lines = "".join(blocks).splitlines()
    assert len(lines) == len(COMMANDS)
    for line, begins in zip(lines, COMMANDS, strict=True):
        program, *arguments = shlex.split(line)
        assert program == "catdog"
        assert " ".join(arguments).startswith(begins)
        if arguments[0] == "train":
            epochs = EPOCHS.get(arguments[1], 2)
            arguments += ["--epochs", str(epochs), "--set", "size=48"]
        done = CliRunner().invoke(main, arguments)
        assert done.exit_code == 0, f"{line}: {done.output}"
    _check_what_was_made(tmp_path)


def _check_what_was_made(folder: Path) -> None:
    """The settings that were asked for, softmax, the test, overfitting, and its cure."""
    recipes = {
        name: read_manifest(folder / name).recipe
        for name in ("minimal", "bn", "vgg", "residual", "from-split", "varied", "ten-classes")
    }
    assert recipes["minimal"]["optimizer"] == "adam"
    assert (recipes["bn"]["optimizer"], recipes["bn"]["learning_rate"]) == ("rmsprop", 1e-4)
    varied = recipes["varied"]["stages"][0]["augmentation"]
    assert (varied["rotation"], varied["flip"], varied["min_area"]) == (20.0, True, 0.7)
    split = read_manifest(folder / "from-split")
    assert sum(split.data["training"].values()) == 48
    assert split.metrics["test"]["photos"] == 48
    ten = read_manifest(folder / "ten-classes")
    assert len(ten.labels) == 10
    why = (folder / "why.html").read_text("utf-8")
    assert 'id="filter"' in why
    assert "similarity 0" in why
    overfitted, cured = (_last_epochs(folder / name) for name in ("overfitted", "cured"))
    assert overfitted["accuracy"] - overfitted["validation_accuracy"] > 0.2
    assert "How the training went: overfitting" in (folder / "overfitted/report.html").read_text()
    gap = cured["accuracy"] - cured["validation_accuracy"]
    assert gap < 0.5 * (overfitted["accuracy"] - overfitted["validation_accuracy"])


def _last_epochs(model: Path) -> dict[str, float]:
    history = json.loads((model / "metrics.json").read_text("utf-8"))["history"][-3:]
    return {
        key: sum(epoch[key] for epoch in history) / len(history)
        for key in ("accuracy", "validation_accuracy")
    }
