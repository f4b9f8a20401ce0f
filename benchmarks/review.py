"""How quick the review page is: from a key to the next photo, and opening a large folder again.

    python -m benchmarks.review [--keys 300] [--files 100000]

Needs Chromium and Playwright. Photos are drawn: 12-megapixel JPEGs for the keys, small ones for the
large folder, whose first opening classifies them all.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

SIDES = (4000, 3000)  # pixels of a photo of 12 megapixels
_KEY_TO_PHOTO = """async () => {
  const begun = performance.now();
  document.dispatchEvent(new KeyboardEvent('keydown', {key: 'c'}));
  await document.getElementById('photo').decode();
  await new Promise(done => requestAnimationFrame(done));
  return performance.now() - begun;
}"""


@contextmanager
def served(folder: Path, state: Path) -> Iterator[str]:
    """Run `catdog review` on a folder; all photos are unsure. Yields the page's address."""
    command = [sys.executable, "-m", "catdog", "--state-dir", str(state), "review", str(folder)]
    command += ["--no-browser", "--threshold", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            line = next(line for line in process.stdout if line.startswith("Review at "))
            yield line.split()[2]
        finally:
            process.terminate()


def draw(folder: Path, count: int, sides: tuple[int, int]) -> None:
    """Write JPEGs of noise, no two alike."""
    folder.mkdir()
    random = np.random.default_rng(1)
    width, height = (max(1, side // 16) for side in sides)
    for number in range(count):
        pixels = random.integers(0, 256, (height, width, 3), dtype=np.uint8)
        image = Image.fromarray(pixels).resize(sides, Image.Resampling.BILINEAR)
        image.save(folder / f"{number:06}.jpg", quality=90)


def left(page: Any) -> int:
    return int(page.evaluate("parseInt(document.getElementById('left').textContent)"))


def wait_for(page: Any, count: int) -> None:
    while left(page) != count:
        time.sleep(0.01)


def keys(page: Any, folder: Path, state: Path, count: int) -> None:
    """Print how long each key takes until the next photo is on the screen."""
    with served(folder, state) as url:
        page.goto(url)
        wait_for(page, count)
        page.wait_for_selector("#strip img")
        page.wait_for_timeout(1000)
        took = []
        begun = time.monotonic()
        for _ in range(count - 1):
            took.append(page.evaluate(_KEY_TO_PHOTO))
            page.wait_for_timeout(400)  # a person looks at it
        seconds = time.monotonic() - begun
    took.sort()
    print(
        f"{count - 1} photos of 12 megapixels: from key to next photo median "
        f"{statistics.median(took):.0f} ms, 95 of 100 within {took[int(0.95 * len(took))]:.0f} ms, "
        f"longest {took[-1]:.0f} ms; {60 * (count - 1) / seconds:.0f} keys a minute"
    )


def large_folder(page: Any, folder: Path, state: Path, count: int) -> None:
    """Print how long a large folder takes to open, first and again."""
    for what in ("first", "again"):
        begun = time.monotonic()
        with served(folder, state) as url:
            page.goto(url)
            page.wait_for_selector("#strip img")
            first = time.monotonic() - begun
            wait_for(page, count)
            seconds = time.monotonic() - begun
            print(f"{count} photos, opened {what}: first after {first:.1f} s, all {seconds:.1f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys", type=int, default=300, help="photos of 12 megapixels")
    parser.add_argument("--files", type=int, default=100_000, help="small photos")
    asked = parser.parse_args()
    from tests.browsing import chromium

    os.environ.pop("CATDOG_THRESHOLD", None)
    with tempfile.TemporaryDirectory() as name, chromium() as browser:
        top = Path(name)
        draw(top / "large", asked.keys, SIDES)
        draw(top / "many", asked.files, (64, 48))
        with browser.visit("about:blank") as visit:
            keys(visit.page, top / "large", top / "state", asked.keys)
        with browser.visit("about:blank") as visit:
            large_folder(visit.page, top / "many", top / "state", asked.files)


if __name__ == "__main__":
    main()
