"""The report as a browser shows it: complete by itself, without an error, and on a phone."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PHONE = 390  # pixels

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]


def browse(page: Path, folder: Path) -> tuple[str, str, list[str]]:
    """Open a page. Returns: its DOM, what the console says, and the addresses it asked for."""
    log = folder / "net.json"
    command = [
        str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
        "--disable-background-networking", f"--user-data-dir={folder / 'profile'}",
        "--enable-logging=stderr", f"--log-net-log={log}", "--virtual-time-budget=3000",
        "--dump-dom", page.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    console = "\n".join(line for line in done.stderr.splitlines() if "CONSOLE" in line)
    asked = set()
    for event in json.loads(log.read_text())["events"]:
        request = event.get("params", {})
        # what the browser wants for itself has no page as its origin
        if request.get("initiator", "not an origin") != "not an origin":
            asked.add(request["url"])
    return done.stdout, console, sorted(url for url in asked if url.startswith(("http", "ws")))


def test_it_asks_for_nothing_and_says_no_error(tiny_model: Path, tmp_path: Path) -> None:
    dom, console, asked = browse(tiny_model / "report.html", tmp_path)
    assert "How the training went" in dom
    assert console == ""
    assert asked == []


def test_a_page_that_asks_for_something_and_fails_is_noticed(tmp_path: Path) -> None:
    """Or the test above could not fail."""
    page = tmp_path / "page.html"
    page.write_text("<img src='http://127.0.0.1:9/x.png'><script>null.x</script>")
    _, console, asked = browse(page, tmp_path)
    assert "Cannot read properties of null" in console
    assert asked == ["http://127.0.0.1:9/x.png"]


def test_on_a_phone_nothing_stands_out_to_the_side(tiny_model: Path, tmp_path: Path) -> None:
    """Plots stand below each other, photos are large enough, and words stay whole."""
    report = (tiny_model / "report.html").read_text(encoding="utf-8")
    measure = (
        "<script>addEventListener('load', () => {"
        " const width = one => Math.round(one.getBoundingClientRect().width);"
        " const plots = [...document.querySelectorAll('.plots figure')].map(width);"
        " const images = [...document.querySelectorAll('.photo img')].map(width);"
        " const longest = document.createElement('span'); longest.textContent = 'precision';"
        " document.querySelector('td').append(longest);"
        " const tall = longest.getClientRects().length; longest.remove();"
        " parent.document.title = `as wide as ${document.documentElement.scrollWidth}, plots"
        " ${Math.min(...plots)}, photos ${Math.min(...images)}, lines ${tall}` })</script>"
    )
    page = tmp_path / "phone.html"
    page.write_text(
        f'<title></title><iframe width="{PHONE}" height="800" style="border: 0" '
        f'srcdoc="{html.escape(report + measure)}"></iframe>',
        encoding="utf-8",
    )
    dom, _, _ = browse(page, tmp_path)
    found = re.search(r"as wide as (\d+), plots (\d+), photos (\d+), lines (\d+)", dom)
    assert found is not None
    page_width, plot, photo, lines = map(int, found.groups())
    assert page_width <= PHONE
    assert plot > 300
    assert photo > 120
    assert lines == 1
