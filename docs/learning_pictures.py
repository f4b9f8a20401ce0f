"""Makes the pictures in learning.md: pages as a browser shows them, of drawn photos.

    python -m docs.learning_pictures

It trains a network twice for that, and takes some minutes.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

from docs.transcript import draw_cat
from tests.browsing import Browser, chromium
from tests.drawn_animals import draw_folder

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
WIDTH = 1000  # pixels


def main() -> None:
    """Write the pictures."""
    with tempfile.TemporaryDirectory() as work, chromium() as browser:
        make(Path(work), browser)


def make(work: Path, browser: Browser) -> None:
    """Train on drawn photos, and take the pictures of two pages."""
    draw_folder(work / "few", {"cats": 150, "dogs": 150})
    draw_cat().save(work / "tom.png")
    catdog(work, "train few --network sequential-bn --epochs 8 --output bn")
    catdog(work, "explain tom.png --model bn -o why.html")
    take(browser, work / "why.html", "#filter-panel", DOCS / "learning-explain.jpg")
    overfit = "--network sequential-bn --set augment=none --set dropout=0 --output overfitted"
    catdog(work, f"train few {overfit}")
    take(browser, work / "overfitted/report.html", "#curves", DOCS / "learning-overfitting.png")


def catdog(work: Path, command: str) -> None:
    """Run a command there."""
    subprocess.run(
        [sys.executable, ROOT / "catdog.py", *command.split()],
        cwd=work,
        check=True,
        env={"PATH": "", "CATDOG_MODELS_DIR": str(work / "models"), "CATDOG_STATE_DIR": str(work)},
    )


def take(browser: Browser, page: Path, part: str, file: Path) -> None:
    """Take a picture of a part of a page: lines as PNG, what is painted as JPEG."""
    with browser.visit(page, width=WIDTH) as shown:
        taken = Image.open(io.BytesIO(shown.page.locator(part).screenshot())).convert("RGB")
    if file.suffix == ".jpg":
        taken.save(file, quality=85, optimize=True)
    else:
        taken.quantize(64).save(file, optimize=True)


if __name__ == "__main__":
    main()
