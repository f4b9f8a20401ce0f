"""What `catdog archive` takes, here and on Ray, and on paper what a cluster would take.

    python -m benchmarks.archive [--full] [--photos FOLDER] [--rows NAME...]

Takes 10 minutes, with --full half an hour on two cores, and a machine that does nothing else. Times
are of a photo, the start of each command left out. Ends with 1 if a figure falls below its line.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

import psutil

from benchmarks.archive_parts import ROUNDS, ROW, latency_hidden, on_paper, run_over
from benchmarks.measuring.figures import Figure, at_least, at_most, in_turns, milliseconds, ratios
from benchmarks.measuring.photos import camera_photos, find_photos, small_photos
from benchmarks.measuring.setting import FULL, QUICK, Setting, catdog
from core.archive.archive_run import map_here
from core.archive.classify import Looking
from core.archive.on_ray.mapper import cluster, map_on_ray
from core.model.classifier import Classifier
from core.model.registry import DEFAULT_MODEL

_MANY = 1_000  # photos; tasks are of 50
_NODE = {"num_cpus": 1, "object_store_memory": 200_000_000, "include_dashboard": False}


def _command(setting: Setting, folder: Path, *, dry_run: bool) -> float:
    """Time `sort --dry-run` or `archive` of a folder, from beginning to end."""
    table = setting.work / "table"
    shutil.rmtree(table, ignore_errors=True)
    shutil.rmtree(setting.work / "state", ignore_errors=True)
    if dry_run:
        return setting.seconds_of(catdog("sort", folder, "--dry-run"))
    return setting.seconds_of(catdog("archive", folder, "--to", table))


def against_sort(setting: Setting) -> list[Figure]:
    """Compare whole commands on a camera's photos; what one photo takes is their start."""
    number = setting.sizes.camera_photos
    folder, one = setting.work / "camera", setting.work / "one"
    camera_photos(setting.photos, 1, one)
    ways: dict[str, Callable[[], float]] = {
        "sort": lambda: _command(setting, folder, dry_run=True),
        "archive": lambda: _command(setting, folder, dry_run=False),
        "sort-start": lambda: _command(setting, one, dry_run=True),
        "archive-start": lambda: _command(setting, one, dry_run=False),
    }
    taken = in_turns(ways, ROUNDS)
    of_a_photo = {
        name: [
            (all_ - taken_one) / (number - 1)
            for all_, taken_one in zip(taken[name], taken[f"{name}-start"], strict=True)
        ]
        for name in ("sort", "archive")
    }
    return [
        Figure(
            ROW,
            f"archive: photos a second of `sort --dry-run`'s, {number} of 12 megapixels",
            ratios(of_a_photo["sort"], of_a_photo["archive"]),
            "times",
            at_least(0.95),
            f"{milliseconds(of_a_photo['archive'])} a photo, on all cores",
        )
    ]


@contextmanager
def two_nodes() -> Iterator[str]:
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args=_NODE)
    try:
        made.add_node(**_NODE)
        made.wait_for_nodes()
        yield made.address
    finally:
        made.shutdown()


@dataclass(slots=True)
class Workers:
    """Memory of Ray's processes while a run goes on, in bytes."""

    idle: int = 0
    busy: int = 0
    _over: threading.Event = field(default_factory=threading.Event)

    def watch(self) -> None:
        while not self._over.wait(0.5):
            for process in psutil.process_iter(["cmdline"]):
                name = " ".join(process.info["cmdline"] or [])
                if not name.startswith("ray::"):
                    continue
                try:
                    used = process.memory_full_info().uss
                except psutil.Error:
                    continue
                if "MapWorker" in name:
                    self.busy = max(self.busy, used)
                elif "IDLE" in name:
                    self.idle = max(self.idle, used)

    def stop(self) -> None:
        self._over.set()


