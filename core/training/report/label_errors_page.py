"""The page of photos whose labels look wrong, with the commands that put them right."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from core.pages.templates import render
from core.training.report.mistakes import MOST, Mistake, Picture, pictures

PAGE = "label-errors.html"


@dataclass(frozen=True, slots=True)
class LabelErrors:
    """Photos whose labels look wrong, the firmest first."""

    mistakes: tuple[Mistake, ...]
    photos: int  # that were judged
    folders: Mapping[str, Path]  # of labels that have one


@dataclass(frozen=True, slots=True)
class _Shown:
    """A photo on the page."""

    picture: Picture
    command: str | None  # that moves it where it seems to belong


def label_errors_page(found: LabelErrors) -> str:
    """Write the firmest label errors as HTML: pictures to tick, and what then moves them."""
    return render(
        "core.training.report",
        "label_errors.html.j2",
        scripts=["label_errors.js"],
        shown=list(_shown(found)),
        errors=len(found.mistakes),
        photos=found.photos,
    )


def _shown(found: LabelErrors) -> Iterator[_Shown]:
    for picture in pictures(found.mistakes[:MOST]):
        mistake = picture.mistake
        folder = found.folders.get(mistake.taken_for)
        is_lasting = picture.name == str(mistake.path)  # not unpacked from an archive
        command = _move(mistake.path, folder) if folder and is_lasting else None
        yield _Shown(picture, command)


def _move(photo: Path, folder: Path) -> str:
    """Write the command that moves a photo, over no other file."""
    if sys.platform == "win32":
        return f'move /-Y "{photo}" "{folder}"'
    return f"mv -n {shlex.quote(str(photo))} {shlex.quote(f'{folder}/')}"
