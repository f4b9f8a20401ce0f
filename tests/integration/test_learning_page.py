"""docs/learning.md, its plain Keras run on a network that was trained here."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.training.data.inputs import TrainContext
from core.training.data.train_options import TrainOptions
from core.training.networks.recipe import LIGHT, RECIPES, Stage
from core.training.networks.train_network import train_network

pytestmark = pytest.mark.keras

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "learning.md"


def test_ten_lines_of_plain_keras_ask_a_network(
    tmp_path: Path, told: Any, fill_folder: Callable[..., Path], draw: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """As they stand on the page; and the summary names the layer that rescales."""
    data = fill_folder(tmp_path / "data", {"cats": 60, "dogs": 60})
    recipe = replace(RECIPES["minimal"], stages=(Stage(32, 8, LIGHT),), batch_size=16)
    context = TrainContext(tmp_path / "models", told)
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