def on_two_nodes(setting: Setting, looking: Looking) -> list[Figure]:
    """Compare two nodes of a core each with the same cores without Ray."""
    folder, table = setting.work / "many", setting.work / "table"
    folder.mkdir()
    camera = sorted((setting.work / "camera").iterdir())
    for number, photo in zip(range(_MANY), cycle(camera), strict=False):
        (folder / f"{number:05}.jpg").hardlink_to(photo)
    here = Looking(looking.classifier, cores=2)
    workers = Workers()
    with two_nodes() as address, cluster(address):
        threading.Thread(target=workers.watch, daemon=True).start()
        taken = in_turns(
            {
                "here": lambda: run_over([folder], table, map_here(here)),
                "ray": lambda: run_over([folder], table, map_on_ray(looking)),
            },
            ROUNDS,
        )
        workers.stop()
    return [
        Figure(
            ROW,
            "archive: a camera's photos a second on two Ray nodes of a core, of those without Ray",
            ratios(taken["here"], taken["ray"]),
            "times",
            at_least(0.85),
            f"{milliseconds(taken['ray'])} a photo for {milliseconds(taken['here'])}",
        ),
        Figure(
            ROW,
            "archive: memory of a Ray worker over an empty one",
            ((workers.busy - workers.idle) / 1e6,),
            "MB",
            at_most(200),
        ),
    ]


def growth(setting: Setting, looking: Looking, most: int) -> list[Figure]:
    """Compare the time of a photo between many and few, small ones."""
    few = 1_000
    folders = {number: setting.work / f"small-{number}" for number in (few, most)}
    for number, folder in folders.items():
        small_photos(setting.photos, number, folder)

    def run(number: int) -> float:
        begin = time.process_time()
        run_over([folders[number]], setting.work / "table", map_here(looking))
        return (time.process_time() - begin) / number

    run(few)
    taken = in_turns({"few": lambda: run(few), "many": lambda: run(most)}, 2)
    grown = tuple(100 * (ratio - 1) for ratio in ratios(taken["many"], taken["few"]))
    return [
        Figure(
            ROW,
            f"archive: growth of a photo's processor time, {most:,} against {few:,}",
            grown,
            "%",
            at_most(10),
            f"{milliseconds(taken['few'])}, then {milliseconds(taken['many'])}",
        )
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--full", action="store_true", help="up to 50,000 photos")
    parser.add_argument("--photos", type=Path, help="folder with photos in it")
    parser.add_argument("--rows", nargs="+", metavar="NAME", help="sort, paper, late, ray, growth")
    given = parser.parse_args()
    os.environ["RAY_AUTH_MODE"] = "disabled"  # of nodes on loopback
    looking = Looking(Classifier(DEFAULT_MODEL))
    missed = False
    with tempfile.TemporaryDirectory(prefix="catdog-bench-") as name:
        work = Path(name)
        photos = find_photos(given.photos, work / "photos")
        setting = Setting(photos, FULL if given.full else QUICK, work)
        rows: dict[str, Callable[[], list[Figure]]] = {
            "sort": lambda: against_sort(setting),
            "paper": lambda: on_paper(setting, looking, 100_000),
            "late": lambda: latency_hidden(setting, looking),
            "ray": lambda: on_two_nodes(setting, looking),
            "growth": lambda: growth(setting, looking, 50_000 if given.full else 10_000),
        }
        names = given.rows or list(rows)
        if set(names) != {"growth"}:
            camera_photos(photos, setting.sizes.camera_photos, work / "camera")
        for row in (rows[name] for name in names):
            for figure in row():
                missed |= figure.line is not None and not figure.line.holds(figure.median)
                spread = (
                    ""
                    if len(figure.values) == 1
                    else (f", {min(figure.values):.3g} to {max(figure.values):.3g}")
                )
                print(
                    f"{figure.what}: {figure.median:.3g} {figure.unit}{spread} ({figure.note})"
                    + (f" [{figure.line}]" if figure.line else ""),
                    flush=True,
                )
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
