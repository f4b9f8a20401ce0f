"""What the model says of the photo when it is covered, darkened, cut, mirrored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageEnhance, ImageOps

from core.explain.answer import Answer
from core.model.classifier import Classifier
from core.model.preprocessing import Pixels, preprocess
from core.model.verdict import Verdict, judge

GREY = 128  # of what covers the photo
STEPS = 13  # places of the square across, and as many down
SQUARES = (0.2, 0.4)  # of the photo's side

_COARSE = (128, 96, 64, 48, 32, 24, 16)  # pixels across

Change = Callable[[Image.Image], Image.Image]


@dataclass(frozen=True, slots=True, eq=False)
class Covered:
    """What is said with a grey square at each of STEPS x STEPS places."""

    share: float  # of the photo's side
    starts: tuple[float, ...]  # left or upper edge of the square, of the photo's side
    probabilities: npt.NDArray[np.float64]  # shape (STEPS down, STEPS across, classes)
    verdicts: tuple[tuple[str, ...], ...]  # in words


@dataclass(frozen=True, slots=True)
class Varied:
    """The photo changed in one way, and what is said of it."""

    name: str
    image: Image.Image
    probabilities: tuple[float, ...]
    verdict: str


@dataclass(frozen=True, slots=True)
class Series:
    """The photo changed more and more."""

    key: str
    title: str
    varied: tuple[Varied, ...]  # the first is the photo as it is
    changed: str  # what it takes, in words


def cover(answer: Answer, share: float) -> Covered:
    """Slide a grey square over what the network sees."""
    size = len(answer.pixels)
    side = max(1, round(share * size))
    starts = [round(start) for start in np.linspace(0, size - side, STEPS)]
    rows = []
    for top in starts:
        batch = np.repeat(answer.pixels[np.newaxis], STEPS, axis=0).copy()
        for image, left in zip(batch, starts, strict=True):
            image[top : top + side, left : left + side] = GREY
        rows.append(answer.classifier.logits(batch))
    logits = np.stack(rows)
    probabilities = answer.probabilities(logits.reshape(STEPS * STEPS, -1))
    verdicts = [_verdict(answer, one) for row in logits for one in row]
    return Covered(
        share=side / size,
        starts=tuple(start / size for start in starts),
        probabilities=probabilities.reshape(STEPS, STEPS, -1),
        verdicts=tuple(
            tuple(verdicts[first : first + STEPS]) for first in range(0, STEPS * STEPS, STEPS)
        ),
    )


def single_changes(answer: Answer) -> list[Varied]:
    """Change the photo in ways that have no degree."""
    changes: list[tuple[str, Change]] = [
        ("as it is", lambda image: image),
        ("mirrored", ImageOps.mirror),
        ("upside down", lambda image: image.transpose(Image.Transpose.ROTATE_180)),
        ("without colour", lambda image: image.convert("L").convert("RGB")),
        ("the left half", lambda image: _cut(image, (0, 0, 0.5, 1))),
        ("the right half", lambda image: _cut(image, (0.5, 0, 1, 1))),
        ("the upper half", lambda image: _cut(image, (0, 0, 1, 0.5))),
        ("the lower half", lambda image: _cut(image, (0, 0.5, 1, 1))),
    ]
    return [_varied(answer, name, change(answer.image)) for name, change in changes]


def series(answer: Answer) -> list[Series]:
    """Change the photo by degrees, until the model may change its mind."""
    photo = answer.image
    return [
        _series(answer, "darker", "Darker", _darker(photo)),
        _series(answer, "smaller", "Smaller, with grey around it", _smaller(photo)),
        _series(answer, "coarser", "Fewer pixels", _coarser(photo)),
        _series(answer, "cut", "Cut, from the edges inwards", _closer(photo)),
    ]


def _darker(photo: Image.Image) -> list[tuple[str, Image.Image]]:
    levels = (1.0, 0.7, 0.5, 0.35, 0.25, 0.15, 0.08, 0.03)
    return [
        (f"{100 * level:.0f} % as bright", ImageEnhance.Brightness(photo).enhance(level))
        for level in levels
    ]


def _smaller(photo: Image.Image) -> list[tuple[str, Image.Image]]:
    found = []
    for level in (1.0, 0.8, 0.6, 0.45, 0.35, 0.25, 0.18, 0.12):
        ground = Image.new("RGB", photo.size, (GREY, GREY, GREY))
        width, height = (max(1, round(level * side)) for side in photo.size)
        small = photo.resize((width, height), Image.Resampling.LANCZOS)
        ground.paste(small, ((photo.width - width) // 2, (photo.height - height) // 2))
        found.append((f"{100 * level:.0f} % of its width", ground))
    return found


def _coarser(photo: Image.Image) -> list[tuple[str, Image.Image]]:
    found = [(f"{photo.width} pixels across", photo)]
    for width in (pixels for pixels in _COARSE if pixels < photo.width):
        height = max(1, round(photo.height * width / photo.width))
        coarse = photo.resize((width, height), Image.Resampling.BOX)
        found.append((f"{width} pixels across", coarse.resize(photo.size, Image.Resampling.BOX)))
    return found


def _closer(photo: Image.Image) -> list[tuple[str, Image.Image]]:
    return [
        (
            f"the middle {100 * level:.0f} %",
            _cut(photo, ((1 - level) / 2, (1 - level) / 2, (1 + level) / 2, (1 + level) / 2)),
        )
        for level in (1.0, 0.85, 0.7, 0.55, 0.4, 0.3, 0.2, 0.12)
    ]


def _cut(photo: Image.Image, part: tuple[float, float, float, float]) -> Image.Image:
    left, top, right, bottom = part
    corner = int(left * photo.width), int(top * photo.height)
    far = (
        max(corner[0] + 1, round(right * photo.width)),
        max(corner[1] + 1, round(bottom * photo.height)),
    )
    return photo.crop((*corner, *far))


def _series(
    answer: Answer, key: str, title: str, images: Sequence[tuple[str, Image.Image]]
) -> Series:
    varied = tuple(_varied(answer, name, image) for name, image in images)
    return Series(key, title, varied, _what_it_takes(varied))


def _what_it_takes(varied: Sequence[Varied]) -> str:
    """Say from where on the model says something else."""
    first = varied[0].verdict
    for one in varied[1:]:
        if one.verdict != first:
            return f"changes its mind at {one.name}: now it says “{one.verdict}”"
    return f"does not change its mind, even at {varied[-1].name}"


def _varied(answer: Answer, name: str, image: Image.Image) -> Varied:
    logits = answer.classifier.logits(_pixels(answer.classifier, image)[np.newaxis])[0]
    row = answer.probabilities(logits[np.newaxis])[0]
    return Varied(name, image, tuple(float(one) for one in row), _verdict(answer, logits))


def _pixels(classifier: Classifier, image: Image.Image) -> Pixels:
    return preprocess(image, classifier.preprocessing)


def said(verdict: Verdict) -> str:
    """Name a verdict in a few words."""
    words = verdict.likeliest.words["en"]
    return words if verdict.is_sure else f"not sure, perhaps {words}"


def _verdict(answer: Answer, logits: npt.NDArray[np.float32]) -> str:
    prediction = answer.classifier.prediction(logits)
    return said(judge(prediction, answer.manifest.classes, answer.threshold))
