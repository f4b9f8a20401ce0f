"""Predictions for photos: one, or any number of them in flat memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from core.classifier import Classifier
from core.errors import UnreadableImage
from core.lookahead import map_ahead
from core.prediction import Prediction
from core.preprocessing import Pixels, load_photo


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one photo: a prediction, or the reason why there is none."""

    path: Path
    outcome: Prediction | UnreadableImage


def predict_photo(classifier: Classifier, source: Path | bytes) -> Prediction:
    """Predict one photo. Raises UnreadableImage."""
    pixels = load_photo(source, classifier.manifest.preprocessing)
    return classifier.predict(pixels[None])[0]


def predict_photos(classifier: Classifier, paths: Iterable[Path]) -> Iterator[Answer]:
    """Predict photos in their order; a few are decoded ahead, however many there are."""

    def load(path: Path) -> Pixels | UnreadableImage:
        try:
            return load_photo(path, classifier.manifest.preprocessing)
        except UnreadableImage as error:
            return error

    for path, loaded in map_ahead(load, paths):
        if isinstance(loaded, UnreadableImage):
            yield Answer(path, loaded)
        else:
            yield Answer(path, classifier.predict(loaded[None])[0])
