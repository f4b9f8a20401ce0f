"""When a photo is looked at again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from core.errors import ModelRefused
from core.manifest import MANIFEST, read_manifest
from core.second_look import SecondLook


@pytest.mark.parametrize(
    ("logits", "is_due"),
    [
        ([0.0, 2.9, -5.0], True),
        ([0.0, 3.1, -5.0], False),
        ([9.0, 0.0, 9.0], True),
        ([2.9], True),
        ([-2.9], True),
        ([-3.1], False),
    ],
)
def test_it_is_due_where_two_classes_are_close(logits: list[float], is_due: bool) -> None:
    look = SecondLook(size=48, stored_size=54, margin=3.0)
    assert look.is_due(np.array([logits], np.float32)) is is_due


def test_both_looks_count_by_their_weights() -> None:
    first, second = np.float32([[2.0, 0.0]]), np.float32([[0.0, 4.0]])
    even = SecondLook(size=48, stored_size=54, margin=3.0)
    closer = SecondLook(size=48, stored_size=54, margin=3.0, weight=0.75)
    assert even.combined(first, second).tolist() == [[1.0, 2.0]]
    assert closer.combined(first, second).tolist() == [[0.5, 3.0]]


@pytest.mark.parametrize(
    "wrong", [{"margin": 0.0}, {"margin": float("nan")}, {"size": 0}, {"weight": 1.5}]
)
def test_a_look_that_cannot_be_is_refused(
    wrong: dict[str, float], tiny_model: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(tiny_model, tmp_path / "model")
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    manifest["second_look"] |= wrong
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(ModelRefused, match="Received"):
        read_manifest(folder)


def test_a_model_from_before_there_were_second_looks_looks_once(
    tiny_model: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(tiny_model, tmp_path / "model")
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    del manifest["second_look"]
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    assert read_manifest(folder).second_look is None
