"""Predictions for photos: one, or any number of them in flat memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from core.errors import UnreadableImage
from core.images.decode import opener
from core.model.classifier import Classifier
from core.model.verdict import Prediction
from core.runtime.lookahead import map_ahead

# Answers are small: so many wait that the cores have work while whoever takes them writes to disk
_AHEAD_PER_CORE = 32


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one photo: a prediction, or the reason why there is none."""

    path: Path
    outcome: Prediction | UnreadableImage


def predict_photo(classifier: Classifier, source: Path | bytes) -> Prediction:
    """Predict one photo. Raises UnreadableImage."""
    return classifier.classify(opener(source))


def predict_photos(classifier: Classifier, paths: Iterable[Path]) -> Iterator[Answer]:
    """Predict photos in their order, ahead on all cores, however many there are."""

    def look(path: Path) -> Prediction | UnreadableImage:
        try:
            return predict_photo(classifier, path)
        except UnreadableImage as error:
            return error

    for path, outcome in map_ahead(look, paths, ahead_per_core=_AHEAD_PER_CORE):
        yield Answer(path, outcome)
