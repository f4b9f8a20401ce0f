"""Accuracy on photos that are turned, dark, blurred, small, or show two animals in one."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from core.errors import UnreadableImage
from core.images.decode import open_image
from core.labels import Role
from core.model.classifier import Classifier
from core.model.verdict import Prediction, VerdictKind, judge
from core.runtime.lookahead import map_ahead
from core.training.data.labelled import LabelledPhoto
from core.training.evaluation.metrics import Flags, wilson

AS_IT_IS = "as it is"
_SIDE = 256  # pixels that the shorter side is reduced to first: enough for what follows
_BLUR = 1.5 / 128  # standard deviation, of the side
_SMALL = 0.4  # of the side
_PAIRS = 500
_SEED = 7

_Random = np.random.Generator


@dataclass(frozen=True, slots=True)
class Varied:
    """The accuracy on photos of filed classes, varied in one way."""

    pet_accuracy: float  # 0 to 1
    lost: float  # pet_accuracy that the unvaried photos have beyond it, 0 to 1


@dataclass(frozen=True, slots=True)
class Pairs:
    """The verdicts on photos that show two of the filed classes."""

    photos: int
    unfiled: float  # not filed as either, 0 to 1
    interval: tuple[float, float]  # 95 %


def _brightness(factor: float) -> Callable[[Image.Image], Image.Image]:
    return lambda image: ImageEnhance.Brightness(image).enhance(factor)


def _compressed(image: Image.Image) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=15)
    return Image.open(file).convert("RGB")


def _blurred(image: Image.Image) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur((_BLUR * image.width, _BLUR * image.height)))


def _turned(turn: Image.Transpose) -> Callable[[Image.Image], Image.Image]:
    return lambda image: image.transpose(turn)


VARIATIONS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "mirrored": ImageOps.mirror,
    "half as bright": _brightness(0.5),
    "twice as bright": _brightness(2.0),
    "greyscale": lambda image: image.convert("L").convert("RGB"),
    "JPEG quality 15": _compressed,
    "blurred": _blurred,
    "turned left": _turned(Image.Transpose.ROTATE_90),
    "turned right": _turned(Image.Transpose.ROTATE_270),
    "upside down": _turned(Image.Transpose.ROTATE_180),
}
ON_PLAIN = "at 40 % on a plain ground"
ON_BUSY = "at 40 % on a busy ground"


def shrunk_onto(ground: Image.Image, image: Image.Image, random: _Random) -> Image.Image:
    """Return the ground with an image at 40 % of its sides, somewhere on it."""
    width, height = (round(_SMALL * side) for side in ground.size)
    left = int(random.integers(ground.width - width + 1))
    top = int(random.integers(ground.height - height + 1))
    shown = ground.copy()
    shown.paste(image.resize((width, height), Image.Resampling.LANCZOS), (left, top))
    return shown


def side_by_side(left: Image.Image, right: Image.Image) -> Image.Image:
    """Return two images beside each other, as high as the first."""
    width = max(1, round(right.width * left.height / right.height))
    both = Image.new("RGB", (left.width + width, left.height))
    both.paste(left, (0, 0))
    both.paste(right.resize((width, left.height), Image.Resampling.LANCZOS), (left.width, 0))
    return both


def measure_variations(
    classifier: Classifier,
    photos: Sequence[LabelledPhoto],
    *,
    on_photo: Callable[[], None] = lambda: None,
) -> dict[str, Varied]:
    """Measure the pet_accuracy on photos varied in every way of VARIATIONS.

    They are shrunk onto grey, too, and onto photos of neither, if there are any. Files that
    cannot be read are left out. Returns nothing if there are no photos of two filed classes.
    """
    pets = _of_role(classifier, photos, Role.FILE)
    if len({photo.label for photo in pets}) < 2:
        return {}
    filed = [one.label for one in classifier.manifest.filed]
    others = _of_role(classifier, photos, Role.NEITHER)
    random = np.random.default_rng(_SEED)
    grounds = random.choice(len(others), len(pets)) if others else None
    right: dict[str, list[bool]] = {}
    for (index, photo), image in map_ahead(lambda item: _opened(item[1]), enumerate(pets)):
        on_photo()
        if image is None:
            continue
        plain = Image.new("RGB", image.size, (128, 128, 128))
        varied = {AS_IT_IS: image}
        varied |= {name: vary(image) for name, vary in VARIATIONS.items()}
        varied[ON_PLAIN] = shrunk_onto(plain, image, random)
        if grounds is not None and (ground := _opened(others[grounds[index]])) is not None:
            varied[ON_BUSY] = shrunk_onto(ground, image, random)
        for name, one in varied.items():
            probabilities = _predicted(classifier, one).probabilities
            likeliest = max(filed, key=lambda label: probabilities[label])
            right.setdefault(name, []).append(likeliest == photo.label)
    shares = {name: float(np.mean(flags)) for name, flags in right.items()}
    return {
        name: Varied(found, shares[AS_IT_IS] - found)
        for name, found in shares.items()
        if name != AS_IT_IS
    }


def measure_pairs(
    classifier: Classifier,
    photos: Sequence[LabelledPhoto],
    *,
    threshold: float | None = None,
) -> Pairs | None:
    """Predict up to 500 montages of two photos of different classes that are filed.

    `threshold` can only raise the manifest's. Returns None if there are no two such photos.
    """
    pets = _of_role(classifier, photos, Role.FILE)
    random = np.random.default_rng(_SEED)
    unfiled: list[bool] = []
    for index in random.permutation(len(pets)):
        photo = pets[index]
        others = [other for other in pets if other.label != photo.label]
        if not others or len(unfiled) == _PAIRS:
            break
        images = _opened(photo), _opened(others[random.integers(len(others))])
        if images[0] is None or images[1] is None:
            continue
        prediction = _predicted(classifier, side_by_side(images[0], images[1]))
        verdict = judge(prediction, classifier.manifest.classes, threshold)
        unfiled.append(verdict.kind is not VerdictKind.FILED)
    flags: Flags = np.array(unfiled, dtype=np.bool_)
    return Pairs(len(flags), float(flags.mean()), wilson(flags)) if len(flags) else None


def _of_role(
    classifier: Classifier, photos: Sequence[LabelledPhoto], role: Role
) -> list[LabelledPhoto]:
    return [photo for photo in photos if classifier.manifest.class_of(photo.label).role is role]


def _opened(photo: LabelledPhoto) -> Image.Image | None:
    try:
        image = open_image(photo.path, min_side=_SIDE)
    except UnreadableImage:
        return None
    scale = min(1.0, _SIDE / min(image.size))
    return image.resize(
        (max(1, round(image.width * scale)), max(1, round(image.height * scale))),
        Image.Resampling.LANCZOS,
    )


def _predicted(classifier: Classifier, image: Image.Image) -> Prediction:
    return classifier.classify(lambda _: image)
