"""The page of photos whose labels look wrong, with the commands that put them right."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core.paths import display
from core.training.head.run import LabelErrors
from core.training.report.mistakes import MOST, Mistake, thumbnail
from core.training.report.pages import data_urls, environment

PAGE = "label-errors.html"


@dataclass(frozen=True, slots=True)
class _Shown:
    """A photo on the page."""

    mistake: Mistake
    name: str
    image: str
    command: str | None  # that moves it where it seems to belong


def label_errors_page(found: LabelErrors) -> str:
    """Write the firmest label errors as HTML: pictures to tick, and what then moves them."""
    page: str = (
        environment()
        .get_template("label_errors.html.j2")
        .render(
            shown=list(_shown(found)),
            errors=len(found.mistakes),
            photos=found.photos,
        )
    )
    return page


def _shown(found: LabelErrors) -> Iterator[_Shown]:
    mistakes = found.mistakes[:MOST]
    images = data_urls(thumbnail(mistake.path) for mistake in mistakes)
    for mistake, image in zip(mistakes, images, strict=True):
        folder = found.folders.get(mistake.taken_for)
        is_lasting = display(mistake.path) == str(mistake.path)  # not unpacked from an archive
        command = _move(mistake.path, folder) if folder and is_lasting else None
        yield _Shown(mistake, display(mistake.path), image, command)


def _move(photo: Path, folder: Path) -> str:
    """Write the command that moves a photo, over no other file."""
    if sys.platform == "win32":
        return f'move /-Y "{photo}" "{folder}"'
    return f"mv -n {shlex.quote(str(photo))} {shlex.quote(f'{folder}/')}"
