"""Opens costly files in processes of their own, so that what each takes is measured by itself.

python -m benchmarks.image_cost open FILE | together FOLDER
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.measuring.setting import ROOT, module
from core.batch import predict_photo
from core.errors import UnreadableImage
from core.images.budget import MEGABYTE, return_freed_memory
from core.images.decode import open_image
from core.images.plan import plan_for
from core.model.classifier import Classifier
from core.model.registry import DEFAULT_MODEL

TOGETHER_MEGABYTES = 1000  # of a process with so many threads
THREADS = 16
_CPU_SECONDS = 5.0
_SIDE = 140  # pixels that are asked for
_TOLERANCE, _BESIDES_MEGABYTES = 1.1, 30  # of the estimate
_TIMEOUT_SECONDS = 300  # for a file: what takes as long is at fault whatever else it does


@dataclass(frozen=True, slots=True)
class Cost:
    """What opening one file took."""

    seconds: float  # of the processor
    megabytes: float  # of resident memory above what the process had
    needed: float  # MB, by its plan; 0 if there was none
    end: str  # the size of what came out, or a code

    @property
    def is_too_much(self) -> bool:
        """Whether it was over the lines; what is refused as too large may take hardly any."""
        needed = 0 if self.end == "too-large" else self.needed
        return (
            self.seconds > _CPU_SECONDS or self.megabytes > _TOLERANCE * needed + _BESIDES_MEGABYTES
        )


def cost_of(path: Path) -> Cost:
    """Open a file in a process of its own. Raises RuntimeError if that fails in an unknown way."""
    return Cost(**json.loads(_output_of("open", path, timeout=_TIMEOUT_SECONDS)))


def peak_together(folder: Path) -> float:
    """Return the peak, in MB, of a process that predicts a folder's files with many threads.

    Raises RuntimeError if that fails.
    """
    return float(_output_of("together", folder))


def _output_of(*arguments: object, timeout: float | None = None) -> str:
    command = module("image_cost", *arguments)
    try:
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise RuntimeError(f"took more than {error.timeout} s") from error
    if done.returncode or done.stderr:
        words = " ".join(done.stderr.split())[-200:]
        raise RuntimeError(f"ended with {done.returncode} and said {words!r}")
    return done.stdout


def _measure(path: Path) -> Cost:
    """Open a file in this process, which is to be a fresh one."""
    for extension in ("pillow_heif", "pillow_jxl"):  # loading them is not what the file costs
        __import__(extension)
    needed = 0.0
    with path.open("rb") as file, suppress(Exception):  # open_image meets the same
        needed = plan_for(file, path.name, _SIDE).bytes_needed / MEGABYTE
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

    def predict(path: Path) -> None:
        with suppress(UnreadableImage):
            predict_photo(classifier, path)

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(predict, paths))
    return _resident("VmHWM")


def main(what: str, path: str) -> None:
    print(json.dumps(asdict(_measure(Path(path)))) if what == "open" else _predict_all(Path(path)))


if __name__ == "__main__":
    main(*sys.argv[1:])
