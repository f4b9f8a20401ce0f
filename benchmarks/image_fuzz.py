"""Opens costly and mutated files in processes of their own, so that what each takes is told apart.

python -m benchmarks.image_fuzz open FILE | together FOLDER | mutations FIRST LAST
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.setting import ROOT, module
from core.batch import predict_photo
from core.errors import UnreadableImage
from core.images.budget import MEGABYTE, return_freed_memory
from core.images.decode import open_image
from core.images.plan import plan_for
from core.model.classifier import Classifier
from core.model.registry import DEFAULT_MODEL

SECONDS = 5.0  # of processor time
TOGETHER = 1000  # MB, of a process with so many threads
THREADS = 16
_SIDE = 140  # that is asked for
_TOLERANCE, _BESIDES = 1.1, 30  # of the estimate; MB
_TIMEOUT = 300  # seconds for a file or a batch: what takes as long is at fault whatever it says
_BATCH = 500  # mutations of one process


@dataclass(frozen=True, slots=True)
class Cost:
    """What opening one file took."""

    seconds: float  # of the processor
    megabytes: float  # of resident memory above what the process had
    needed: float  # MB, by its plan; 0 if there was none
    end: str  # the size of what came out, or a code

    @property
    def is_too_much(self) -> bool:
        """Tell whether it was over the lines; what is refused as too large may take hardly any."""
        needed = 0 if self.end == "too-large" else self.needed
        return self.seconds > SECONDS or self.megabytes > _TOLERANCE * needed + _BESIDES


def cost_of(path: Path) -> Cost:
    """Open a file in a process of its own. Raises RuntimeError if that fails in an unknown way."""
    return Cost(**json.loads(_output_of("open", path)))


def peak_together(folder: Path) -> float:
    """Predict a folder's files with many threads in one process, and give its peak in MB.

    Raises RuntimeError if that fails.
    """
    return float(_output_of("together", folder))


def faults_of_mutations(count: int) -> list[str]:
    """Open so many of the files that tests/core/images/test_fuzz.py makes.

    Returns: a line for each that ended in anything else than an image or a reason, and for what
    was printed.
    """
    starts = range(0, count, _BATCH)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = pool.map(lambda start: list(_faults(start, min(start + _BATCH, count))), starts)
        return [fault for faults in found for fault in faults]


def _faults(first: int, last: int) -> Iterator[str]:
    while first < last:
        done = _run("mutations", first, last)
        lines = done.stdout.splitlines()
        yield from (line for line in lines if not line.isdecimal())
        reached = max((int(line) for line in lines if line.isdecimal()), default=first)
        if done.stderr:
            yield f"{first} to {reached}: standard error has {done.stderr.strip()[-300:]!r}"
        if done.returncode == 0:
            return
        yield f"{reached}: the process ended with {done.returncode}"
        first = reached + 1


def _output_of(*arguments: object) -> str:
    try:
        done = _run(*arguments)
    except subprocess.TimeoutExpired as error:
        raise RuntimeError(f"took more than {error.timeout} s") from error
    if done.returncode or done.stderr:
        words = " ".join(done.stderr.split())[-200:]
        raise RuntimeError(f"ended with {done.returncode} and said {words!r}")
    return done.stdout


def _run(*arguments: object) -> subprocess.CompletedProcess[str]:
    timeout = None if "together" in arguments else _TIMEOUT
    command = module("image_fuzz", *arguments)
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=timeout, check=False
    )


def _measure(path: Path) -> Cost:
    """Open a file in this process, which is to be a fresh one."""
    for extension in ("pillow_heif", "pillow_jxl"):  # loading them is not what the file costs
        __import__(extension)
    needed = 0.0
    with path.open("rb") as file:
        try:
            needed = plan_for(file, path.name, _SIDE).bytes_needed / MEGABYTE
        except Exception:  # open_image meets the same
            needed = 0.0
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before, begin = _resident("VmRSS"), time.process_time()
    try:
        image = open_image(path, min_side=_SIDE)
        end = f"{image.width} x {image.height}"
    except UnreadableImage as refused:
        end = str(refused.code)
    taken = time.process_time() - begin
    return Cost(taken, _resident("VmHWM") - before, needed, end)


def _resident(field: str) -> float:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field)) / MEGABYTE


def _predict_all(folder: Path) -> float:
    return_freed_memory()  # as every command does
    classifier = Classifier(DEFAULT_MODEL)
    paths = 2 * sorted(folder.iterdir())
    random.Random(1).shuffle(paths)

    def look(path: Path) -> None:
        try:
            predict_photo(classifier, path)
        except UnreadableImage:
            return

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(look, paths))
    return _resident("VmHWM")


def _mutate(first: int, last: int) -> None:
    """Print each number before its file is opened, and what was wrong with it."""
    from tests.core.images.test_fuzz import check, mutation

    for number in range(first, last):
        print(number, flush=True)
        try:
            check(number)
        except Exception as error:
            words = " ".join(str(error).split())[:200]
            print(f"{number} ({mutation(number)[0]}): {type(error).__name__}: {words}", flush=True)


def main(what: str, *given: str) -> None:
    if what == "open":
        print(json.dumps(asdict(_measure(Path(given[0])))))
    elif what == "together":
        print(_predict_all(Path(given[0])))
    else:
        _mutate(int(given[0]), int(given[1]))


if __name__ == "__main__":
    main(*sys.argv[1:])
