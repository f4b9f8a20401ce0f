"""Predictions off the loop, with the model that serves."""

from __future__ import annotations

import asyncio
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.photos import inference
from bot.photos.inference import InferencePool
from core.classifier import Classifier


async def test_another_model_is_taken_up_while_photos_are_looked_at(
    tiny_model: Path,
    tmp_path: Path,
    draw: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each answer is one model's, with that model's threshold and words."""
    copy = Path(shutil.copytree(tiny_model, tmp_path / "second"))
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest |= {"version": "second", "threshold": 0.125}
    (copy / "manifest.json").write_text(json.dumps(manifest))
    first, second = Classifier(tiny_model), Classifier(copy)
    serving = [first]
    monkeypatch.setattr(inference, "_LOOK", 0.01)
    pool = InferencePool(lambda: serving[0])
    following = asyncio.create_task(pool.follow())
    file = io.BytesIO()
    draw("cats", 900).save(file, "JPEG")
    versions: list[str] = []
    try:
        for number in range(200):
            looked = await pool.look(file.getvalue())
            version = looked.decision.prediction.model_version
            versions.append(version)
            assert looked.manifest.version == version
            assert looked.decision.threshold == looked.manifest.threshold
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
    assert pool.threshold == 0.125
