"""Measures how fast catdog is and how much it takes, and writes RESULTS.md.

    python -m benchmarks.run [--full] [--photos FOLDER] [--rows NAME...] [--write FILE]

Takes 10 minutes, with --full an hour on two cores, a machine that does nothing else, and for --full
10 GB of disk. Ends with 1 if a figure falls below its line and is not known to (KnownMiss), or if a
row could not be measured.
"""

from __future__ import annotations

import argparse
import multiprocessing
import pkgutil
import sys
import tempfile
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from benchmarks.measuring.figures import Figure, Standing
from benchmarks.measuring.photos import NoPhotos, find_photos
from benchmarks.measuring.results import page
from benchmarks.measuring.setting import FULL, QUICK, Setting

ROWS = {
    "cold-start": "cold_start:measure",
    "warm": "warm:measure",
    "camera": "sorting:measure_camera",
    "small": "sorting:measure_small",
    "watch": "watch:measure",
    "bot": "bot:measure",
    "growth": "growth:measure",
    "speedrun": "speedrun:measure",
    "model-size": "installed:measure_model",
    "installed-size": "installed:measure_venv",
}
_LONG = ("installed-size", "speedrun")  # with --full alone, or by name


def measure(name: str, setting: Setting) -> list[Figure]:
    """Measure a row in a process of its own, where nothing of another row's is loaded."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(_measure, name, setting).result()


def _measure(name: str, setting: Setting) -> list[Figure]:
    figures: list[Figure] = pkgutil.resolve_name(f"benchmarks.rows.{ROWS[name]}")(setting)
    return figures


def measure_all(names: Iterable[str], setting: Setting) -> tuple[list[Figure], list[str]]:
    """Measure rows one after the other. Returns: the figures, and which rows had no photos."""
    figures: list[Figure] = []
    not_measured: list[str] = []
    for name in names:
        print(f"{name} ...", flush=True)
        try:
            measured = measure(name, setting)
        except NoPhotos as error:
            not_measured.append(f"Not measured: {name}. {error}")
            print(not_measured[-1])
            continue
        for figure in measured:
            print(_summary(figure), flush=True)
        figures += measured
    return sorted(figures, key=lambda figure: figure.row), not_measured


def _summary(figure: Figure) -> str:
    note = f" ({figure.note})" if figure.note else ""
    summary = f"  {figure.what}: {figure.median:.3g} {figure.unit}{note}"
    if figure.line is None or figure.standing is Standing.HOLDS:
        return summary
    known = ", as is known" if figure.standing is Standing.KNOWN_MISS else ""
    return f"{summary}: falls short, {figure.line}{known}"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--full", action="store_true", help="all rows, with all photos")
    parser.add_argument("--rows", nargs="+", choices=ROWS, metavar="NAME", help=", ".join(ROWS))
    parser.add_argument(
        "--photos",
        type=Path,
        help="folder with photos in it  [default: the project's for testing]",
    )
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the figures as a page")
    given = parser.parse_args(arguments)
    sizes = FULL if given.full else QUICK
    names = given.rows or [name for name in ROWS if given.full or name not in _LONG]
    with tempfile.TemporaryDirectory(prefix="catdog-bench-") as name:
        work = Path(name)
        try:
            photos = find_photos(given.photos, work / "photos")
        except NoPhotos as error:
            sys.exit(str(error))
        figures, not_measured = measure_all(names, Setting(photos, sizes, work))
    if given.write:
        command = "make bench-full" if given.full else "make bench"
        if given.rows:
            command = f"python -m benchmarks.run --rows {' '.join(given.rows)}"
        given.write.write_text(page(figures, command, not_measured), encoding="utf-8")
    missed = any(figure.standing is Standing.MISSES for figure in figures)
    return int(missed or bool(not_measured))


if __name__ == "__main__":
    sys.exit(main())
