"""Row 8: whether the time for a file, or the memory, grows with their number."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import time
from functools import partial

from benchmarks.measuring.figures import Figure, at_most, in_turns
from benchmarks.measuring.memory import PeakMemory
from benchmarks.measuring.photos import small_photos
from benchmarks.measuring.setting import Setting, catdog

_MOST_GROWTH_PERCENT = 15
_ROUNDS = 2


def measure(setting: Setting) -> list[Figure]:
    """Run `catdog sort` on folders of each size; its start is what one photo takes."""
    fewest = setting.sizes.fewest_files
    sizes = [fewest]
    while sizes[-1] * 10 <= setting.sizes.most_files:
        sizes.append(sizes[-1] * 10)
    megabytes: dict[int, list[float]] = {size: [] for size in [1, *sizes]}

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
        megabytes[size].append(peak.bytes / 1e6)
        shutil.rmtree(inbox)
        shutil.rmtree(setting.work / "state")
        return taken

    sort(1)  # into the page cache
    taken = in_turns({str(size): partial(sort, size) for size in [1, *sizes]}, _ROUNDS)
    start = statistics.median(taken["1"])
    per_file = {size: [(one - start) / size * 1e3 for one in taken[str(size)]] for size in sizes}
    return [
        _growth(f"{what}, {size:,} against {fewest:,}", of[size], of[fewest], unit)
        for size in sizes[1:]
        for what, of, unit in (("time for a file", per_file, "ms"), ("memory", megabytes, "MB"))
    ]


def _growth(what: str, many: list[float], few: list[float], unit: str) -> Figure:
    return Figure(
        8,
        f"growth: {what}",
        tuple(100 * (one / other - 1) for one, other in zip(many, few, strict=True)),
        "%",
        at_most(_MOST_GROWTH_PERCENT),
        f"{statistics.median(few):.3g} {unit}, then {statistics.median(many):.3g} {unit}",
    )
