"""A real browser for the tests of pages: Debian's Chromium, driven by Playwright, with axe."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DESKTOP, PHONE = 1280, 390  # pixels
_SERIOUS = ("serious", "critical")


@dataclass
class Visit:
    """A page as a browser shows it, and what it did meanwhile."""

    page: Any  # Playwright's
    requests: list[str] = field(default_factory=list)  # to any host
    errors: list[str] = field(default_factory=list)  # of the console, and uncaught

    @property
    def overflow(self) -> int:
        """How many pixels the page is wider than the window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))

    def serious(self) -> list[str]:
        """Name what axe finds that keeps people from using the page."""
        script = (resources.files("axe_core_python") / "axe.min.js").read_text(encoding="utf-8")
        self.page.evaluate(script)
        found = self.page.evaluate("axe.run()")
        return [
            f"{one['id']}: {node['html'][:160]}"
            for one in found["violations"]
            if one["impact"] in _SERIOUS
            for node in one["nodes"]
        ]


class Browser:
    """Opens pages at any width, light and dark."""

    def __init__(self, started: Any) -> None:
        self._started = started

    @contextmanager
    def visit(
        self, page: Path | str, *, width: int = DESKTOP, dark: bool = False
    ) -> Iterator[Visit]:
        """Open a file, or an address."""
        context = self._started.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
            has_touch=width <= PHONE,
        )
        shown = Visit(context.new_page())
        shown.page.on("request", lambda one: self._note(one.url, shown))
        shown.page.on("pageerror", lambda error: shown.errors.append(str(error)))
        shown.page.on("console", lambda message: self._note_error(message, shown))
        try:
            shown.page.goto(page.as_uri() if isinstance(page, Path) else page)
            yield shown
        finally:
            context.close()

    @staticmethod
    def _note_error(message: Any, shown: Visit) -> None:
        if message.type == "error":
            shown.errors.append(message.text)

    @staticmethod
    def _note(url: str, shown: Visit) -> None:
        if not url.startswith(("file:", "data:", "blob:")):
            shown.requests.append(url)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield Browser(started)
        finally:
            started.close()
