"""Rows 3 and 5: `catdog sort`, against decoding and the network alone, and the baseline.

Commands are timed whole, with their start. Of the baseline, which takes seconds to start, only
the sorting counts.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import baseline
from benchmarks.measuring.figures import (
    Figure,
    Line,
    at_least,
    in_turns,
    milliseconds,
    ratios,
)
from benchmarks.measuring.photos import camera_photos, small_photos
from benchmarks.measuring.setting import Setting, catdog, module


def measure_camera(setting: Setting) -> list[Figure]:
    """Sort a camera's photos of 12 megapixels."""
    sizes = setting.sizes
    inbox = setting.work / "camera"
    camera_photos(setting.photos, sizes.camera_photos, inbox)
    few = setting.work / "camera-few"
    few.mkdir()
    for photo in sorted(inbox.iterdir())[: sizes.baseline_photos]:
        shutil.copyfile(photo, few / photo.name)
    model = baseline.load()
    baseline.predict(model, setting.photos[0])  # what the first call alone does

    def theirs() -> float:
        begin = time.perf_counter()
        number = baseline.sort(model, few)
        taken = (time.perf_counter() - begin) / number
        _put_back(few)
        return taken

    ways = {
        "baseline": theirs,
        "bound": _bound(setting, inbox),
        "catdog": _timed_sort(setting, inbox),
    }
    times = in_turns(ways, sizes.rounds)
    shutil.rmtree(inbox)
    shutil.rmtree(few)
    what = f"sorting {sizes.camera_photos} photos of 12 megapixels"
    return [
        _of_the_bound(3, what, at_least(90), times),
        Figure(
            3,
            f"{what}: the baseline's time for a photo over ours",
            ratios(times["baseline"], times["catdog"]),
            line=at_least(8),
            note=f"{milliseconds(times['baseline'])} against {milliseconds(times['catdog'])}; "
            f"the baseline on {sizes.baseline_photos} a round, its start not counted",
        ),
    ]


def measure_small(setting: Setting) -> list[Figure]:
    """Sort small photos."""
    sizes = setting.sizes
    inbox = setting.work / "small"
    small_photos(setting.photos, sizes.small_photos, inbox)
    ways = {"bound": _bound(setting, inbox), "catdog": _timed_sort(setting, inbox)}
    times = in_turns(ways, sizes.rounds)
    shutil.rmtree(inbox)
    what = f"sorting {sizes.small_photos} small photos"
    return [_of_the_bound(5, what, at_least(85), times)]


def _of_the_bound(row: int, what: str, line: Line, times: dict[str, tuple[float, ...]]) -> Figure:
    return Figure(
        row,
        f"{what}: the speed of decoding and the network alone that is reached",
        tuple(100 * ratio for ratio in ratios(times["bound"], times["catdog"])),
        "%",
        line,
        f"{milliseconds(times['bound'])} against {milliseconds(times['catdog'])} a photo",
    )


def _bound(setting: Setting, inbox: Path) -> Callable[[], float]:
    number = len(list(inbox.iterdir()))
    return lambda: setting.seconds_of(module("bound", inbox)) / number


def _timed_sort(setting: Setting, inbox: Path) -> Callable[[], float]:
    """Time `catdog sort`, for a photo, and put the photos back without it."""
    number = len(list(inbox.iterdir()))

    def sort() -> float:
        taken = setting.seconds_of(catdog("sort", inbox)) / number
        _put_back(inbox)
        shutil.rmtree(setting.work / "state")  # of this run: it knows what it has filed
        assert len(list(inbox.iterdir())) == number, "photos are missing after the sort"
        return taken

    return sort


def _put_back(inbox: Path) -> None:
    for folder in [path for path in inbox.iterdir() if path.is_dir()]:
        for photo in list(folder.iterdir()):
            photo.rename(inbox / photo.name)
        folder.rmdir()
