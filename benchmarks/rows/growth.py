"""Row 8: whether the time for a file, or the memory, grows with their number."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import time
from functools import partial

from benchmarks.figures import Figure, Line, in_turns
from benchmarks.memory import PeakMemory
from benchmarks.photos import small_photos
from benchmarks.setting import Setting, catdog

_MOST_GROWTH = 15  # %
_ROUNDS = 2


def measure(setting: Setting) -> list[Figure]:
    """Run `catdog sort` on folders of each size; its start is what one photo takes."""
    sizes = [1, setting.sizes.fewest_files]
    while sizes[-1] * 10 <= setting.sizes.most_files:
        sizes.append(sizes[-1] * 10)
    memory: dict[int, list[float]] = {size: [] for size in sizes}

    def sort(size: int) -> float:
        inbox = setting.work / "growth"
        small_photos(setting.photos, size, inbox)
        begin = time.perf_counter()
        with subprocess.Popen(
            catdog("sort", inbox), stdout=subprocess.DEVNULL, env=setting.environment()
        ) as process:
            with PeakMemory(process.pid) as peak:
                process.wait()
            taken = time.perf_counter() - begin
        assert process.returncode == 0, "catdog sort failed"
        memory[size].append(peak.bytes)
        shutil.rmtree(inbox)
        shutil.rmtree(setting.work / "state")
        return taken

    sort(1)  # into the page cache
    memory[1].clear()
    taken = in_turns({str(size): partial(sort, size) for size in sizes}, _ROUNDS)
    start = statistics.median(taken["1"])
    first = sizes[1]
    figures = []
    for size in sizes[2:]:
        a_file = [(time - start) / size * 1e3 for time in taken[str(size)]]
        a_file_of_few = [(time - start) / first * 1e3 for time in taken[str(first)]]
        figures += [
            _growth(f"time for a file, {size:,} against {first:,}", a_file, a_file_of_few, "ms"),
            _growth(
                f"memory, {size:,} against {first:,}",
                [size / 1e6 for size in memory[size]],
                [size / 1e6 for size in memory[first]],
                "MB",
            ),
        ]
    return figures


def _growth(what: str, many: list[float], few: list[float], unit: str) -> Figure:
    return Figure(
        8,
        f"growth: {what}",
        tuple(100 * (one / other - 1) for one, other in zip(many, few, strict=True)),
        "%",
        Line.AT_MOST,
        _MOST_GROWTH,
        f"{statistics.median(few):.3g} {unit}, then {statistics.median(many):.3g} {unit}",
    )
