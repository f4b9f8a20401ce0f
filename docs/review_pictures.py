"""Makes the pictures in review.md: the page as a browser shows it, of drawn animals.

python -m docs.review_pictures
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

from docs.transcript import draw_cat
from tests.browsing import Browser, chromium

DOCS = Path(__file__).resolve().parent
WIDTHS = {"review": 1100, "review-grid": 1100, "review-phone": 390}  # pixels


def main() -> None:
    """Write the pictures."""
    with tempfile.TemporaryDirectory() as work, chromium() as browser:
        draw(Path(work) / "photos")
        served = serve(Path(work))
        try:
            take(browser, address_of(served))
        finally:
            served.terminate()


def draw(folder: Path) -> None:
    """Draw one cat on many walls: lighter, darker, turned, and small."""
    folder.mkdir()
    cat = draw_cat()
    for number in range(14):
        turned = cat.rotate(4 * (number - 7), fillcolor=(60 + 12 * number, 120, 200 - 10 * number))
        side = 240 + 40 * (number % 4)
        turned.resize((side * 4 // 3, side)).save(folder / f"IMG_{4301 + number}.jpg", quality=92)


def serve(work: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "catdog", "review", str(work / "photos"), "--no-browser"]
    folders = {"CATDOG_STATE_DIR": str(work / "state"), "CATDOG_MODELS_DIR": str(work / "models")}
    return subprocess.Popen(
        [*command, "--threshold", "1"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **folders},
    )


def address_of(served: subprocess.Popen[str]) -> str:
    assert served.stdout is not None
    return next(line for line in served.stdout if line.startswith("Review at ")).split()[2]


def take(browser: Browser, url: str) -> None:
    """Take each picture, at the width that it is for."""
    for name, width in WIDTHS.items():
        with browser.visit(url, width=width) as shown:
            shown.page.set_viewport_size({"width": width, "height": 760})
            shown.page.wait_for_selector("#strip img")
            shown.page.evaluate("document.querySelector('.folder').textContent = '~/Pictures/new'")
            shown.page.wait_for_timeout(1500)
            if name == "review-grid":
                shown.page.keyboard.press("g")
                shown.page.wait_for_timeout(1000)
            picture = Image.open(io.BytesIO(shown.page.screenshot())).convert("RGB")
            picture.thumbnail((800, 640))
            picture.save(DOCS / f"{name}.jpg", quality=82, optimize=True)


if __name__ == "__main__":
    main()
