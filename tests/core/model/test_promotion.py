"""Promoting models, rolling back, pruning, and following what is promoted."""

from __future__ import annotations

import json
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from core.errors import ModelRefused, UsageRefused
from core.model.live import Serving
from core.model.manifest import LITERT
from core.model.promotion import find_stored, hold, list_models, promote, prune, roll_back
from core.model.registry import DEFAULT_MODEL, find_model, promoted_version


@pytest.fixture
def models(tiny_model: Path, tmp_path: Path) -> Path:
    """A models folder with v1 to v4, each made a day after the one before."""
    folder = tmp_path / "models"
    for number in (1, 2, 3, 4):
        copy = Path(shutil.copytree(tiny_model, folder / f"v{number}"))
        manifest = json.loads((copy / "manifest.json").read_text())
        manifest |= {"version": f"v{number}", "created": f"2026-01-0{number}T00:00:00+00:00"}
        (copy / "manifest.json").write_text(json.dumps(manifest))
    (folder / "unfinished").mkdir()
    return folder


def spoil(model: Path) -> None:
    """Alter a model's network, as a disk does."""
    content = bytearray((model / LITERT).read_bytes())
    content[100] ^= 1
    (model / LITERT).write_bytes(content)


def test_promoting_and_rolling_back_name_what_serves(models: Path) -> None:
    assert promote(models, "v1") == "default"
    assert find_model(models) == models / "v1"
    assert promote(models, "v3") == "v1"
    assert [model.name for model in list_models(models) if model.is_promoted] == ["v3"]
    assert roll_back(models) == "v1"
    assert promoted_version(models) == "v1"
    assert roll_back(models) == "default"
    assert find_model(models) == DEFAULT_MODEL
    with pytest.raises(UsageRefused, match="nothing to roll back"):
        roll_back(models)


def test_two_that_roll_back_at_once_go_two_steps_back(models: Path) -> None:
    for number in (1, 2, 3, 4):
        promote(models, f"v{number}")
    at_once = threading.Barrier(3)

    def back(_: int) -> str:
        at_once.wait(timeout=60)
        return roll_back(models)

    with ThreadPoolExecutor(3) as pool:
        assert sorted(pool.map(back, range(3))) == ["v1", "v2", "v3"]
    assert promoted_version(models) == "v1"


def test_the_model_that_comes_with_catdog_can_be_promoted_again(models: Path) -> None:
    promote(models, "v2")
    assert promote(models, "default") == "v2"
    assert find_model(models) == DEFAULT_MODEL
    assert roll_back(models) == "v2"


def test_a_broken_model_is_never_promoted_and_nothing_changes(models: Path) -> None:
    promote(models, "v1")
    spoil(models / "v2")
    (models / "v3" / "manifest.json").write_text("{")
    for name in ("v2", "v3"):
        with pytest.raises(ModelRefused):
            promote(models, name)
    with pytest.raises(UsageRefused, match=r"There are: default, v1, v2, v3, v4\."):
        promote(models, "v9")
    assert promoted_version(models) == "v1"
    assert isinstance(find_stored(models, "v3").manifest, ModelRefused)
    promote(models, "v4")
    spoil(models / "v1")
    with pytest.raises(ModelRefused):
        roll_back(models)
    assert promoted_version(models) == "v4"


def test_pruning_spares_what_may_be_wanted(models: Path) -> None:
    promote(models, "v1")
    promote(models, "v4")
    held = hold(models, models / "v2")
    assert held is not None
    assert prune(models, keep=0) == ["v3"]
    assert sorted(path.parent.name for path in models.glob("*/manifest.json")) == ["v1", "v2", "v4"]
    held.release()
    assert prune(models, keep=3) == []
    assert prune(models, keep=1) == ["v2"]
    assert not list(models.glob("pruned-*"))
    assert promote(models, "v1") == "v4"
    assert DEFAULT_MODEL.exists()


def test_serving_follows_the_pointer_and_not_more_often_than_every_5_seconds(models: Path) -> None:
    now = [0.0]
    serving = Serving(models, clock=lambda: now[0])
    default = serving.classifier()
    promote(models, "v1")
    now[0] = 4.9
    assert serving.classifier() is default
    now[0] = 5.0
    assert serving.classifier().manifest.version == "v1"
    with pytest.raises(UsageRefused, match="no model 'v7'"):
        promote(models, "v7")
    assert prune(models, keep=0) == ["v2", "v3", "v4"], "it serves: it is promoted"
    roll_back(models)
    now[0] = 10.0
    assert serving.classifier().manifest.version == default.manifest.version


def test_a_model_that_was_named_goes_on_serving(models: Path) -> None:
    now = [0.0]
    serving = Serving(models, "v2", clock=lambda: now[0])
    promote(models, "v1")
    now[0] = 60.0
    assert serving.classifier().manifest.version == "v2"
    assert prune(models, keep=0) == ["v3", "v4"], "v2 is in use"


def test_the_last_good_model_serves_where_the_promoted_one_does_not_load(
    models: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """And it is logged once; once it is mended, it serves."""
    now = [0.0]
    promote(models, "v1")
    serving = Serving(models, clock=lambda: now[0])
    good = (models / "v2" / LITERT).read_bytes()
    promote(models, "v2")
    spoil(models / "v2")
    for now[0] in (5.0, 10.0, 15.0):
        assert serving.classifier().manifest.version == "v1"
    assert [record.message for record in caplog.records].count(
        next(record.message for record in caplog.records if "goes on serving" in record.message)
    ) == 1
    (models / "v2" / LITERT).write_bytes(good)
    now[0] = 20.0
    assert serving.classifier().manifest.version == "v2"


def test_who_asks_without_pause_gets_no_error_through_promotions(models: Path) -> None:
    """Ten promotions and a broken one, under four threads that predict all the while."""
    now = [0.0]
    serving = Serving(models, clock=lambda: now[0])
    served: set[str] = set()
    errors: list[BaseException] = []
    done = threading.Event()

    def ask() -> None:
        try:
            while not done.is_set():
                classifier = serving.classifier()
                side = classifier.preprocessing.size
                (prediction,) = classifier.predict(np.zeros((1, side, side, 3), dtype=np.uint8))
                assert prediction.model_version == classifier.manifest.version
                served.add(prediction.model_version)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for number in range(10):
            version = f"v{number % 4 + 1}"
            promote(models, version)
            if number == 5:
                good = (models / version / LITERT).read_bytes()
                spoil(models / version)
            now[0] += 5.0
            while serving.classifier().manifest.version != version and number != 5:
                assert not errors
            if number == 5:
                now[0] += 5.0
                (models / version / LITERT).write_bytes(good)
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert not errors
    assert {"v1", "v2", "v3", "v4"} <= served


def test_networks_that_no_model_names_go_with_the_models(
    models: Path, head_models_dir: Path
) -> None:
    """A head's network stays for as long as a model names it, or one is being trained."""
    shutil.copytree(head_models_dir / "tiny", models / "tiny")
    sha256 = json.loads((models / "tiny" / "manifest.json").read_text())["network"]
    for name in (sha256, "0" * 64):
        (models / "networks" / name).mkdir(parents=True)
    (models / "unfinished" / "head-1").mkdir()
    prune(models, keep=9)
    assert len(list((models / "networks").iterdir())) == 2
    (models / "unfinished" / "head-1").rmdir()
    prune(models, keep=9)
    assert [path.name for path in (models / "networks").iterdir()] == [sha256]
