"""Measures how fast catdog is and how much it takes, and writes RESULTS.md.

    python -m benchmarks.run [--full] [--photos FOLDER] [--rows NAME...] [--write FILE]

Takes 10 minutes, with --full an hour on two cores, a machine that does nothing else, and for --full
10 GB of disk. Ends with 1 if a figure falls below its line.
"""

from __future__ import annotations

import argparse
import multiprocessing
import pkgutil
import sys
import tempfile
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields, replace
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.photos import NoPhotos, find_photos
from benchmarks.results import page
from benchmarks.setting import FULL, QUICK, Setting, Sizes

ROWS = {
    "cold-start": "rows.cold_start:measure",
    "warm": "rows.warm:measure",
    "camera": "rows.sorting:measure_camera",
    "small": "rows.sorting:measure_small",
    "watch": "rows.watch:measure",
    "bot": "rows.bot:measure",
    "growth": "rows.growth:measure",
    "model-size": "rows.installed:measure_model",
    "installed-size": "rows.installed:measure_venv",
    "training": "rows.training:measure",
    "speedrun": "speedrun:measure",
}
# with --full alone, or by name
_LONG = ("installed-size", "training", "speedrun")


def measure(name: str, setting: Setting) -> list[Figure]:
    """Measure a row in a process of its own, where nothing of another row's is loaded."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(_measure, name, setting).result()


def _measure(name: str, setting: Setting) -> list[Figure]:
    figures: list[Figure] = pkgutil.resolve_name(f"benchmarks.{ROWS[name]}")(setting)
    return figures


def measure_all(names: Iterable[str], setting: Setting) -> tuple[list[Figure], list[str]]:
    """Measure rows one after the other. Returns: the figures, and which rows had no photos."""
    figures: list[Figure] = []
    left_out: list[str] = []
    for name in names:
        print(f"{name} ...", flush=True)
        try:
            found = measure(name, setting)
        except NoPhotos as error:
            left_out.append(f"Not measured: {name}. {error}")
            print(left_out[-1])
            continue
        for figure in found:
            print(_told(figure), flush=True)
        figures += found
    return sorted(figures, key=lambda figure: figure.row), left_out


def _told(figure: Figure) -> str:
    note = f" ({figure.note})" if figure.note else ""
    told = f"  {figure.what}: {figure.median:.3g} {figure.unit}{note}"
    if figure.line is None or figure.holds:
        return told
    return f"{told}: falls short, {figure.line.value} {figure.limit:g}"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--full", action="store_true", help="all rows, with all photos")
    parser.add_argument("--rows", nargs="+", choices=ROWS, metavar="NAME", help=", ".join(ROWS))
    parser.add_argument(
        "--photos",
        type=Path,
        help="folder with photos in cats/, dogs/ and other/  [default: the project's for testing]",
    )
    parser.add_argument("--work", type=Path, help="folder to work in  [default: a temporary one]")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the figures as a page")
    sizes_group = parser.add_argument_group("how much is measured")
    for size in fields(Sizes):
        sizes_group.add_argument(f"--{size.name.replace('_', '-')}", type=int)
    given = parser.parse_args(arguments)
    named = {size.name: getattr(given, size.name) for size in fields(Sizes)}
    sizes = replace(
        FULL if given.full else QUICK,
        **{name: number for name, number in named.items() if number is not None},
    )
    names = given.rows or [name for name in ROWS if given.full or name not in _LONG]
    with tempfile.TemporaryDirectory(prefix="catdog-bench-", dir=given.work) as name:
        work = Path(name)
        try:
            photos = find_photos(given.photos, work / "photos")
        except NoPhotos as error:
            sys.exit(str(error))
        figures, left_out = measure_all(names, Setting(photos, sizes, work))
    if given.write:
        command = "make bench-full" if given.full else "make bench"
        if given.rows:
            command = f"python -m benchmarks.run --rows {' '.join(given.rows)}"
        given.write.write_text(page(figures, command, left_out), encoding="utf-8")
    return 0 if all(figure.holds for figure in figures) and not left_out else 1


if __name__ == "__main__":
    sys.exit(main())
