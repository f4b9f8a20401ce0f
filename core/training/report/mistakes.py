"""Sheets of the photos that a model got most firmly wrong."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

from core.errors import UnreadableImage
from core.images.decode import open_image
from core.pages.pictures import data_url
from core.paths import display
from core.training.evaluation.measure import Predicted

MOST = 144  # mistakes that are shown
_COLUMNS, _ROWS = 8, 6
_SIDE = 160  # pixels of a photo on a sheet
_LARGE = 360  # and on a page, large enough to see what went wrong
_CAPTION = 34  # pixels below it
_MARGIN = 6
_FONT_SIZE = 12


@dataclass(frozen=True, slots=True)
class Mistake:
    """A photo, and what it was taken for."""

    path: Path
    label: str  # what it is
    taken_for: str
    confidence: float  # of what it was taken for

    def __str__(self) -> str:
        return (
            f"{display(self.path)} says {self.label}; taken for {self.taken_for} "
            f"({self.confidence:.1%})"
        )


def worst_mistakes(
    predicted: Predicted, labels: Sequence[str], most: int | None = MOST
) -> list[Mistake]:
    """Return the mistakes, the most confident first; `labels` are those of the columns."""
    confidence = predicted.probabilities.max(axis=1)
    wrong = np.flatnonzero(predicted.probabilities.argmax(axis=1) != predicted.targets)
    worst = wrong[np.argsort(-confidence[wrong], kind="stable")][:most]
    return [_mistake(predicted, labels, row) for row in worst]


def most_unsure(predicted: Predicted, labels: Sequence[str], most: int) -> list[Mistake]:
    """Return the photos that the model is least sure of, right or wrong, the least sure first."""
    confidence = predicted.probabilities.max(axis=1)
    return [
        _mistake(predicted, labels, row) for row in np.argsort(confidence, kind="stable")[:most]
    ]


@dataclass(frozen=True, slots=True)
class Picture:
    """A photo to stand in a page, with what there is to say of it."""

    mistake: Mistake
    name: str
    image: str  # as a data URL
    why: str | None  # the command that explains it; None for what is unpacked from an archive


def pictures(mistakes: Sequence[Mistake], *, model: str = "default") -> list[Picture]:
    """Draw photos for a page that shows them beside each other; `model` is what took them so."""
    return [
        Picture(
            mistake,
            display(mistake.path),
            data_url(thumbnail(mistake.path, _LARGE), quality=75),
            _why(mistake.path, model),
        )
        for mistake in mistakes
    ]


def _why(photo: Path, model: str) -> str | None:
    """Write the command that explains what was seen in a photo."""
    if display(photo) != str(photo):  # unpacked from an archive, or not to be typed
        return None
    quoted = f'"{photo}"' if sys.platform == "win32" else shlex.quote(str(photo.absolute()))
    return f"catdog explain {quoted} --model {model} --open"


def write_sheets(mistakes: Sequence[Mistake], folder: Path) -> None:
    """Write sheets of mistakes as `mistakes-1.jpg`, `mistakes-2.jpg` ... in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, sheet in enumerate(sheets(mistakes), start=1):
        sheet.save(folder / f"mistakes-{number}.jpg", quality=85)


def sheets(mistakes: Sequence[Mistake]) -> Iterator[Image.Image]:
    """Draw the photos with their names and what they were taken for, 48 to a sheet."""
    a_sheet = _COLUMNS * _ROWS
    for first in range(0, len(mistakes), a_sheet):
        yield _sheet(mistakes[first : first + a_sheet])


def _mistake(predicted: Predicted, labels: Sequence[str], row: int) -> Mistake:
    photo, probabilities = predicted.photos[row], predicted.probabilities[row]
    likeliest = labels[int(probabilities.argmax())]
    return Mistake(photo.path, photo.label, likeliest, float(probabilities.max()))


def _sheet(mistakes: Sequence[Mistake]) -> Image.Image:
    font = ImageFont.load_default(_FONT_SIZE)
    rows = -(-len(mistakes) // _COLUMNS)
    across, down = _SIDE + _MARGIN, _SIDE + _CAPTION + _MARGIN
    sheet = Image.new("RGB", (_COLUMNS * across + _MARGIN, rows * down + _MARGIN), "white")
    drawing = ImageDraw.Draw(sheet)
    for index, mistake in enumerate(mistakes):
        left = _MARGIN + index % _COLUMNS * across
        top = _MARGIN + index // _COLUMNS * down
        sheet.paste(thumbnail(mistake.path), (left, top))
        lines = (
            _fitted(display(Path(mistake.path.name)), font),
            f"{mistake.label}, taken for {mistake.taken_for} {mistake.confidence:.0%}",
        )
        for line, text in enumerate(lines):
            drawing.text((left, top + _SIDE + 2 + line * 15), _fitted(text, font), "black", font)
    return sheet


def thumbnail(path: Path, side: int = _SIDE) -> Image.Image:
    """Draw a photo small, on a square; one that is gone stays grey."""
    ground = Image.new("RGB", (side, side), (235, 235, 235))
    try:
        small = ImageOps.contain(open_image(path, min_side=side), (side, side))
    except UnreadableImage:  # it was there a moment ago
        return ground
    ground.paste(small, ((side - small.width) // 2, (side - small.height) // 2))
    return ground


def _fitted(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    """Cut a text that is too long for its photo."""
    if font.getlength(text) <= _SIDE:
        return text
    while text and font.getlength(f"{text}...") > _SIDE:
        text = text[:-1]
    return f"{text}..."
