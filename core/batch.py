"""Predictions for photos: one, or any number of them in flat memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from core.errors import UnreadableImage
from core.images.decode import opener
from core.model.classifier import Classifier
from core.model.verdict import Prediction
from core.runtime.lookahead import map_ahead

# Predictions are small: so many wait that the cores have work while the caller writes to disk
_AHEAD_PER_CORE = 32


def predict_photo(classifier: Classifier, source: Path | bytes) -> Prediction:
    """Predict one photo. Raises UnreadableImage."""
    return classifier.classify(opener(source))


def predict_photos(
    classifier: Classifier, paths: Iterable[Path]
) -> Iterator[tuple[Path, Prediction | UnreadableImage]]:
    """Predict photos in their order, ahead on all cores, however many there are."""

    def predict(path: Path) -> Prediction | UnreadableImage:
        try:
            return predict_photo(classifier, path)
        except UnreadableImage as error:
            return error

    return map_ahead(predict, paths, ahead_per_core=_AHEAD_PER_CORE)
