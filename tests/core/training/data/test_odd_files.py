"""Folders as people have them: what cannot be learnt from is named, and no file is touched."""

from __future__ import annotations

import errno
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from catdog import main
from core.training.data import dataset
from core.training.data.inputs import TrainContext
from core.training.data.train_options import TrainOptions
from core.training.networks.train_network import train_network

pytestmark = pytest.mark.keras

NETWORK = ("--network", "minimal", "--set", "size=32", "--epochs", "1")
HEAD = ("--no-promote",)


def run(data: Path, *options: str) -> Result:
    return CliRunner().invoke(main, ["train", str(data), *options])


@pytest.fixture(params=[pytest.param(NETWORK, marks=pytest.mark.long, id="network"),
                        pytest.param(HEAD, id="head")])  # fmt: skip
def options(
    request: pytest.FixtureRequest, head_models_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[str, ...]:
    """Train a network, or the head of a tiny one."""
    monkeypatch.setenv("CATDOG_MODELS_DIR", str(head_models_dir))
    given: tuple[str, ...] = request.param
    return given


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {
        str(path): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


def huge_png(width: int, height: int) -> bytes:
    """Make a PNG of one grey, whose file is small however many pixels it has."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" + b"\x80" * width) * height, 1)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_every_odd_file_is_named_or_learnt_from_and_none_is_touched(
    tmp_path: Path,
    fill_folder: Callable[..., Path],
    draw: Callable[..., Any],
    options: tuple[str, ...],
) -> None:
    data = fill_folder(tmp_path / "data", {"cats": 60, "dogs": 60})
    cats = data / "cats"
    good = (cats / "cats-001.jpg").read_bytes()
    (cats / "cut-off.jpg").write_bytes(good[: len(good) // 2])
    (cats / "empty.jpg").write_bytes(b"")
    (cats / "letter.jpg").write_text("Dear Tom, ...")
    (cats / "notes.txt").write_text("three cats")
    (cats / "copy.jpg").write_bytes(good)
    (data / "dogs" / "both.jpg").write_bytes((cats / "cats-002.jpg").read_bytes())
    draw("cats", 77, (1, 1)).save(cats / "dot.png")
    draw("cats", 78).convert("CMYK").save(cats / "print.jpg")
    (cats / "poster.png").write_bytes(huge_png(10_000, 5_000))
    before = contents(data)
    result = run(data, *options)
    assert result.exit_code == 0, result.output
    assert contents(data) == before
    skipped = [line for line in result.stdout.splitlines() if line.startswith("Skipped: ")]
    for name in ("cut-off.jpg", "empty.jpg", "letter.jpg", "copy.jpg", "both.jpg", "cats-002.jpg",
                 "dot.png"):  # fmt: skip
        assert any(name in line for line in skipped), name
    for name in ("print.jpg", "poster.png"):
        assert not any(name in line for line in skipped), name
    assert "1 other files left alone" in result.stdout
    (report,) = Path(os.environ["CATDOG_MODELS_DIR"]).glob("*/report.html")
    assert "cut-off.jpg" in report.read_text()


def test_a_class_of_three_photos_is_refused_by_a_network(
    tmp_path: Path, fill_folder: Callable[..., Path]
) -> None:
    """None of three need be held out; then there is nothing to measure that class by."""
    data = fill_folder(tmp_path / "data", {"cats": 60, "dogs": 3})
    result = run(data, *NETWORK)
    assert result.exit_code == 2
    assert "no photo of the class 'dog' to" in result.stderr
    assert "Add photos of it." in result.stderr


@pytest.mark.long
def test_a_hundred_to_one_is_told_weighed_and_learnt(
    tmp_path: Path, fill_folder: Callable[..., Path]
) -> None:
    data = fill_folder(tmp_path / "data", {"cats": 1200, "dogs": 12}, 100)
    checked = run(data, *NETWORK, "--check")
    assert checked.exit_code == 0, checked.output
    assert "each counts" in checked.stdout
    result = run(data, *NETWORK)
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("options", [NETWORK, HEAD])
def test_folders_that_cannot_be_learnt_from_are_refused_with_what_to_do(
    tmp_path: Path, fill_folder: Callable[..., Path], options: tuple[str, ...]
) -> None:
    only_cats = fill_folder(tmp_path / "one", {"cats": 3})
    assert "must hold two class folders or more" in run(only_cats, *options).stderr
    (only_cats / "dogs").mkdir()
    result = run(only_cats, *options)
    assert result.exit_code == 2
    assert "holds no photos" in result.stderr


@pytest.mark.skipif(os.name != "posix" or os.getuid() == 0, reason="root may read everything")
def test_photos_that_may_not_be_read_are_named(
    tmp_path: Path, fill_folder: Callable[..., Path], options: tuple[str, ...]
) -> None:
    data = fill_folder(tmp_path / "data", {"cats": 60, "dogs": 60})
    (data / "cats" / "cats-005.jpg").chmod(0)
    result = run(data, *options)
    assert result.exit_code == 0, result.output
    assert "cats-005.jpg" in result.stdout


@pytest.mark.long
def test_a_photo_that_is_deleted_during_training_changes_nothing(
    tmp_path: Path, fill_folder: Callable[..., Path], console: Any, tiny_recipe: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """It was decoded already; only those that are measured are opened again."""
    data = fill_folder(tmp_path / "data", {"cats": 60, "dogs": 60})
    load = dataset.load

    def then_delete(*arguments: Any, **options: Any) -> Any:
        loaded = load(*arguments, **options)
        for row in (loaded.training[0], loaded.validation[0]):
            loaded.photos[row].path.unlink()
        return loaded

    monkeypatch.setattr("core.training.data.inputs.load", then_delete)
    context = TrainContext(tmp_path / "m", console)
    trained = train_network(TrainOptions(data), tiny_recipe(), context)
    assert trained.manifest.metrics["validation"]["accuracy"] > 0.8


@pytest.mark.long
def test_a_full_disk_is_told_in_a_line(
    tmp_path: Path, fill_folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = fill_folder(tmp_path / "data", {"cats": 60, "dogs": 60})

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("core.training.networks.fitting.checkpoints.write_atomically", full)
    result = run(data, *NETWORK)
    assert result.exit_code != 0
    assert isinstance(result.exception, SystemExit), "no traceback"
    assert "No space left on device" in result.stderr


def test_a_full_disk_is_told_when_a_head_is_written(
    tmp_path: Path,
    fill_folder: Callable[..., Path],
    head_models_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing half made is left, and the model before serves on."""
    data = fill_folder(tmp_path / "data", {"cats": 6, "dogs": 6})
    before = contents(head_models_dir)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setenv("CATDOG_MODELS_DIR", str(head_models_dir))
    monkeypatch.setattr("core.training.head.train_head.write_head", full)
    result = run(data, *HEAD)
    assert result.exit_code == 1
    assert "No space left on device" in result.stderr
    assert "Traceback" not in result.output
    assert contents(head_models_dir) == before
