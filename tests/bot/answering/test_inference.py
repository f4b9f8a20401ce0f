"""Predictions off the loop, with the model that serves."""

from __future__ import annotations

import asyncio
import io
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.answering import inference
from bot.answering.inference import InferencePool
from core.model.classifier import Classifier
from core.model.manifest import read_manifest


async def test_another_model_is_taken_up_while_photos_are_predicted(
    tiny_model: Path,
    tmp_path: Path,
    draw: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each answer is one model's, with that model's threshold and words."""
    copy = Path(shutil.copytree(tiny_model, tmp_path / "second"))
    manifest = read_manifest(copy)
    cat, dog, other = (one.with_threshold(1.0) for one in manifest.classes)
    replace(manifest, version="second", classes=(cat, dog.with_threshold(0.875), other)).write(copy)
    first, second = Classifier(tiny_model), Classifier(copy)
    serving = [first]
    monkeypatch.setattr(inference, "_FOLLOW_SECONDS", 0.01)
    pool = InferencePool(lambda: serving[0])
    following = asyncio.create_task(pool.follow())
    file = io.BytesIO()
    draw("cats", 900).save(file, "JPEG")
    versions: list[str] = []
    try:
        for number in range(200):
            predicted = await pool.infer(file.getvalue())
            version = predicted.verdict.prediction.model_version
            versions.append(version)
            assert predicted.manifest.version == version
            assert predicted.verdict.likeliest is predicted.manifest.classes[0]
            assert predicted.verdict.is_sure is (version != "second")
            if number == 20:
                serving[0] = second
            if version == "second":
                break
    finally:
        following.cancel()
        pool.close()
    assert versions[0] == first.manifest.version
    assert versions[-1] == "second"
    assert pool.manifest is second.manifest
    assert pool.threshold == 0.875


@pytest.mark.parametrize(("asked", "lowest"), [(None, 0.6), (0.1, 0.6), (0.65, 0.65), (0.8, 0.8)])
async def test_a_threshold_that_was_asked_for_can_only_raise_the_models(
    tiny_model: Path, asked: float | None, lowest: float
) -> None:
    classifier = Classifier(tiny_model)
    pool = InferencePool(lambda: classifier, asked)
    pool.close()
    assert pool.threshold == lowest
