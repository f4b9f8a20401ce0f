"""Each row measures what it says, on a handful of photos: its timings are not checked."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.measuring.figures import Figure
from benchmarks.measuring.photos import find_photos
from benchmarks.measuring.setting import Setting, Sizes
from benchmarks.rows import bot, cold_start, growth, installed, sorting, warm, watch

pytestmark = [pytest.mark.keras, pytest.mark.long]

TINY = Sizes(
    rounds=1,
    warm_photos=2,
    camera_photos=3,
    baseline_photos=2,
    small_photos=6,
    people=2,
    photos_each=1,
    watch_photos=2,
    fewest_files=40,  # that the sort lasts for several samples of its memory
    most_files=400,
)


@pytest.fixture
def setting(tmp_path: Path, fill_folder: Callable[..., Path]) -> Setting:
    folder = fill_folder(tmp_path / "photos", {"cats": 2, "dogs": 2, "other": 2})
    (tmp_path / "work").mkdir()
    return Setting(find_photos(folder, tmp_path), TINY, tmp_path / "work")


def check(setting: Setting, figures: list[Figure], *rows: int, rounds: int = 1) -> None:
    """Figures are of these rows and of all rounds, and nothing large is left behind."""
    assert figures
    assert {figure.row for figure in figures} == set(rows)
    assert {len(figure.values) for figure in figures} == {rounds}
    assert not {path.suffix for path in setting.work.rglob("*.*")} & {".jpg", ".so"}


def test_cold_start_takes_both_commands_whole(setting: Setting) -> None:
    figures = cold_start.measure(setting)
    check(setting, figures, 1)
    ratio, seconds = figures
    assert min(ratio.values) > 1  # TensorFlow alone takes longer
    assert all(0.01 < value < 60 for value in seconds.values)


def test_warm_predictions_are_compared(setting: Setting) -> None:
    figures = warm.measure(setting)
    check(setting, figures, 2)
    assert min(figures[0].values) > 0


def test_sorting_is_compared_and_all_photos_come_back_for_the_next_round(
    setting: Setting,
) -> None:
    """It would raise if one were missing."""
    for measure, rows in (
        (sorting.measure_camera, (3,)),
        (sorting.measure_small, (5,)),
    ):
        figures = measure(setting)
        check(setting, figures, *rows)
        assert all(value > -100 for figure in figures for value in figure.values)


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_daemons_are_measured_idle_and_at_work(setting: Setting) -> None:
    for figures, rows in ((watch.measure(setting), {6}), (bot.measure(setting), {6, 7})):
        assert {figure.row for figure in figures} == rows
        megabytes = {f.what: f.median for f in figures if f.unit == "MB"}
        idle, loaded = megabytes.values()
        assert 10 < idle < loaded < 1_000
        ratio = next(figure for figure in figures if figure.what.endswith("over ours, idle"))
        assert ratio.median > 1


def test_growth_is_measured_for_each_size(setting: Setting) -> None:
    figures = growth.measure(setting)
    check(setting, figures, 8, rounds=2)
    assert [figure.unit for figure in figures] == ["%", "%"]
    if sys.platform == "linux":
        assert all(abs(value) < 50 for value in figures[1].values)  # 360 photos more take little


def test_sizes_are_those_of_the_files(setting: Setting, tmp_path: Path) -> None:
    (figure,) = installed.measure_model(setting)
    model = Path(__file__).resolve().parents[2] / "models" / "default"
    served = (model / "network" / "network.tflite", model / "head.npz")
    assert figure.median * 1e6 == pytest.approx(sum(file.stat().st_size for file in served))
    folder = tmp_path / "venv"
    (folder / "lib").mkdir(parents=True)
    (folder / "lib" / "one").write_bytes(b"1" * 1_000)
    (folder / "two").write_bytes(b"2" * 10)
    (folder / "link").symlink_to(folder / "lib" / "one")
    assert 1_010 <= installed.size_of(folder) <= 1_010 + folder.stat().st_size
